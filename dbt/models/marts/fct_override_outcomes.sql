-- The machine's side is what its dealers had given before, not what they would have quoted: that was never asked.
{% set half_width = interval_half_width('mean', 'advantage_mean', 'compared', 'advantage_mean_square') %}

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
        avg(trader_advantage_bps) as advantage_mean,
        avg(trader_advantage_bps * trader_advantage_bps) as advantage_mean_square
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
    advantage_mean as trader_advantage_bps,
    advantage_mean - {{ half_width }} as trader_advantage_low,
    advantage_mean + {{ half_width }} as trader_advantage_high
from summed
