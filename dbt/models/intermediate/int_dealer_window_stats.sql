-- The daily statistics summed over each window, with and without recency, for every dealer in every class that has RFQs
-- in the window.
{% set metrics = scorecard_metrics() %}
{% set counts = response_counts() %}

with day_stats as (

    select * from {{ ref('int_dealer_day_stats') }}
    where asked_on > cast({{ as_of() }} as date) - {{ var('windows_days') | max }}

),

dealers as (

    select dealer_id from {{ ref('stg_dealers') }}

),

half_lives as (

    select unnest({{ var('half_lives_days') }}) as half_life_days

),

windows as (

    select
        unnest({{ var('windows_days') }}) as window_days,
        half_life_days
    from half_lives

),

weighed as (

    select
        windows.*,
        day_stats.*,
        {{ recency_weight('day_stats.asked_on', as_of(), 'windows.half_life_days') }} as weight
    from day_stats
    inner join windows
        on day_stats.asked_on > cast({{ as_of() }} as date) - to_days(windows.window_days)

),

summed as (

    select
        window_days,
        half_life_days,
        scorecard_class,
        min(asset_class) as asset_class,
        dealer_id,
        {% for column in counts %}
            sum({{ column }}) as {{ column }},
        {% endfor %}
        {% for metric in metrics %}
            sum(weight * {{ metric.total }}) as {{ metric.name }}_total,
            sum(weight * {{ metric.count }}) as {{ metric.name }}_weight,
            {{ 'sum(weight * ' ~ metric.squares ~ ') as ' ~ metric.name ~ '_squares,' if metric.squares }}
            {{ effective_n('weight', metric.count) }} as {{ metric.name }}_n
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from weighed
    group by window_days, half_life_days, scorecard_class, dealer_id

),

classes as (

    select distinct
        window_days,
        half_life_days,
        scorecard_class,
        asset_class
    from summed

)

select
    classes.window_days,
    classes.half_life_days,
    classes.scorecard_class,
    classes.asset_class,
    dealers.dealer_id,
    {% for column in counts %}
        cast(coalesce(summed.{{ column }}, 0) as bigint) as {{ column }},
    {% endfor %}
    {% for metric in metrics %}
        {% for part in ['total', 'weight', 'n'] + (['squares'] if metric.squares else []) %}
            cast(coalesce(summed.{{ metric.name }}_{{ part }}, 0) as double) as {{ metric.name }}_{{ part }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
        {%- if not loop.last %},{% endif %}
    {% endfor %}
from classes
cross join dealers
left join summed using (window_days, half_life_days, scorecard_class, dealer_id)
