{#- Corporates are scored apart by rating; elsewhere the scorecard class equals the asset class. BBB- has rank 13. -#}
{% macro scorecard_class(asset_class, rating_rank) -%}
    case
        when {{ asset_class }} <> 'CORP' then {{ asset_class }}
        when {{ rating_rank }} is null then 'CORP_NR'
        when {{ rating_rank }} >= 13 then 'CORP_IG'
        else 'CORP_HY'
    end
{%- endmacro %}

{#- Years to maturity in buckets; a perpetual or unknown maturity has none. -#}
{% macro maturity_bucket(maturity_date, at) -%}
    {%- set years = "date_sub('year', cast(" ~ at ~ " as date), " ~ maturity_date ~ ")" -%}
    case
        when {{ maturity_date }} is null then null
        when {{ years }} < 2 then '0-2Y'
        when {{ years }} < 5 then '2-5Y'
        when {{ years }} < 10 then '5-10Y'
        when {{ years }} < 20 then '10-20Y'
        else '20Y+'
    end
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
