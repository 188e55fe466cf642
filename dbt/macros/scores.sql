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

{#- The counts of a day, of a window, of any set of responses. -#}
{% macro response_counts() -%}
    {{ return(['rfqs_asked', 'rfqs_quoted', 'rfqs_declined', 'rfqs_timed_out', 'rfqs_rejected', 'rfqs_won']) }}
{%- endmacro %}

{#- What is observed per response or execution: the statistic's name and the column that it sums up. -#}
{% macro observed_statistics() -%}
    {{ return({
        "improvement": "price_improvement_gain_bps",
        "reversion": "reversion_bps",
        "seconds": "firm_quote_seconds",
        "size_ratio": "size_ratio",
        "quote_improvement": "quote_improvement_gain_bps",
    }) }}
{%- endmacro %}

{#-
    The metrics of the scorecard: name, kind of figure, and the daily statistics it is made of: a rate's numerator or a
    mean's sum, the count behind it, a mean's sum of squares.
-#}
{% macro scorecard_metrics() -%}
    {{ return([
        {"name": "fill_rate", "kind": "rate", "total": "rfqs_won", "count": "rfqs_asked"},
        {"name": "price_improvement", "kind": "mean", "total": "improvement_sum", "count": "improvement_n", "squares": "improvement_squares"},
        {"name": "information_leakage", "kind": "mean", "total": "reversion_sum", "count": "reversion_n", "squares": "reversion_squares"},
        {"name": "response_speed", "kind": "mean", "total": "seconds_sum", "count": "seconds_n", "squares": "seconds_squares"},
        {"name": "hit_rate", "kind": "rate", "total": "rfqs_won", "count": "rfqs_quoted"},
        {"name": "response_rate", "kind": "rate", "total": "rfqs_quoted", "count": "rfqs_asked"},
        {"name": "size_ratio", "kind": "mean", "total": "size_ratio_sum", "count": "size_ratio_n", "squares": "size_ratio_squares"},
    ]) }}
{%- endmacro %}

{#- Weight of an observation of a past day: halved with every half-life; a half-life of 0 leaves it whole. -#}
{% macro recency_weight(day, at, half_life_days) -%}
    (case when {{ half_life_days }} = 0 then 1.0 else pow(0.5, (cast({{ at }} as date) - {{ day }}) / {{ half_life_days }}) end)
{%- endmacro %}

{#- How many equally weighted observations say as much as these (Kish 1965); without weights it is their number. -#}
{% macro effective_n(weight, count) -%}
    coalesce(pow(sum({{ weight }} * {{ count }}), 2) / nullif(sum({{ weight }} * {{ weight }} * {{ count }}), 0), 0)
{%- endmacro %}

{#-
    Centre of the 95 % interval of a figure with n (effective) observations: Wilson's for a rate (Wilson 1927, z = 1.96),
    the mean for a mean.
-#}
{% macro interval_centre(kind, figure, n) -%}
    {%- if kind == 'rate' -%}
        (({{ figure }} * {{ n }} + 1.9208) / ({{ n }} + 3.8416))
    {%- else -%}
        {{ figure }}
    {%- endif -%}
{%- endmacro %}

{#-
    Half its width. A mean needs the weighted mean of its squares; one of fewer than two observations has none: NULL.
-#}
{% macro interval_half_width(kind, figure, n, mean_square=none) -%}
    {%- if kind == 'rate' -%}
        (1.96 * sqrt(greatest(0.0, {{ figure }} * (1 - {{ figure }})) * {{ n }} + 0.9604) / ({{ n }} + 3.8416))
    {%- else -%}
        (
            case when {{ n }} > 1.000001
                then 1.96 * sqrt(greatest(0.0, {{ mean_square }} - {{ figure }} * {{ figure }}) / ({{ n }} - 1))
            end
        )
    {%- endif -%}
{%- endmacro %}
