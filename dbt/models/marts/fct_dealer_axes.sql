with axes as (

    select * from {{ ref('int_axes') }}
    where
        withdrawn_at is null
        and advertised_at > {{ as_of() }} - to_days({{ var('axe_max_age_days') }})

)

select
    dealer_id,
    security_id,
    side,
    quantity,
    advertised_at,
    date_diff('second', advertised_at, {{ as_of() }}) / 86400.0 as age_days
from axes
qualify row_number() over (partition by dealer_id, security_id, side order by advertised_at desc) = 1
