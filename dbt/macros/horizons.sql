{#-
    The CTE `after`: per security and instant the mid at each horizon after it, and at the instant itself where that is asked for.
    A mid stands for a horizon only when it was priced after the instant, and only once the horizon has passed.
    One pass for all of them: to put the mids in order is what costs, and the fewer columns are put in order the less.
-#}
{% macro mids_over_horizons(rows, at, mids, from_the_start=false) -%}
    {%- set horizons = ({'at_start': 0} if from_the_start else {}) -%}
    {%- do horizons.update(var('horizons_s')) -%}
    {%- set figures = [] -%}
    {%- for name, seconds in horizons.items() -%}
        {%- do figures.append('any_value(mid) filter (where horizon_s = ' ~ seconds ~ ') as mid_' ~ name) -%}
    {%- endfor -%}
    instants as (

        select
            security_id,
            {{ at }} as started_at,
            unnest([{{ horizons.values() | join(', ') }}]) as horizon_s
        from {{ rows }}

    ),

    seen as (

        select
            instants.*,
            case
                when instants.horizon_s = 0 then {{ mid_unless_old(mids, 'instants.started_at') }}
                when
                    {{ mids }}.priced_at > instants.started_at
                    and instants.started_at + to_seconds(instants.horizon_s) <= {{ as_of() }}
                    then {{ mids }}.mid
            end as mid
        from instants
        asof inner join {{ mids }}
            on
                instants.security_id = {{ mids }}.security_id
                and instants.started_at + to_seconds(instants.horizon_s) >= {{ mids }}.priced_at

    ),

    after as (

        select
            security_id,
            started_at,
            {{ figures | join(', ') }}
        from seen
        group by security_id, started_at

    )
{%- endmacro %}
