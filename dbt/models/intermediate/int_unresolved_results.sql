{{ config(materialized='view') }}

-- TCA results for RFQs that are in no log: not yet, or never.
with results as (

    select * from {{ ref('stg_unknown_results') }}

)

select
    {{ unresolved('tca_results', 'execution_ref', 'rfq_id', 'unknown_rfq') }}
from results
group by all
