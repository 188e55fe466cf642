with source as (

    select * from {{ source('rebuild', 'reference_prices') }}

),

newest as (

    select * from source
    where
        as_of <= {{ as_of() }}
        and {{ is_near('as_of', var('repriced_days'), var('reference_stale_days') + 1, 0) }}
    qualify {{ newest_version(['security_id', 'as_of', 'source']) }}

)

select
    security_id as security_ref,
    source,
    as_of as priced_at,
    bid,
    mid,
    ask

from newest
