-- seed_v0 (M-11). Each metric: the figure, the observations behind it, its 95 % interval, its component score.
-- Without observations the score is that of the class's pooled figure, and the count of zero says so.
{% set metrics = scorecard_metrics() %}
{% set weights = var('seed_weights') %}
{% set cuts = var('tier_cuts') %}

with stats as (

    select * from {{ ref('int_dealer_window_stats') }}

),

figures as (

    select
        *,
        {% for metric in metrics %}
            {{ metric.name }}_total / nullif({{ metric.name }}_weight, 0) as {{ metric.name }},
            sum({{ metric.name }}_total) over class / nullif(sum({{ metric.name }}_weight) over class, 0)
                as class_{{ metric.name }},
            {{ metric.name ~ '_squares' if metric.squares else 'null' }} / nullif({{ metric.name }}_weight, 0)
                as {{ metric.name }}_mean_square
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from stats
    window class as (partition by window_days, half_life_days, scorecard_class)

),

scored as (

    select
        *,
        {% for metric in metrics %}
            {{ interval_centre(metric.kind, metric.name, metric.name ~ '_n') }} as {{ metric.name }}_centre,
            {% set parts = [metric.name, metric.name ~ '_n', metric.name ~ '_mean_square'] %}
            {{ interval_half_width(metric.kind, *parts) }} as {{ metric.name }}_half_width,
            coalesce(
                {{ component_score(metric.name, metric.name) }},
                {{ component_score(metric.name, 'class_' ~ metric.name) }},
                {{ neutral_score(metric.name) }}
            ) as {{ metric.name }}_score
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from figures

),

composed as (

    select
        *,
        -- Rounded: sums over threads agree to about 1e-14, and a rank must not hang on that.
        round(
            {% for name, weight in weights.items() %}
                {{ weight }} * {{ name }}_score{{ " +" if not loop.last }}
            {% endfor %},
            12
        ) as composite
    from scored

),

ranked as (

    select
        *,
        case when rfqs_asked > 0 then rank() over class end as composite_rank,
        count(*) filter (where rfqs_asked > 0) over whole_class as dealers_ranked
    from composed
    window
        whole_class as (partition by window_days, half_life_days, scorecard_class),
        class as (
            partition by window_days, half_life_days, scorecard_class
            order by rfqs_asked = 0 asc, composite desc
        )

)

select
    {{ as_of() }} as as_of,
    dealer_id,
    scorecard_class,
    asset_class,
    window_days,
    half_life_days,
    rfqs_asked,
    rfqs_quoted,
    rfqs_declined,
    rfqs_timed_out,
    rfqs_rejected,
    rfqs_won,
    {% for metric in metrics %}
        {{ metric.name }},
        cast(round({{ metric.name }}_n) as bigint) as {{ metric.name }}_n,
        {{ metric.name }}_centre - {{ metric.name }}_half_width as {{ metric.name }}_low,
        {{ metric.name }}_centre + {{ metric.name }}_half_width as {{ metric.name }}_high,
        cast({{ metric.name }}_score as double) as {{ metric.name }}_score,
    {% endfor %}
    cast(composite as double) as composite,
    cast(composite_rank as integer) as composite_rank,
    cast(composite_rank as double) / nullif(dealers_ranked, 0) as composite_rank_share,
    case
        when composite_rank <= {{ cuts[0] }} * dealers_ranked then 1
        when composite_rank <= {{ cuts[1] }} * dealers_ranked then 2
        else 3
    end as tier
from ranked
