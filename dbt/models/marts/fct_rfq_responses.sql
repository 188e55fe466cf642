{{ config(materialized='view') }}

with responses as (

    select * from {{ ref('int_rfq_responses') }}

),

files as (

    select * from {{ ref('int_rfq_files') }}

)

select
    -- identifiers
    responses.rfq_id,
    responses.dealer_id,
    responses.security_id,
    responses.order_id,
    responses.venue,

    -- context at the time
    responses.asset_class,
    responses.scorecard_class,
    responses.client_side,
    responses.quantity,

    -- how it was asked
    responses.protocol,
    responses.asked_on,
    responses.asked_at,
    responses.sequence,
    responses.dealers_asked,
    responses.timeout_s,
    responses.propensity,

    -- what came back and how it ended
    responses.response,
    responses.responded_at,
    responses.firm_quote_seconds,
    responses.quote_price,
    responses.quote_quantity,
    responses.size_ratio,
    responses.firm,
    responses.outcome,
    responses.arrival_mid,
    responses.quote_improvement_gain_bps,

    -- where it stands in landing
    files.landed_source,
    files.landed_file,
    responses.landed_row,
    responses.landed_batch
from responses
left join files using (landed_batch)
