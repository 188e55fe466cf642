-- The machine's side is what its dealers had given before, not what they would have quoted: that was never asked.
{% set advantage = {'kind': 'mean', 'n': 'compared', 'total': 'advantage_sum', 'squares': 'advantage_squares'} %}

with outcomes as (

    select * from {{ ref('int_override_outcomes') }}

),

summed as (

    select
        reason_code,
        count(*) as overrides,
        count(rfq_id) as rfqs,
        count(trader_gain_bps) as traded,
        count(trader_advantage_bps) as compared,
        count(*) filter (where trader_advantage_bps > 0) as trader_better,
        sum(trader_advantage_bps) as advantage_sum,
        sum(trader_advantage_bps * trader_advantage_bps) as advantage_squares
    from outcomes
    group by reason_code

)

select
    reason_code,
    overrides,
    rfqs,
    traded,
    compared,
    trader_better,
    advantage_sum / nullif(compared, 0) as trader_advantage_bps,
    advantage_sum / nullif(compared, 0) - {{ interval_half_width(advantage) }}
        as trader_advantage_low,
    advantage_sum / nullif(compared, 0) + {{ interval_half_width(advantage) }}
        as trader_advantage_high
from summed
