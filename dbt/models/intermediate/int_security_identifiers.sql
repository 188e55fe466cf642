-- Every identifier under which a security may be named. Our own identifier wins where two securities share a text.
with securities as (

    select * from {{ ref('stg_securities') }}

),

named as (

    select security_id as security_ref, security_id, 1 as preference from securities
    union all
    select cusip, security_id, 2 from securities where cusip is not null
    union all
    select isin, security_id, 3 from securities where isin is not null
    union all
    select figi, security_id, 4 from securities where figi is not null

)

select
    security_ref,
    security_id
from named
qualify row_number() over (partition by security_ref order by preference, security_id) = 1
