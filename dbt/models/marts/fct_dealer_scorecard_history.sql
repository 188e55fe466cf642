-- Each week of the past year as its scorecard would have been, by what is known now: made from the daily statistics,
-- so that a correction mends the past and nothing is lost in a full build.
{% set metrics = scorecard_metrics() %}

with class_days as (

    select * from {{ ref('int_dealer_class_days') }}
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
    class_days.dealer_id,
    class_days.scorecard_class,
    min(class_days.asset_class) as asset_class,
    cast({{ var('history_window_days') }} as integer) as window_days,
    {% for column in response_counts() %}
        cast(sum(class_days.{{ column }}) as bigint) as {{ column }},
    {% endfor %}
    {% for metric in metrics %}
        cast(sum(class_days.{{ metric.total }}) / nullif(sum(class_days.{{ metric.count }}), 0) as double)
            as {{ metric.name }},
        cast(sum(class_days.{{ metric.count }}) as bigint) as {{ metric.name }}_n
        {%- if not loop.last %},{% endif %}
    {% endfor %}
from class_days
inner join weeks
    on
        class_days.asked_on <= weeks.as_of_day
        and class_days.asked_on > weeks.as_of_day - {{ var('history_window_days') }}
group by weeks.as_of_day, class_days.dealer_id, class_days.scorecard_class
