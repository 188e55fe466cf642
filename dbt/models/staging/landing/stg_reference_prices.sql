{% set known = 'as_of <= ' ~ as_of() ~ ' and '
    ~ is_near('as_of', 'repriced', var('reference_stale_days') + 1, 0) %}
{% set key = ['security_id', 'as_of', 'source'] %}

with source as (

    select * from {{ source('rebuild', 'reference_prices') }}
    where {{ known }}

),

superseded as (

    {{ superseded_rows(source('rebuild', 'reference_prices'), known, key) }}

),

newest as (

    select source.* from source
    anti join superseded on source._batch = superseded._batch and source._row = superseded._row

)

select
    security_id as security_ref,
    source,
    as_of as priced_at,
    bid,
    mid,
    ask,

    -- where it stands in landing
    _source as landed_source,
    _file as landed_file,
    _row as landed_row,
    _batch as landed_batch

from newest
