{{ config(materialized='by_days', meta={'owns': is_touched('asked_on')}) }}

-- Daily sufficient statistics of what dealers answered, in half-spreads. Beliefs are folds over these days.
with quotes as (

    select * from {{ ref('int_quotes_in_half_spreads') }}
    where {{ is_touched('asked_on') }}

)

select
    dealer_id,
    asked_on,
    scorecard_class,
    sector,
    client_side,
    whispered,
    count(*) as asked,
    count(*) filter (where answered) as answered,
    cast(sum(further_asked) as double) as further_asked_sum,
    count(quote_cost_hs) as quote_n,
    coalesce(sum(quote_cost_hs), 0) as quote_sum,
    coalesce(sum(quote_cost_hs * quote_cost_hs), 0) as quote_squares,
    coalesce(sum(half_spread_bps) filter (where quote_cost_hs is not null), 0) as half_spread_sum,
    cast(coalesce(sum(steps_open), 0) as bigint) as steps_open,
    count(*) filter (where faded and steps_open > 0) as faded
from quotes
group by all
