{{ config(materialized='by_days', meta={'owns': is_repriced('priced_at')}) }}

-- Sources differ in quality, so a security that a preferred source has priced of late is priced by such sources alone.
-- Where they have fallen silent the others speak, lest the mid grow old. Sources that priced at one time are averaged.
with prices as (

    select * from {{ ref('stg_reference_prices') }}

),

identifiers as (

    select * from {{ ref('int_security_identifiers') }}

),

judged as (

    select
        identifiers.security_id,
        prices.priced_at,
        prices.bid,
        prices.mid,
        prices.ask,
        list_contains({{ var('preferred_reference_sources') }}, prices.source) as preferred
    from prices
    inner join identifiers using (security_ref)

),

chosen as (

    select * from judged
    qualify
        preferred
        or coalesce(
            priced_at - max(case when preferred then priced_at end)
                over (partition by security_id order by priced_at range unbounded preceding)
            > to_days({{ var('reference_stale_days') }}),
            true
        )

)

select
    security_id,
    priced_at,
    avg(mid) as mid,
    avg({{ relative_bps('(ask - bid) / 2', 'mid') }}) as half_spread_bps
from chosen
where {{ is_repriced('priced_at') }}
group by all
