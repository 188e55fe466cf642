-- What the trader got against what the recommended dealers had given in the ninety days before, in the same class.
with overrides as (

    select * from {{ ref('stg_overrides') }}

),

executions as (

    select * from {{ ref('int_executions') }}

),

days as (

    select * from {{ ref('int_dealer_day_stats') }}

),

-- An RFQ may have traded with several dealers: the trader got their mean, weighted by size.
results as (

    select
        rfq_id,
        min(scorecard_class) as scorecard_class,
        sum(price_improvement_gain_bps * executed_quantity)
        / nullif(sum(executed_quantity) filter (where price_improvement_gain_bps is not null), 0) as gain_bps
    from executions
    group by rfq_id

),

traded as (

    select
        overrides.override_id,
        overrides.reason_code,
        overrides.rfq_id,
        overrides.recommended,
        cast(overrides.overridden_at as date) as overridden_on,
        results.scorecard_class,
        results.gain_bps
    from overrides
    left join results on overrides.rfq_id = results.rfq_id

),

machine as (

    select
        traded.override_id,
        sum(days.improvement_sum) / nullif(sum(days.improvement_n), 0) as gain_bps,
        sum(days.improvement_n) as executions
    from traded
    inner join days
        on
            traded.scorecard_class = days.scorecard_class
            and list_contains(traded.recommended, days.dealer_id)
            and traded.overridden_on > days.asked_on
            and traded.overridden_on <= days.asked_on + 90
    group by traded.override_id

)

select
    traded.override_id,
    traded.reason_code,
    traded.rfq_id,
    traded.gain_bps as trader_gain_bps,
    machine.gain_bps as machine_gain_bps,
    cast(coalesce(machine.executions, 0) as bigint) as machine_n,
    traded.gain_bps - machine.gain_bps as trader_advantage_bps
from traded
left join machine using (override_id)
