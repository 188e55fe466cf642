with volumes as (

    select * from {{ ref('int_security_volumes') }}

),

print_days as (

    select * from {{ ref('int_print_days') }}

),

mids as (

    select * from {{ ref('int_reference_mids') }}

),

last_prints as (

    select
        security_id,
        max(last_trade_at) as last_trade_at
    from print_days
    group by security_id

),

daily_mids as (

    select
        security_id,
        cast(priced_at as date) as priced_on,
        max_by(mid, priced_at) as mid,
        max(priced_at) as priced_at,
        avg(half_spread_bps) as half_spread_bps
    from mids
    where priced_at > {{ as_of() }} - interval 30 day
    group by all

),

daily_moves as (

    select
        *,
        {{ in_bps('ln(mid / lag(mid) over (partition by security_id order by priced_on))') }} as move_bps
    from daily_mids

),

priced as (

    select
        security_id,
        max_by(mid, priced_at) as mid,
        max(priced_at) as mid_as_of,
        avg(half_spread_bps) as half_spread_bps,
        stddev_samp(move_bps) as volatility_bps
    from daily_moves
    group by security_id

)

select
    volumes.security_id,
    {{ as_of() }} as as_of,

    -- what traded
    last_prints.last_trade_at,
    date_diff('second', last_prints.last_trade_at, {{ as_of() }}) / 86400.0 as days_since_last_trade,
    volumes.trades_30d,
    volumes.traded_days_30d,
    volumes.capped_trades_30d,
    volumes.volume_30d,
    volumes.adv_30d,
    volumes.adv_basis,
    volumes.print_dispersion_bps,

    -- what it was worth
    priced.mid,
    priced.mid_as_of,
    priced.half_spread_bps,
    priced.volatility_bps
from volumes
left join last_prints using (security_id)
left join priced using (security_id)
