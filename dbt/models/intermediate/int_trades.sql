-- Prints as they stand: cancelled ones gone, corrected ones replaced by their last correction.
with reports as (

    select * from {{ ref('stg_trades') }}

),

identifiers as (

    select * from {{ ref('int_security_identifiers') }}

),

undone as (

    select distinct original_trade_id as trade_id from reports where status in ('CANCEL', 'CORRECT')

),

standing as (

    select reports.* from reports
    left join undone using (trade_id)
    where reports.status <> 'CANCEL' and undone.trade_id is null

)

select
    standing.trade_id,
    identifiers.security_id,
    standing.executed_at,
    standing.price,
    standing.quantity,
    standing.quantity_capped,
    standing.reporting_side
from standing
inner join identifiers using (security_ref)
