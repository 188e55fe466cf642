with source as (

    select * from {{ source('landing', 'reference_prices') }}

),

newest as (

    select * from source
    where as_of <= {{ as_of() }}
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
