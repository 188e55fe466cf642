{{ config(materialized='view') }}

-- Every response with what its security and the formulas add.
-- A view: to store these columns costs more than to find them.
with responses as (

    select * from {{ ref('int_resolved_responses') }}

),

securities as (

    select * from {{ ref('int_securities') }}

)

select
    responses.rfq_id,
    responses.dealer_id,
    responses.security_id,
    responses.order_id,
    responses.venue,

    -- context at the time
    securities.asset_class,
    securities.scorecard_class,
    securities.issuer_id,
    securities.sector,
    {{ maturity_bucket('securities.maturity_date', 'responses.asked_on') }} as maturity_bucket,
    responses.client_side,
    responses.quantity,
    {{ size_bucket('responses.quantity') }} as size_bucket,

    -- how it was asked
    responses.protocol,
    responses.asked_at,
    responses.asked_on,
    responses.sequence,
    responses.dealers_asked,
    responses.timeout_s,
    responses.propensity,

    -- what came back and how it ended
    responses.response,
    responses.responded_at,
    case
        when responses.response = 'QUOTED' and responses.firm
            then date_diff('millisecond', responses.asked_at, responses.responded_at) / 1000.0
    end as firm_quote_seconds,
    responses.quote_price,
    responses.quote_quantity,
    case when responses.response = 'QUOTED' then {{ clamped('responses.quote_quantity / responses.quantity') }} end
        as size_ratio,
    responses.firm,
    responses.outcome,
    responses.executed_at,
    responses.executed_price,
    responses.executed_quantity,
    responses.arrival_mid,
    {{ improvement_gain_bps('responses.client_side', 'responses.arrival_mid', 'responses.quote_price') }}
        as quote_improvement_gain_bps,

    -- where it stands in landing
    responses.landed_batch,
    responses.landed_row
from responses
inner join securities using (security_id)
