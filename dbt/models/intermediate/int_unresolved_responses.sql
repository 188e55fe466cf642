{{ config(materialized='by_days', meta={'owns': is_rebuilt('asked_on', 'rfq_id')}) }}

-- Rows of the RFQ log whose security or dealer nobody knows: set aside with the reason, counted, never scored.
with responses as (

    select * from {{ ref('stg_rfq_log') }}

),

identifiers as (

    select * from {{ ref('int_security_identifiers') }}

),

names as (

    select * from {{ ref('int_dealer_names') }}

),

judged as (

    select
        responses.rfq_id,
        cast(responses.asked_at as date) as asked_on,
        responses.landed_source as source,
        'rfq_log' as table_name,
        responses.landed_file as file,
        responses.landed_row as row,
        responses.landed_batch as batch,
        responses.security_ref,
        responses.dealer_ref,
        identifiers.security_id is null as security_unknown,
        names.dealer_id is null as dealer_unknown
    from responses
    left join identifiers using (security_ref)
    left join names
        on
            responses.dealer_ref = names.dealer_ref
            and cast(responses.asked_at as date) between names.valid_from and names.valid_to
    where identifiers.security_id is null or names.dealer_id is null

)

select
    source,
    table_name,
    file,
    row,
    batch,
    'security_id' as column_name,
    'unknown_security' as rule,
    '{{ unresolved_reason('unknown_security') }}' as reason,
    security_ref as value,
    rfq_id,
    asked_on
from judged
where security_unknown
union all
select
    source,
    table_name,
    file,
    row,
    batch,
    'dealer_id' as column_name,
    'unknown_dealer' as rule,
    '{{ unresolved_reason('unknown_dealer') }}' as reason,
    dealer_ref as value,
    rfq_id,
    asked_on
from judged
where dealer_unknown
