{{ config(materialized='by_days', meta={'owns': is_touched('asked_on')}) }}

-- Normal equations of the leak regression, day by day: the drift after an RFQ on who was asked and did not win.
-- A row of a dealer with itself counts its own losses and sums their drift; of two dealers, the RFQs that both lost.
-- The rows of the class itself (dealer_id and other_id empty) count all RFQs whose drift is known.
with quotes as (

    select * from {{ ref('int_quotes_in_half_spreads') }}
    where half_spread_bps > 0 and {{ is_near('asked_on', 'paired', 0, 0) }}

),

drifts as (

    select * from {{ ref('int_rfq_drifts') }}
    where drift_30m_cost_bps is not null and {{ is_near('asked_on', 'paired', 0, 0) }}

),

-- An RFQ that stands on two days is paired over both, so its other day is read as well.
touched as (

    select distinct rfq_id from quotes
    where {{ is_touched('asked_on') }}

),

lost as (

    select
        quotes.rfq_id,
        quotes.dealer_id,
        quotes.asked_on,
        quotes.scorecard_class,
        quotes.won,
        {{ kept_within('drifts.drift_30m_cost_bps / quotes.half_spread_bps', var('drift_bounds_hs')) }} as drift_hs
    from quotes
    inner join touched on quotes.rfq_id = touched.rfq_id
    inner join drifts on quotes.rfq_id = drifts.rfq_id

),

pairs as (

    select
        own.dealer_id,
        other.dealer_id as other_id,
        own.asked_on,
        own.scorecard_class,
        count(*) as lost_n,
        sum(own.drift_hs) as drift_sum,
        sum(own.drift_hs * own.drift_hs) as drift_squares
    from lost as own
    inner join lost as other on own.rfq_id = other.rfq_id
    where not own.won and not other.won
    group by all

),

rfqs as (

    select
        rfq_id,
        scorecard_class,
        min(asked_on) as asked_on,
        min(drift_hs) as drift_hs
    from lost
    group by rfq_id, scorecard_class

),

classes as (

    select
        '' as dealer_id,
        '' as other_id,
        asked_on,
        scorecard_class,
        count(*) as lost_n,
        sum(drift_hs) as drift_sum,
        sum(drift_hs * drift_hs) as drift_squares
    from rfqs
    group by all

)

select * from pairs
where {{ is_touched('asked_on') }}
union all
select * from classes
where {{ is_touched('asked_on') }}
