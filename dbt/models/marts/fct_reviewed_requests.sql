{{ config(materialized='view') }}

-- What a review tells of a request: how it was answered, how far from the best, what came after. Read now and then.
{% set side = 'responses.client_side' %}
{% set gain_over_best = improvement_gain_bps(side, 'rfqs.best_quote_price', 'responses.quote_price') %}

with responses as (

    select * from {{ ref('fct_rfq_responses') }}

),

rfqs as (

    select * from {{ ref('fct_rfqs') }}

),

executions as (

    select * from {{ ref('fct_executions') }}

)

select
    responses.rfq_id,
    responses.dealer_id,
    responses.security_id,
    responses.scorecard_class,
    responses.client_side,
    responses.quantity,
    responses.asked_on,
    responses.asked_at,
    responses.response,
    responses.outcome,
    responses.firm_quote_seconds,
    responses.size_ratio,
    rfqs.dealers_quoted,
    -- Written apart for the best itself: what is turned would be minus nothing, and shown as -0.
    case
        when responses.quote_price = rfqs.best_quote_price then 0
        else {{ turned(gain_over_best) }}
    end
        as behind_best_cost_bps,
    executions.executed_price,
    executions.executed_quantity,
    executions.price_improvement_gain_bps,
    executions.reversion_bps,
    rfqs.drift_30m_cost_bps
from responses
inner join rfqs on responses.rfq_id = rfqs.rfq_id
left join executions on responses.rfq_id = executions.rfq_id and responses.dealer_id = executions.dealer_id
