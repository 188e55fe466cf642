{{ config(materialized='by_days', meta={'owns': is_rebuilt('asked_on', 'rfq_id')}) }}

-- Executions with what came after, by the vendors and by our own recomputation from reference mids.
-- A mid stands for a horizon only when it was priced after the trade, and only once the horizon has passed.
{% set horizons = var('horizons_s') %}

with executions as (

    select * from {{ ref('int_rfq_responses') }}
    where outcome = 'TRADED' and {{ is_rebuilt('asked_on', 'rfq_id') }}

),

vendor as (

    select * from {{ ref('int_vendor_tca') }}
    where {{ is_rebuilt('asked_on', 'rfq_id') }}

),

-- Materialized: else it is sorted in as many parts as the whole table would need (`macros/rebuild.sql`).
mids as materialized (

    select * from {{ ref('int_reference_mids') }}
    where {{ is_near('priced_at', 'touched', var('mid_max_age_days') + 1, 2) }}

),

{{ mids_over_horizons('executions', 'executed_at', 'mids', from_the_start=true) }},

measured as (

    select
        executions.*,
        count(*) over (partition by executions.rfq_id) as fills,
        vendor.arrival_gain_bps as vendor_improvement_gain_bps,
        vendor.reversion_bps as vendor_reversion_bps,
        vendor.shortfall_cost_bps,
        vendor.impact_cost_bps as vendor_impact_cost_bps,
        {{ improvement_gain_bps('executions.client_side', 'executions.arrival_mid', 'executions.executed_price') }}
            as own_improvement_gain_bps,
        -- The columns without a horizon in their name are those of seed_v0: 30 minutes.
        {% for name in horizons %}
            {% set infix = '' if name == '30m' else '_' ~ name %}
            {{ reversion_bps('executions.client_side', 'after.mid_at_start', 'after.mid_' ~ name) }}
                as own_reversion{{ infix }}_bps,
            {{ drift_cost_bps('executions.client_side', 'executions.arrival_mid', 'after.mid_' ~ name) }}
                as drift{{ infix }}_cost_bps
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from executions
    left join vendor using (rfq_id)
    left join after on executions.security_id = after.security_id and executions.executed_at = after.started_at

)

select
    rfq_id,
    dealer_id,
    security_id,
    asset_class,
    scorecard_class,
    client_side,
    quantity,
    asked_on,
    executed_at,
    executed_price,
    executed_quantity,
    arrival_mid,

    -- Where a vendor gives the figure it is used; ours stands beside it.
    {{ of_one_fill('vendor_improvement_gain_bps', 'own_improvement_gain_bps', 'fills') }} as price_improvement_gain_bps,
    coalesce(vendor_reversion_bps, own_reversion_bps) as reversion_bps,
    vendor_improvement_gain_bps,
    own_improvement_gain_bps,
    vendor_reversion_bps,
    own_reversion_5m_bps,
    own_reversion_bps,
    own_reversion_1d_bps,
    shortfall_cost_bps,
    vendor_impact_cost_bps,
    drift_5m_cost_bps,
    drift_cost_bps,
    drift_1d_cost_bps
from measured
