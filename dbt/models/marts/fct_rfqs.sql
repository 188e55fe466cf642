{{ config(materialized='by_days', meta={'owns': is_rebuilt('asked_on', 'rfq_id')}) }}

with responses as (

    select * from {{ ref('int_rfq_responses') }}
    where {{ is_rebuilt('asked_on', 'rfq_id') }}

),

drifts as (

    select * from {{ ref('int_rfq_drifts') }}
    where {{ is_rebuilt('asked_on', 'rfq_id') }}

),

rfqs as (

    select
        rfq_id,
        min(order_id) as order_id,
        min(venue) as venue,
        min(security_id) as security_id,
        min(asset_class) as asset_class,
        min(scorecard_class) as scorecard_class,
        min(client_side) as client_side,
        max(quantity) as quantity,
        min(protocol) as protocol,
        min(asked_at) as asked_at,
        max({{ completed_at() }}) as completed_at,
        count(*) as dealers_asked,
        count(*) filter (where response = 'QUOTED') as dealers_quoted,
        {{ best_price('min(client_side)', 'quote_price') }} as best_quote_price,
        -- Losers tell of a trade, too: the winner's row may have been set aside.
        count(*) filter (where outcome in ('TRADED', 'COVER', 'LOST')) > 0 as traded,
        -- Where it traded with several, the largest fill.
        max_by(dealer_id, (executed_quantity, dealer_id)) filter (where outcome = 'TRADED') as winner_id
    from responses
    group by rfq_id

)

select
    rfqs.rfq_id,
    rfqs.order_id,
    rfqs.venue,
    rfqs.security_id,
    rfqs.asset_class,
    rfqs.scorecard_class,
    rfqs.client_side,
    rfqs.quantity,
    rfqs.protocol,
    drifts.asked_on,
    rfqs.asked_at,
    rfqs.completed_at,
    rfqs.dealers_asked,
    rfqs.dealers_quoted,
    rfqs.best_quote_price,
    rfqs.traded,
    rfqs.winner_id,
    drifts.arrival_mid,
    drifts.drift_5m_cost_bps,
    drifts.drift_30m_cost_bps,
    drifts.drift_1d_cost_bps
from rfqs
inner join drifts using (rfq_id)
