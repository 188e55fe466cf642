{#- Keep the newest known version of each row: the last made, where rows say so; the last landed; the last written. -#}
{% macro newest_version(key, made_at=none) -%}
    {{ version_rank(key, made_at) }} = 1
{%- endmacro %}

{#- 1 for the newest version of a row, 2 for the one before it, and so on. -#}
{% macro version_rank(key, made_at=none) -%}
    row_number() over (
        partition by {{ key | join(', ') }}
        order by {% if made_at %}{{ made_at }} desc, {% endif %}_landed_at desc, _file desc, _row desc
    )
{%- endmacro %}

{#-
    Where in landing those rows of a long log stand that a newer version replaces. Few keys repeat, and only their rows are
    ranked. They are found by hash among all rows: keys that share one, or repeat in what is not `known` yet, are ranked in
    vain, not lost. What is not known replaces nothing.
-#}
{% macro superseded_rows(rows, known, key, made_at=none) -%}
    {%- set key_hash = 'hash(' ~ key | join(', ') ~ ')' -%}
    select
        _batch,
        _row
    from {{ rows }}
    where
        {{ known }}
        and {{ key_hash }} in (
            select {{ key_hash }} from {{ rows }}
            group by all
            having count(*) > 1
        )
    qualify {{ version_rank(key, made_at) }} > 1
{%- endmacro %}
