-- Thirty calendar days end with that of as_of; an average day is one with an open market. What is borrowed
-- names its basis.
with securities as (

    select * from {{ ref('int_securities') }}

),

days as (

    select * from {{ ref('int_print_days') }}
    where printed_on > cast({{ as_of() }} as date) - 30

),

trading_days as (

    select count(*) as n
    from range(30) as past (days_ago)
    anti join {{ ref('int_market_holidays') }} as closed
        on closed.holiday = cast({{ as_of() }} as date) - cast(past.days_ago as integer)
    where isodow({{ as_of() }} - to_days(cast(past.days_ago as integer))) <= 5

),

recent as (

    select
        security_id,
        cast(sum(trades) as bigint) as trades_30d,
        count(*) as traded_days_30d,
        cast(sum(capped_trades) as bigint) as capped_trades_30d,
        sum(volume) as volume_30d,
        sqrt(
            sum(dispersion_bps * dispersion_bps * trades)
            / nullif(sum(trades) filter (where dispersion_bps is not null), 0)
        ) as print_dispersion_bps
    from days
    group by security_id

),

volumes as (

    select
        securities.*,
        coalesce(recent.trades_30d, 0) as trades_30d,
        coalesce(recent.traded_days_30d, 0) as traded_days_30d,
        coalesce(recent.capped_trades_30d, 0) as capped_trades_30d,
        coalesce(recent.volume_30d, 0) as volume_30d,
        coalesce(recent.volume_30d, 0) / nullif(trading_days.n, 0) as own_adv,
        recent.print_dispersion_bps
    from securities
    cross join trading_days
    left join recent using (security_id)

),

borrowed as (

    select
        *,
        sum(traded_days_30d) over issuer as issuer_days,
        avg(own_adv) over issuer as issuer_adv,
        sum(traded_days_30d) over peers as peer_days,
        avg(own_adv) over peers as peer_adv,
        amount_outstanding
        * sum(own_adv) filter (where amount_outstanding is not null) over class
        / nullif(sum(amount_outstanding) over class, 0) as turnover_adv
    from volumes
    window
        issuer as (partition by issuer_id),
        peers as (partition by scorecard_class, sector, maturity_bucket),
        class as (partition by scorecard_class)

),

based as (

    select
        *,
        case
            when traded_days_30d >= {{ var('adv_min_traded_days') }} then 'security'
            when issuer_days >= {{ var('adv_min_traded_days') }} and issuer_adv > 0 then 'issuer'
            when peer_days >= {{ var('adv_min_traded_days') }} and peer_adv > 0 then 'peers'
            when turnover_adv > 0 then 'amount_outstanding'
            else 'none'
        end as adv_basis
    from borrowed

)

select
    security_id,
    trades_30d,
    traded_days_30d,
    capped_trades_30d,
    volume_30d,
    case adv_basis
        when 'security' then own_adv
        when 'issuer' then issuer_adv
        when 'peers' then peer_adv
        when 'amount_outstanding' then turnover_adv
    end as adv_30d,
    adv_basis,
    print_dispersion_bps
from based
