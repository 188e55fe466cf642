{#- Corporates are scored apart by rating; elsewhere the scorecard class equals the asset class. BBB- has rank 13. -#}
{% macro scorecard_class(asset_class, rating_rank) -%}
    case
        when {{ asset_class }} <> 'CORP' then {{ asset_class }}
        when {{ rating_rank }} is null then 'CORP_NR'
        when {{ rating_rank }} >= 13 then 'CORP_IG'
        else 'CORP_HY'
    end
{%- endmacro %}

{#- Whole years to maturity in buckets; a perpetual or unknown maturity has none. -#}
{% macro maturity_bucket(maturity_date, at) -%}
    {%- set left = calendar_number(maturity_date) ~ " - " ~ calendar_number("cast(" ~ at ~ " as date)") -%}
    case
        when {{ maturity_date }} is null then null
        when {{ left }} < 20000 then '0-2Y'
        when {{ left }} < 50000 then '2-5Y'
        when {{ left }} < 100000 then '5-10Y'
        when {{ left }} < 200000 then '10-20Y'
        else '20Y+'
    end
{%- endmacro %}

{#-
    A day as the number yyyymmdd: 10000 more is the same day a year later. To count years with `date_sub` takes fifty times as
    long.
-#}
{% macro calendar_number(day) -%}
    (year({{ day }}) * 10000 + month({{ day }}) * 100 + day({{ day }}))
{%- endmacro %}

{#- Par amounts in buckets: odd lot, round lot, block. -#}
{% macro size_bucket(quantity) -%}
    case when {{ quantity }} < 1e6 then 'ODD_LOT' when {{ quantity }} <= 5e6 then 'ROUND_LOT' else 'BLOCK' end
{%- endmacro %}

{#- Ratings in buckets of a letter; what is not rated has a bucket of its own. AAA has rank 22, BBB- 13, CCC+ 6. -#}
{% macro rating_bucket(rank) -%}
    case
        when {{ rank }} is null then 'NR'
        when {{ rank }} >= 16 then 'A_AND_ABOVE'
        when {{ rank }} >= 13 then 'BBB'
        when {{ rank }} >= 10 then 'BB'
        else 'B_AND_BELOW'
    end
{%- endmacro %}
