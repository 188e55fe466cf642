-- A response counts once it is complete by as_of: answered, timed out or executed. Until then nothing of it is known.
-- Cut first, then the newest: a version that became known later must not hide the one of then.
{% set rebuilt = is_near('asked_at', 'touched', 0, 0) ~ ' and '
    ~ is_rebuilt('cast(asked_at as date)', 'rfq_id') %}
{% set known = completed_at() ~ ' <= ' ~ as_of() ~ ' and ' ~ rebuilt %}

with source as (

    select * from {{ source('rebuild', 'rfq_log') }}
    where {{ rebuilt }}

),

completed as (

    select
        *,
        {{ completed_at() }} as completed_at
    from source

),

superseded as (

    {{ superseded_rows(source('rebuild', 'rfq_log'), known, ['rfq_id', 'dealer_id']) }}

),

newest as (

    select completed.* from completed
    anti join superseded on completed._batch = superseded._batch and completed._row = superseded._row
    where completed.completed_at <= {{ as_of() }}

)

select
    -- identifiers
    rfq_id,
    order_id,
    venue,
    security_id as security_ref,
    dealer_id as dealer_ref,

    -- how it was asked
    client_side,
    quantity,
    protocol,
    asked_at,
    sequence,
    dealers_asked,
    timeout_s,
    propensity,

    -- what came back
    response,
    responded_at,
    quote_price,
    quote_quantity,
    -- A log that does not say is taken to hold firm quotes.
    coalesce(firm, true) as firm,

    -- how it ended
    outcome,
    executed_at,
    executed_price,
    executed_quantity,
    arrival_mid,
    completed_at,

    -- where it stands in landing
    _source as landed_source,
    _file as landed_file,
    _row as landed_row,
    _batch as landed_batch,
    _landed_at as landed_at

from newest
