-- TCA results whose RFQ no log has; the index of landing knows which.
with source as (

    select * from {{ source('rebuild', 'unknown_results') }}
    where computed_at <= {{ as_of() }}

)

select
    execution_ref as rfq_id,
    vendor,
    metric,
    horizon_s,
    reference,
    computed_at,

    -- where it stands in landing
    _source as landed_source,
    _file as landed_file,
    _row as landed_row,
    _batch as landed_batch

from source
