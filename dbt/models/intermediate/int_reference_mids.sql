-- One mid per security and time: the mean over sources that priced it at that very time.
with prices as (

    select * from {{ ref('stg_reference_prices') }}

),

identifiers as (

    select * from {{ ref('int_security_identifiers') }}

)

select
    identifiers.security_id,
    prices.priced_at,
    avg(prices.mid) as mid,
    avg((prices.ask - prices.bid) / 2 / prices.mid * 10000) as half_spread_bps
from prices
inner join identifiers using (security_ref)
group by all
