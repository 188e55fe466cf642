-- Of every batch in use the file that it came from.
with source as (

    select * from {{ source('landing', 'receipts') }}

)

select
    table_name,
    batch as landed_batch,
    source as landed_source,
    file as landed_file

from source
