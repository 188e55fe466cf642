-- Each week of the past year as its scorecard would have been, by what is known now: made from the daily statistics,
-- so that a correction mends the past and nothing is lost in a full build.
{% set metrics = scorecard_metrics() %}

with day_stats as (

    select * from {{ ref('int_dealer_day_stats') }}
    where asked_on > cast({{ as_of() }} as date) - 7 * {{ var('history_weeks') }} - {{ var('history_window_days') }}

),

weeks as (

    select
        past.number as weeks_ago,
        cast({{ as_of() }} as date) - 7 * cast(past.number as integer) as as_of_day
    from range({{ var('history_weeks') }}) as past (number)

)

select
    weeks.as_of_day,
    day_stats.dealer_id,
    day_stats.scorecard_class,
    min(day_stats.asset_class) as asset_class,
    cast({{ var('history_window_days') }} as integer) as window_days,
    {% for column in response_counts() %}
        cast(sum(day_stats.{{ column }}) as bigint) as {{ column }},
    {% endfor %}
    {% for metric in metrics %}
        cast(sum(day_stats.{{ metric.total }}) / nullif(sum(day_stats.{{ metric.count }}), 0) as double)
            as {{ metric.name }},
        cast(sum(day_stats.{{ metric.count }}) as bigint) as {{ metric.name }}_n
        {%- if not loop.last %},{% endif %}
    {% endfor %}
from day_stats
inner join weeks
    on
        day_stats.asked_on <= weeks.as_of_day
        and day_stats.asked_on > weeks.as_of_day - {{ var('history_window_days') }}
group by weeks.as_of_day, day_stats.dealer_id, day_stats.scorecard_class
