{{ config(materialized='by_days', meta={'owns': is_rebuilt('asked_on', 'rfq_id')}) }}

-- TCA results for RFQs of the log that did not trade by it: there is no execution that they could tell of.
with results as (

    select * from {{ ref('stg_tca_results') }}

),

responses as not materialized (

    select * from {{ ref('int_resolved_responses') }}
    where {{ is_rebuilt('asked_on', 'rfq_id') }}

),

-- Few, once those of executions are gone; so the log is searched for few.
without_trade as materialized (

    select results.* from results
    anti join responses on results.rfq_id = responses.rfq_id and responses.outcome = 'TRADED'

),

asked as (

    select
        rfq_id,
        asked_on
    from responses
    union all
    select
        rfq_id,
        asked_on
    from {{ ref('int_unresolved_responses') }}
    where {{ is_rebuilt('asked_on', 'rfq_id') }}

),

rfqs as (

    select
        asked.rfq_id,
        min(asked.asked_on) as asked_on
    from asked
    semi join without_trade using (rfq_id)
    group by asked.rfq_id

)

select
    without_trade.landed_source,
    without_trade.landed_file,
    without_trade.landed_row,
    without_trade.landed_batch,
    without_trade.rfq_id,
    rfqs.asked_on
from without_trade
inner join rfqs using (rfq_id)
