{{ config(materialized='by_days', meta={'owns': is_repriced('priced_on')}) }}

-- Prices of securities that are in no master: they price nothing.
with prices as (

    select * from {{ ref('stg_reference_prices') }}

),

identifiers as (

    select * from {{ ref('int_security_identifiers') }}

)

select
    {{ unresolved('reference_prices', 'security_id', 'security_ref', 'unknown_security') }},
    cast(prices.priced_at as date) as priced_on
from prices
anti join identifiers using (security_ref)
where {{ is_repriced('prices.priced_at') }}
group by all
