{{ config(materialized='by_days', meta={'owns': is_rebuilt('asked_on', 'rfq_id')}) }}

-- A vendor measures the RFQ, so our own figures of several fills are brought together before they are compared.
{% set horizons = var('horizons_s') %}

with figures as (

    select * from {{ ref('int_vendor_figures') }}
    where {{ is_rebuilt('asked_on', 'rfq_id') }}

),

executions as (

    select * from {{ ref('int_executions') }}
    where {{ is_rebuilt('asked_on', 'rfq_id') }}

),

own as (

    select
        rfq_id,
        min(scorecard_class) as scorecard_class,
        least(1, sum(executed_quantity) / nullif(max(quantity), 0)) as filled_share,
        {{ over_fills('own_improvement_gain_bps', 'executed_quantity') }} as improvement_gain_bps,
        {% for name in horizons %}
            {% set infix = '' if name == '30m' else '_' ~ name %}
            {{ over_fills('own_reversion' ~ infix ~ '_bps', 'executed_quantity') }} as reversion_{{ name }}_bps,
            {{ over_fills('drift' ~ infix ~ '_cost_bps', 'executed_quantity') }} as drift_{{ name }}_cost_bps
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from executions
    group by rfq_id

),

side_by_side as (

    select
        figures.*,
        own.scorecard_class,
        case
            when figures.metric = 'arrival_slippage' then own.improvement_gain_bps
            when figures.metric = 'implementation_shortfall'
                then {{ shortfall_gain_bps('own.filled_share', 'own.improvement_gain_bps', 'own.drift_30m_cost_bps') }}
            {% for name, seconds in horizons.items() %}
                when figures.metric = 'price_reversion' and figures.horizon_s = {{ seconds }}
                    then own.reversion_{{ name }}_bps
                when
                    figures.metric = 'market_impact'
                    and {{ own_horizon_s('figures.metric', 'figures.horizon_s') }} = {{ seconds }}
                    then {{ turned('own.drift_' ~ name ~ '_cost_bps') }}
            {% endfor %}
        end as own
    from figures
    left join own using (rfq_id)

),

used as (

    select
        figures.rfq_id,
        figures.metric,
        figures.vendor as used_vendor,
        figures.gain_bps as used_gain_bps,
        {{ own_horizon_s('figures.metric', 'figures.horizon_s') }} as own_horizon_s
    from figures
    where figures.preference = 1

)

select
    side_by_side.rfq_id,
    side_by_side.asked_on,
    side_by_side.scorecard_class,
    side_by_side.metric,
    side_by_side.horizon_s,
    side_by_side.vendor,
    side_by_side.reference,
    side_by_side.preference = 1 as is_used,
    side_by_side.gain_bps as vendor_gain_bps,
    side_by_side.own as own_gain_bps,
    used.used_vendor,
    used.used_gain_bps,
    side_by_side.gain_bps - side_by_side.own as difference_from_own_bps,
    side_by_side.gain_bps - used.used_gain_bps as difference_from_used_bps
from side_by_side
inner join used
    on
        side_by_side.rfq_id = used.rfq_id
        and side_by_side.metric = used.metric
        and {{ own_horizon_s('side_by_side.metric', 'side_by_side.horizon_s') }} is not distinct from used.own_horizon_s
