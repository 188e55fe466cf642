{{ config(materialized='view') }}

with responses as (

    select * from {{ ref('int_rfq_responses') }}

)

select
    -- identifiers
    rfq_id,
    dealer_id,
    security_id,
    order_id,
    venue,

    -- context at the time
    asset_class,
    scorecard_class,
    client_side,
    quantity,

    -- how it was asked
    protocol,
    asked_on,
    asked_at,
    sequence,
    dealers_asked,
    timeout_s,
    propensity,

    -- what came back and how it ended
    response,
    responded_at,
    firm_quote_seconds,
    quote_price,
    quote_quantity,
    size_ratio,
    firm,
    outcome,
    arrival_mid,
    quote_improvement_gain_bps,

    -- where it stands in landing
    landed_source,
    landed_file,
    landed_row,
    landed_batch
from responses
