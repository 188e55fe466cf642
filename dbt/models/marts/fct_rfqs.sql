with responses as (

    select * from {{ ref('int_rfq_responses') }}

),

drifts as (

    select * from {{ ref('int_rfq_drifts') }}

),

rfqs as (

    select
        rfq_id,
        any_value(order_id) as order_id,
        any_value(venue) as venue,
        any_value(security_id) as security_id,
        any_value(asset_class) as asset_class,
        any_value(scorecard_class) as scorecard_class,
        any_value(client_side) as client_side,
        max(quantity) as quantity,
        any_value(protocol) as protocol,
        min(asked_at) as asked_at,
        max(completed_at) as completed_at,
        count(*) as dealers_asked,
        count(*) filter (where response = 'QUOTED') as dealers_quoted,
        count(*) filter (where outcome = 'TRADED') > 0 as traded,
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
    rfqs.asked_at,
    rfqs.completed_at,
    rfqs.dealers_asked,
    rfqs.dealers_quoted,
    rfqs.traded,
    rfqs.winner_id,
    drifts.arrival_mid,
    drifts.drift_5m_cost_bps,
    drifts.drift_30m_cost_bps,
    drifts.drift_1d_cost_bps
from rfqs
inner join drifts using (rfq_id)
