-- Every name under which a dealer may appear, with its validity: its identifier, its legal name, its aliases.
with dealers as (

    select * from {{ ref('stg_dealers') }}

),

aliases as (

    select aliases.* from {{ ref('stg_dealer_aliases') }} as aliases
    inner join dealers using (dealer_id)

),

named as (

    select dealer_id as dealer_ref, dealer_id, date '0001-01-01' as valid_from, date '9999-12-31' as valid_to, 1 as preference from dealers
    union all
    select name, dealer_id, date '0001-01-01', date '9999-12-31', 2 from dealers
    union all
    select alias, dealer_id, valid_from, valid_to, 3 from aliases

)

select
    dealer_ref,
    dealer_id,
    valid_from,
    valid_to
from named
qualify row_number() over (partition by dealer_ref, valid_from order by preference, dealer_id) = 1
