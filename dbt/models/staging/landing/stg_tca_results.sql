{% set known = 'computed_at <= ' ~ as_of() %}
{% set key = ['execution_ref', 'vendor', 'metric', 'horizon_s', 'reference'] %}

with source as (

    select * from {{ source('rebuild', 'tca_results') }}
    where {{ known }}

),

superseded as (

    {{ superseded_rows(source('rebuild', 'tca_results'), known, key, 'computed_at') }}

),

newest as (

    select source.* from source
    anti join superseded on source._batch = superseded._batch and source._row = superseded._row

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
    computed_at,

    -- where it stands in landing
    _source as landed_source,
    _file as landed_file,
    _row as landed_row,
    _batch as landed_batch

from newest
