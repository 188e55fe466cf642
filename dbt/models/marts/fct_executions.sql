{{ config(materialized='view') }}

with executions as (

    select * from {{ ref('int_executions') }}

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

    -- used: the vendor's where there is one
    price_improvement_gain_bps,
    reversion_bps,

    -- both, and what sets them apart
    vendor_improvement_gain_bps,
    own_improvement_gain_bps,
    vendor_reversion_bps,
    own_reversion_5m_bps,
    own_reversion_bps,
    own_reversion_1d_bps,
    vendor_reversion_bps - own_reversion_bps as reversion_difference_bps,
    shortfall_cost_bps,
    vendor_impact_cost_bps,
    drift_5m_cost_bps,
    drift_cost_bps,
    drift_1d_cost_bps
from executions
