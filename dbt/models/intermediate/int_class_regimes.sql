-- A class is stressed or calm by its own standard: the day's moves against those of the weeks before it.
with mids as (

    select * from {{ ref('int_reference_mids') }}
    where
        priced_at > {{ as_of() }} - to_days({{ var('cell_days') + var('regime_days') }})
        and priced_at <= {{ as_of() }}

),

securities as (

    select * from {{ ref('int_securities') }}

),

closes as (

    select
        security_id,
        cast(priced_at as date) as priced_on,
        arg_max(mid, priced_at) as mid
    from mids
    group by security_id, priced_on

),

moves as (

    select
        security_id,
        priced_on,
        {{ relative_bps('mid - lag(mid) over by_day', 'lag(mid) over by_day') }} as move_bps
    from closes
    window by_day as (partition by security_id order by priced_on)

),

days as (

    select
        securities.scorecard_class,
        moves.priced_on,
        count(*) as securities_priced,
        sqrt(avg(moves.move_bps * moves.move_bps)) as volatility_bps
    from moves
    inner join securities using (security_id)
    where moves.move_bps is not null
    group by securities.scorecard_class, moves.priced_on
    having count(*) >= {{ var('regime_fewest_securities') }}

),

compared as (

    select
        *,
        count(*) over (
            partition by scorecard_class order by priced_on
            range between interval '{{ var('regime_days') }}' day preceding and interval '1' day preceding
        ) as days_before,
        median(volatility_bps) over (
            partition by scorecard_class order by priced_on
            range between interval '{{ var('regime_days') }}' day preceding and interval '1' day preceding
        ) as usual_volatility_bps
    from days
)

select
    scorecard_class,
    priced_on,
    securities_priced,
    volatility_bps,
    usual_volatility_bps,
    case
        when days_before < {{ var('regime_fewest_days') }} or usual_volatility_bps = 0 then null
        when volatility_bps / usual_volatility_bps < {{ var('regime_bounds')[0] }} then 'CALM'
        when volatility_bps / usual_volatility_bps > {{ var('regime_bounds')[1] }} then 'STRESSED'
        else 'USUAL'
    end as volatility_regime
from compared
