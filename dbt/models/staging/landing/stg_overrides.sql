with source as (

    select * from {{ source('landing', 'overrides') }}

),

newest as (

    select * from source
    where overridden_at <= {{ as_of() }}
    qualify {{ newest_version(['override_id']) }}

)

select
    override_id,
    recommendation_id,
    rfq_id,
    overridden_at,
    overridden_by,
    reason_code,
    comment,
    list_filter(string_split(coalesce(recommended, ''), ';'), lambda dealer: dealer <> '') as recommended,
    list_filter(string_split(chosen, ';'), lambda dealer: dealer <> '') as chosen

from newest
