{{ config(materialized='by_days', meta={'owns': is_printed('printed_on')}) }}

-- What printed in a security on a day: far fewer rows than prints, for whoever looks back over all of them.
with prints as (

    select * from {{ ref('int_trades') }}
    where {{ is_printed('printed_on') }}

)

select
    security_id,
    printed_on,
    count(*) as trades,
    count(*) filter (where quantity_capped) as capped_trades,
    sum(quantity) as volume,
    case when count(*) > 1 then {{ relative_bps('stddev_pop(price)', 'avg(price)') }} end as dispersion_bps,
    max(executed_at) as last_trade_at
from prints
group by security_id, printed_on
