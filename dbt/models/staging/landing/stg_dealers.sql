with source as (

    select * from {{ source('landing', 'dealers') }}

),

newest as (

    select * from source
    qualify {{ newest_version(['dealer_id']) }}

)

select
    -- identifiers
    dealer_id,
    name,
    lei,
    fix_session,
    party_id,

    -- what it deals in and what is agreed
    status,
    agreements,
    due_diligence_expiry,
    credit_limit,
    contacts,
    list_filter(
        list_transform(string_split(specialties, ';'), lambda written: trim(written)),
        lambda named: named <> ''
    ) as specialties,
    coalesce(restricted, false) as restricted

from newest
