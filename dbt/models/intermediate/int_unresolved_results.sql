{{ config(materialized='view') }}

-- TCA results for RFQs that are in no log, or did not trade by it: not yet, or never.
with unknown as (

    select * from {{ ref('stg_unknown_results') }}

),

untraded as (

    select * from {{ ref('int_untraded_results') }}

)

select
    {{ unresolved('tca_results', 'execution_ref', 'rfq_id', 'unknown_rfq') }}
from unknown
group by all
union all
select
    {{ unresolved('tca_results', 'execution_ref', 'rfq_id', 'untraded_rfq') }}
from untraded
group by all
