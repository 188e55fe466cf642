{{ config(materialized='by_days', meta={'owns': is_printed('printed_on')}) }}

-- Prints as they stand: cancelled ones gone, corrected ones replaced by their last correction.
with reports as (

    select * from {{ ref('stg_trades') }}

),

identifiers as (

    select * from {{ ref('int_security_identifiers') }}

),

-- Some tapes point every later report at the first one, others at the one before: of several for one original only
-- one counts, and whatever has been pointed at is undone. A cancel is the end, whenever it landed; else the last
-- landed counts.
amendments as (

    select * from reports
    where status in ('CANCEL', 'CORRECT')
    qualify row_number() over (
        partition by original_trade_id
        order by status = 'CANCEL' desc, landed_at desc, landed_file desc, landed_row desc
    ) = 1

),

standing as (

    select * from reports
    where status = 'NEW'
    union all
    select * from amendments
    where status = 'CORRECT'

)

select
    standing.trade_id,
    identifiers.security_id,
    standing.executed_at,
    cast(standing.executed_at as date) as printed_on,
    standing.price,
    standing.quantity,
    standing.quantity_capped,
    standing.reporting_side
from standing
inner join identifiers using (security_ref)
anti join amendments on standing.trade_id = amendments.original_trade_id
where {{ is_printed('cast(standing.executed_at as date)') }}
