with dealers as (

    select * from {{ ref('stg_dealers') }}

)

select
    dealer_id,
    name,
    lei,
    specialties,
    status,
    agreements,
    due_diligence_expiry,
    credit_limit,
    restricted,
    fix_session,
    party_id,
    contacts
from dealers
