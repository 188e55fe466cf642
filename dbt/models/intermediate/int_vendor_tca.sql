{{ config(materialized='incremental', pre_hook="{{ forget(is_rebuilt('asked_on', 'rfq_id')) }}") }}

-- Vendors' figures per execution in our sign and unit (bps, positive = gain), averaged over vendors.
with results as (

    select * from {{ ref('stg_tca_results') }}

),

executions as (

    -- A currency figure is for the whole RFQ, whatever number of dealers it traded with.
    select
        rfq_id,
        min(asked_on) as asked_on,
        sum(executed_price * executed_quantity) / sum(executed_quantity) as executed_price,
        sum(executed_quantity) as executed_quantity
    from {{ ref('int_rfq_responses') }}
    where outcome = 'TRADED' and {{ is_rebuilt('asked_on', 'rfq_id') }}
    group by rfq_id

),

signed as (

    select
        results.*,
        executions.asked_on,
        {{ vendor_gain_bps('value', 'unit', 'positive_is', 'executed_price', 'executed_quantity') }} as gain_bps
    from results
    inner join executions using (rfq_id)

)

select
    rfq_id,
    asked_on,
    avg(gain_bps) filter (where metric = 'price_reversion' and horizon_s = {{ var('horizons_s')['30m'] }})
        as reversion_bps,
    avg(gain_bps) filter (where metric = 'arrival_slippage') as arrival_gain_bps,
    avg(-gain_bps) filter (where metric = 'implementation_shortfall') as shortfall_cost_bps,
    avg(-gain_bps) filter (where metric = 'market_impact') as impact_cost_bps,
    count(distinct vendor) as vendors
from signed
group by rfq_id, asked_on
