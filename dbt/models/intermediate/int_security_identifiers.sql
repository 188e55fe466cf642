-- Every identifier under which a security may be named. Our own identifier wins where two securities share a text.
with securities as (

    select * from {{ ref('stg_securities') }}

),

named as (

    {% for column in ['security_id', 'cusip', 'isin', 'figi'] -%}
        select
            {{ column }} as security_ref,
            security_id,
            {{ loop.index }} as preference
        from securities
        where {{ column }} is not null
        {{ "union all" if not loop.last }}
    {% endfor %}
)

select
    security_ref,
    security_id
from named
qualify row_number() over (partition by security_ref order by preference, security_id) = 1
