-- Prints that happened by as_of. A cancel or correction is a report of its own and points at the original.
with source as (

    select * from {{ source('landing', 'trades') }}

),

newest as (

    select * from source
    where executed_at <= {{ as_of() }}
    qualify {{ newest_version(['trade_id']) }}

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
    _file as landed_file,
    _row as landed_row

from newest
