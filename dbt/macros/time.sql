{#- A mid of another time, or NULL where it is older than may stand for the time asked about. -#}
{% macro mid_unless_old(mids, at) -%}
    case when {{ mids }}.priced_at >= {{ at }} - to_days({{ var('mid_max_age_days') }}) then {{ mids }}.mid end
{%- endmacro %}

{#-
    The instant the build looks back from, in UTC: nothing that happened later is used. It is put in as a statement is compiled, and
    not yet as the project is parsed, so that what was parsed once serves every refresh.
-#}
{% macro as_of() -%}
    timestamp '{{ env_var("SOTTO_AS_OF") if execute else "0001-01-01" }}'
{%- endmacro %}

{#- When a response of the RFQ log is complete: answered, timed out or executed. -#}
{% macro completed_at() -%}
    greatest(
        asked_at,
        case when response = 'TIMED_OUT' then asked_at + to_milliseconds(coalesce(timeout_s, 0) * 1000) end,
        coalesce(responded_at, asked_at),
        coalesce(executed_at, asked_at)
    )
{%- endmacro %}
