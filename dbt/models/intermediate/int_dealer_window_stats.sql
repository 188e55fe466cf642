-- The daily statistics summed over each window, for every dealer in every class that has RFQs in the window.
{% set counts = ['rfqs_asked', 'rfqs_quoted', 'rfqs_declined', 'rfqs_timed_out', 'rfqs_rejected', 'rfqs_won'] %}
{% set sums = [] %}
{% for name in ['improvement', 'reversion', 'seconds', 'size_ratio'] %}
    {% do counts.append(name ~ '_n') %}
    {% do sums.extend([name ~ '_sum', name ~ '_squares']) %}
{% endfor %}

with days as (

    select * from {{ ref('int_dealer_day_stats') }}

),

dealers as (

    select dealer_id from {{ ref('stg_dealers') }}

),

windows as (

    select unnest({{ var('windows_days') }}) as window_days

),

summed as (

    select
        windows.window_days,
        days.scorecard_class,
        any_value(days.asset_class) as asset_class,
        days.dealer_id,
        {% for column in counts + sums %}
            sum(days.{{ column }}) as {{ column }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from days
    inner join windows
        on days.asked_on > cast({{ as_of() }} as date) - to_days(windows.window_days)
    group by windows.window_days, days.scorecard_class, days.dealer_id

),

classes as (

    select distinct
        window_days,
        scorecard_class,
        asset_class
    from summed

)

select
    classes.window_days,
    classes.scorecard_class,
    classes.asset_class,
    dealers.dealer_id,
    {% for column in counts %}
        cast(coalesce(summed.{{ column }}, 0) as bigint) as {{ column }},
    {% endfor %}
    {% for column in sums %}
        coalesce(summed.{{ column }}, 0) as {{ column }}
        {%- if not loop.last %},{% endif %}
    {% endfor %}
from classes
cross join dealers
left join summed using (window_days, scorecard_class, dealer_id)
