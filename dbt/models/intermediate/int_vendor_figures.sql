{{ config(materialized='by_days', meta={'owns': is_rebuilt('asked_on', 'rfq_id')}) }}

-- Vendors' figures in our sign and unit (bps, positive = gain), each vendor's apart, in the order of use.
with results as (

    select * from {{ ref('stg_tca_results') }}

),

-- Materialized: else it is sorted in as many parts as the whole table would need (`macros/rebuild.sql`).
executions as materialized (

    -- A currency figure is for the whole RFQ, whatever number of dealers it traded with.
    select
        rfq_id,
        min(asked_on) as asked_on,
        sum(executed_price * executed_quantity) / sum(executed_quantity) as executed_price,
        sum(executed_quantity) as executed_quantity,
        min(arrival_mid) as arrival_mid
    from {{ ref('int_resolved_responses') }}
    where outcome = 'TRADED' and {{ is_rebuilt('asked_on', 'rfq_id') }}
    group by rfq_id

),

signed as (

    select
        results.rfq_id,
        executions.asked_on,
        results.vendor,
        results.metric,
        results.horizon_s,
        results.reference,
        {{ own_horizon_s('results.metric', 'results.horizon_s') }} as own_horizon_s,
        -- Against another reference than arrival the price of the trade is near enough: it is within the spread.
        coalesce(
            case when results.reference = 'ARRIVAL' then executions.arrival_mid end, executions.executed_price
        ) as reference_price,
        {{ vendor_gain_bps('value', 'unit', 'positive_is', 'reference_price', 'executed_quantity') }} as gain_bps
    from results
    inner join executions using (rfq_id)

),

one_reference as (

    select * from signed
    where gain_bps is not null
    qualify row_number() over (
        partition by rfq_id, vendor, metric, own_horizon_s
        order by
            abs(coalesce(horizon_s, {{ var('horizons_s')['30m'] }}) - {{ var('horizons_s')['30m'] }}),
            -- A reversion is the move since the trade; against arrival it is mixed with what went before.
            coalesce(
                list_position(
                    case when metric = 'price_reversion' then ['MID', 'ARRIVAL'] else ['ARRIVAL', 'MID'] end, reference
                ),
                3
            ),
            reference,
            horizon_s nulls last
    ) = 1

)

select
    rfq_id,
    asked_on,
    vendor,
    metric,
    horizon_s,
    reference,
    gain_bps,
    row_number() over (
        partition by rfq_id, metric, own_horizon_s
        order by
            {% for vendor in var('preferred_tca_vendors') -%}
                vendor = '{{ vendor }}' desc,
            {% endfor -%}
            vendor
    ) as preference
from one_reference
