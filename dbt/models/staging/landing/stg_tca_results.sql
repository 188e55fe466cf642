with source as (

    select * from {{ source('rebuild', 'tca_results') }}

),

newest as (

    select * from source
    where computed_at <= {{ as_of() }}
    qualify {{ newest_version(['execution_ref', 'vendor', 'metric', 'horizon_s', 'reference'], made_at='computed_at') }}

)

select
    execution_ref as rfq_id,
    vendor,
    metric,
    horizon_s,
    reference,
    value,
    unit,
    positive_is,
    computed_at

from newest
