{{ config(materialized='by_days', meta={'owns': is_touched('asked_on')}) }}

-- Context apart: far fewer rows for a window to weigh.
with days as (

    select * from {{ ref('int_dealer_day_stats') }}
    where {{ is_touched('asked_on') }}

)

select
    dealer_id,
    asked_on,
    scorecard_class,
    min(asset_class) as asset_class,
    {% for column in day_statistics() %}
        cast(sum({{ column }}) as {{ 'double' if column.endswith(('_sum', '_squares')) else 'bigint' }}) as {{ column }}
        {%- if not loop.last %},{% endif %}
    {% endfor %}
from days
group by dealer_id, asked_on, scorecard_class
