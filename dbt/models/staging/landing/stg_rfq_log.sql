-- A response counts once it is complete by as_of: answered, timed out or executed. Until then nothing of it is known.
-- Cut first, then the newest: a version that became known later must not hide the one of then.
with source as (

    select * from {{ source('rebuild', 'rfq_log') }}

),

completed as (

    select
        *,
        greatest(
            asked_at,
            case when response = 'TIMED_OUT' then asked_at + to_milliseconds(coalesce(timeout_s, 0) * 1000) end,
            coalesce(responded_at, asked_at),
            coalesce(executed_at, asked_at)
        ) as completed_at
    from source
    where {{ is_near('asked_at', var('touched_days'), 0, 0) }}

),

newest as (

    select * from completed
    where
        completed_at <= {{ as_of() }}
        and {{ is_rebuilt('cast(asked_at as date)', 'rfq_id') }}
    qualify {{ newest_version(['rfq_id', 'dealer_id']) }}

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
    _batch as landed_batch

from newest
