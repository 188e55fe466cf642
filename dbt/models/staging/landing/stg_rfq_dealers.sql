-- Which names of dealers stand in the RFQ log on which days, by hash.
-- The index of landing knows; the log is not read for it.
with source as (

    select * from {{ source('rebuild', 'rfq_dealers') }}

)

select distinct
    ref as dealer_ref_hash,
    day as asked_on

from source
