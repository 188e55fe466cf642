{{ config(materialized='by_days', meta={'owns': is_touched('asked_on')}) }}

-- Daily sufficient statistics: counts, sums and sums of squares. Any window or decay is a sum over these days.
-- Context stands apart, in `fct_dealer_cells`: kept here, it would make a row of nearly every response.
with responses as (

    select * from {{ ref('int_rfq_responses') }}
    where {{ is_touched('asked_on') }}

),

executions as (

    select * from {{ ref('int_executions') }}
    where {{ is_touched('asked_on') }}

),

measured as (

    select
        responses.*,
        executions.price_improvement_gain_bps,
        executions.reversion_bps
    from responses
    left join executions using (rfq_id, dealer_id)

)

select
    dealer_id,
    asked_on,
    scorecard_class,
    min(asset_class) as asset_class,

    count(*) as rfqs_asked,
    count(*) filter (where response = 'QUOTED') as rfqs_quoted,
    count(*) filter (where response = 'DECLINED') as rfqs_declined,
    count(*) filter (where response = 'TIMED_OUT') as rfqs_timed_out,
    count(*) filter (where response = 'REJECTED') as rfqs_rejected,
    count(*) filter (where outcome = 'TRADED') as rfqs_won,

    {% for name, column in observed_statistics().items() %}
        count({{ column }}) as {{ name }}_n,
        coalesce(sum({{ column }}), 0) as {{ name }}_sum,
        coalesce(sum({{ column }} * {{ column }}), 0) as {{ name }}_squares
        {%- if not loop.last %},{% endif %}
    {% endfor %}
from measured
group by dealer_id, asked_on, scorecard_class
