-- The files behind the RFQ log.
with receipts as (

    select * from {{ ref('stg_receipts') }}

)

select
    landed_batch,
    landed_source,
    landed_file
from receipts
where table_name = 'rfq_log'
