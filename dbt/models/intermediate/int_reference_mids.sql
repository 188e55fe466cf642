-- Sources differ in quality, so a security that has prices of a preferred source is priced by those alone.
-- Sources that priced a security at the very same time are averaged.
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
    qualify preferred or not bool_or(preferred) over (partition by security_id)

)

select
    security_id,
    priced_at,
    avg(mid) as mid,
    avg({{ relative_bps('(ask - bid) / 2', 'mid') }}) as half_spread_bps
from chosen
group by all
