{{ config(materialized='by_days', meta={'owns': is_printed('printed_on')}) }}

-- Reports on securities that are in no master, and cancels of prints that have not come: they count for nothing.
with reports as (

    select * from {{ ref('stg_trades') }}

),

identifiers as (

    select * from {{ ref('int_security_identifiers') }}

),

cancels as (

    select * from reports
    where status = 'CANCEL'

)

select
    {{ unresolved('trades', 'security_id', 'security_ref', 'unknown_security') }},
    cast(reports.executed_at as date) as printed_on
from reports
anti join identifiers using (security_ref)
where {{ is_printed('cast(reports.executed_at as date)') }}
group by all
union all
select
    {{ unresolved('trades', 'original_trade_id', 'original_trade_id', 'unknown_print') }},
    cast(cancels.executed_at as date) as printed_on
from cancels
anti join reports on cancels.original_trade_id = reports.trade_id
where {{ is_printed('cast(cancels.executed_at as date)') }}
group by all
