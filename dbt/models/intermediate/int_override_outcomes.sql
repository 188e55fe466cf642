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

traded as (

    select
        overrides.override_id,
        overrides.reason_code,
        overrides.rfq_id,
        overrides.recommended,
        cast(overrides.overridden_at as date) as overridden_on,
        executions.scorecard_class,
        executions.price_improvement_gain_bps
    from overrides
    left join executions on overrides.rfq_id = executions.rfq_id

),

machine as (

    select
        traded.override_id,
        sum(days.improvement_sum) / nullif(sum(days.improvement_n), 0) as machine_gain_bps,
        sum(days.improvement_n) as machine_n
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
    traded.price_improvement_gain_bps as trader_gain_bps,
    machine.machine_gain_bps,
    cast(coalesce(machine.machine_n, 0) as bigint) as machine_n,
    traded.price_improvement_gain_bps - machine.machine_gain_bps as trader_advantage_bps
from traded
left join machine on traded.override_id = machine.override_id
