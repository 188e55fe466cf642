{{ config(materialized='view') }}

-- The vendors' figures that are used: of each metric that of the first vendor who has it, never a mean over vendors.
select
    rfq_id,
    asked_on,
    any_value(gain_bps) filter (
        where preference = 1 and metric = 'price_reversion' and horizon_s = {{ var('horizons_s')['30m'] }}
    )
        as reversion_bps,
    any_value(gain_bps) filter (where preference = 1 and metric = 'arrival_slippage')
        as arrival_gain_bps,
    any_value({{ turned('gain_bps') }}) filter (where preference = 1 and metric = 'implementation_shortfall')
        as shortfall_cost_bps,
    any_value({{ turned('gain_bps') }}) filter (
        where
        preference = 1 and metric = 'market_impact'
        and {{ own_horizon_s('metric', 'horizon_s') }} = {{ var('horizons_s')['30m'] }}
    )
        as impact_cost_bps
from {{ ref('int_vendor_figures') }}
group by rfq_id, asked_on
