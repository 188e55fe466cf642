-- Executions with what came after, by the vendors and by our own recomputation from reference mids.
-- A mid stands for the horizon only when it was priced after the trade.
with executions as (

    select * from {{ ref('int_rfq_responses') }}
    where outcome = 'TRADED'

),

vendor as (

    select * from {{ ref('int_vendor_tca') }}

),

mids as (

    select * from {{ ref('int_reference_mids') }}

),

at_trade as (

    select
        executions.rfq_id,
        executions.dealer_id,
        mids.mid
    from executions
    asof inner join mids on executions.security_id = mids.security_id and executions.executed_at >= mids.priced_at

),

at_horizon as (

    select
        executions.rfq_id,
        executions.dealer_id,
        mids.mid
    from executions
    asof inner join mids
        on
            executions.security_id = mids.security_id
            and executions.executed_at + to_seconds({{ var('reversion_horizon_s') }}) >= mids.priced_at
    where mids.priced_at > executions.executed_at

),

measured as (

    select
        executions.*,
        vendor.arrival_gain_bps as vendor_improvement_gain_bps,
        vendor.reversion_bps as vendor_reversion_bps,
        vendor.shortfall_cost_bps,
        vendor.impact_cost_bps as vendor_impact_cost_bps,
        {{ improvement_gain_bps('executions.client_side', 'executions.arrival_mid', 'executions.executed_price') }}
            as own_improvement_gain_bps,
        {{ reversion_bps('executions.client_side', 'at_trade.mid', 'at_horizon.mid') }} as own_reversion_bps,
        {{ drift_cost_bps('executions.client_side', 'executions.arrival_mid', 'at_horizon.mid') }} as drift_cost_bps
    from executions
    left join vendor using (rfq_id)
    left join at_trade using (rfq_id, dealer_id)
    left join at_horizon using (rfq_id, dealer_id)

)

select
    rfq_id,
    dealer_id,
    security_id,
    asset_class,
    scorecard_class,
    client_side,
    quantity,
    executed_at,
    executed_price,
    executed_quantity,
    arrival_mid,

    -- Where a vendor gives the figure it is used; ours stands beside it.
    coalesce(vendor_improvement_gain_bps, own_improvement_gain_bps) as price_improvement_gain_bps,
    coalesce(vendor_reversion_bps, own_reversion_bps) as reversion_bps,
    vendor_improvement_gain_bps,
    own_improvement_gain_bps,
    vendor_reversion_bps,
    own_reversion_bps,
    shortfall_cost_bps,
    vendor_impact_cost_bps,
    drift_cost_bps
from measured
