with source as (

    select * from {{ source('landing', 'dealer_aliases') }}

),

newest as (

    select * from source
    qualify {{ newest_version(['alias', 'valid_from']) }}

)

select
    alias,
    dealer_id,
    coalesce(valid_from, date '0001-01-01') as valid_from,
    coalesce(valid_to, date '9999-12-31') as valid_to

from newest
