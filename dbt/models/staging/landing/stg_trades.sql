-- Prints that happened by as_of. A cancel or correction is a report of its own and points at the original.
{% set known = 'executed_at <= ' ~ as_of() ~ ' and ' ~ tells_of_prints('executed_at') %}

with source as (

    select * from {{ source('rebuild', 'trades') }}
    where {{ known }}

),

superseded as (

    {{ superseded_rows(source('rebuild', 'trades'), known, ['trade_id']) }}

),

newest as (

    select source.* from source
    anti join superseded on source._batch = superseded._batch and source._row = superseded._row

)

select
    -- identifiers
    trade_id,
    original_trade_id,
    security_id as security_ref,

    -- the print
    executed_at,
    price,
    quantity,
    reporting_side,
    status,
    coalesce(quantity_capped, false) as quantity_capped,

    -- where it stands in landing: its place in time among the reports on one trade
    _landed_at as landed_at,
    _source as landed_source,
    _file as landed_file,
    _row as landed_row,
    _batch as landed_batch

from newest
