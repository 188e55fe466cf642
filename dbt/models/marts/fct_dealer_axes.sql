with axes as (

    select * from {{ ref('stg_axes') }}

),

identifiers as (

    select * from {{ ref('int_security_identifiers') }}

),

names as (

    select * from {{ ref('int_dealer_names') }}

),

live as (

    select * from axes
    where
        withdrawn_at is null
        and advertised_at > {{ as_of() }} - to_days({{ var('axe_max_age_days') }})

)

select
    names.dealer_id,
    identifiers.security_id,
    live.side,
    live.quantity,
    live.advertised_at,
    date_diff('second', live.advertised_at, {{ as_of() }}) / 86400.0 as age_days
from live
inner join identifiers using (security_ref)
inner join names
    on
        live.dealer_ref = names.dealer_ref
        and cast(live.advertised_at as date) between names.valid_from and names.valid_to
qualify row_number() over (
    partition by names.dealer_id, identifiers.security_id, live.side order by live.advertised_at desc
) = 1
