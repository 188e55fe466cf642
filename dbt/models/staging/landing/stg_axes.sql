-- Axes advertised by as_of, and not so long before that nobody asks. A withdrawal after as_of is not known yet.
with source as (

    select * from {{ source('rebuild', 'axes') }}

),

newest as (

    select * from source
    where
        advertised_at <= {{ as_of() }}
        and advertised_at > {{ as_of() }} - to_days({{ var('axes_days') }})
    qualify {{ newest_version(['dealer_id', 'security_id', 'side', 'advertised_at']) }}

)

select
    dealer_id as dealer_ref,
    security_id as security_ref,
    side,
    quantity,
    advertised_at,
    case when withdrawn_at <= {{ as_of() }} then withdrawn_at end as withdrawn_at,

    -- where it stands in landing
    _source as landed_source,
    _file as landed_file,
    _row as landed_row,
    _batch as landed_batch

from newest
