{#- Between 0 and 1; NULL stays NULL, where least() and greatest() would pass over it. -#}
{% macro clamped(figure) -%}
    (case when {{ figure }} is not null then greatest(0.0, least(1.0, {{ figure }})) end)
{%- endmacro %}

{#- Normalisation of each metric into a component score. M-11 for the first four; the others are rates already. -#}
{% macro component_score(metric, figure) -%}
    {%- if metric in ('price_improvement', 'information_leakage') -%}
        (1 + {{ figure }} / 10)
    {%- elif metric == 'response_speed' -%}
        {{ clamped('1 - ' ~ figure ~ ' / 60') }}
    {%- else -%}
        {{ clamped(figure) }}
    {%- endif -%}
{%- endmacro %}

{#- Score of a metric that nobody in the class has a figure for: no gain, no reversion, no credit for speed or size. -#}
{% macro neutral_score(metric) -%}
    {{ 1.0 if metric in ('price_improvement', 'information_leakage') else 0.0 }}
{%- endmacro %}

{#- The metrics of the scorecard: name, kind of figure, numerator or sum, denominator or count, sum of squares. -#}
{% macro scorecard_metrics() -%}
    {{ return([
        {"name": "fill_rate", "kind": "rate", "total": "rfqs_won", "n": "rfqs_asked"},
        {"name": "price_improvement", "kind": "mean", "total": "improvement_sum", "n": "improvement_n", "squares": "improvement_squares"},
        {"name": "information_leakage", "kind": "mean", "total": "reversion_sum", "n": "reversion_n", "squares": "reversion_squares"},
        {"name": "response_speed", "kind": "mean", "total": "seconds_sum", "n": "seconds_n", "squares": "seconds_squares"},
        {"name": "hit_rate", "kind": "rate", "total": "rfqs_won", "n": "rfqs_quoted"},
        {"name": "response_rate", "kind": "rate", "total": "rfqs_quoted", "n": "rfqs_asked"},
        {"name": "size_ratio", "kind": "mean", "total": "size_ratio_sum", "n": "size_ratio_n", "squares": "size_ratio_squares"},
    ]) }}
{%- endmacro %}

{#-
    Centre of the 95 % interval of a metric's figure: Wilson's for a rate (Wilson 1927, z = 1.96), the mean for a mean.
-#}
{% macro interval_centre(metric) -%}
    {%- if metric.kind == 'rate' -%}
        (({{ metric.total }} + 1.9208) / (nullif({{ metric.n }}, 0) + 3.8416))
    {%- else -%}
        {{ metric.name }}
    {%- endif -%}
{%- endmacro %}

{#- Half its width. A mean of fewer than two observations has none: NULL. -#}
{% macro interval_half_width(metric) -%}
    {%- set n, total, squares = metric.n, metric.total, metric.squares -%}
    {%- if metric.kind == 'rate' -%}
        (
            1.96 * sqrt({{ total }} * ({{ n }} - {{ total }}) / cast(nullif({{ n }}, 0) as double) + 0.9604)
            / (nullif({{ n }}, 0) + 3.8416)
        )
    {%- else -%}
        (
            case when {{ n }} > 1
                then 1.96 * sqrt(greatest(0.0, ({{ squares }} - {{ total }} * {{ total }} / {{ n }}) / ({{ n }} - 1)) / {{ n }})
            end
        )
    {%- endif -%}
{%- endmacro %}
