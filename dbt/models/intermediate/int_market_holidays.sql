with calendars as (

    select * from {{ ref('market_holidays') }}

)

select holiday
from calendars
where calendar = '{{ var("market_calendar") }}'
