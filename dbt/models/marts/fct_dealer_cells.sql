with responses as (

    select * from {{ ref('int_rfq_responses') }}
    where asked_on > cast({{ as_of() }} as date) - {{ var('cell_days') }}

),

securities as (

    select * from {{ ref('int_securities') }}

),

regimes as (

    select * from {{ ref('int_class_regimes') }}

),

placed as (

    select
        responses.*,
        {{ rating_bucket('securities.rating_rank') }} as rating_bucket,
        regimes.volatility_regime
    from responses
    left join securities using (security_id)
    left join regimes
        on
            responses.scorecard_class = regimes.scorecard_class
            and responses.asked_on = regimes.priced_on

),

counted as (

    select
        dealer_id,
        asset_class,
        scorecard_class,
        sector,
        rating_bucket,
        maturity_bucket,
        size_bucket,
        client_side,
        volatility_regime,
        count(*) as rfqs_asked,
        count(*) filter (where response = 'QUOTED') as rfqs_quoted,
        count(*) filter (where outcome = 'TRADED') as rfqs_won,
        count(quote_improvement_gain_bps) as quote_improvement_n,
        avg(quote_improvement_gain_bps) as quote_improvement_gain_bps,
        count(firm_quote_seconds) as firm_quote_n,
        avg(firm_quote_seconds) as firm_quote_seconds
    from placed
    group by all

)

select
    {{ as_of() }} as as_of,
    counted.*,
    counted.rfqs_quoted / counted.rfqs_asked as response_rate,
    counted.rfqs_won / nullif(counted.rfqs_quoted, 0) as hit_rate
from counted
