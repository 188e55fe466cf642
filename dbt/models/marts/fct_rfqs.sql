with responses as (

    select * from {{ ref('int_rfq_responses') }}

),

mids as (

    select * from {{ ref('int_reference_mids') }}

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
        max_by(dealer_id, (executed_quantity, dealer_id)) filter (where outcome = 'TRADED') as winner_id,
        min_by(arrival_mid, (asked_at, dealer_id)) as arrival_mid
    from responses
    group by rfq_id

),

later as (

    select
        rfqs.rfq_id,
        mids.mid
    from rfqs
    asof inner join mids
        on
            rfqs.security_id = mids.security_id
            and rfqs.completed_at + to_seconds({{ var('reversion_horizon_s') }}) >= mids.priced_at
    where mids.priced_at > rfqs.completed_at

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
    rfqs.arrival_mid,
    {{ drift_cost_bps('rfqs.client_side', 'rfqs.arrival_mid', 'later.mid') }} as drift_cost_bps
from rfqs
left join later using (rfq_id)
