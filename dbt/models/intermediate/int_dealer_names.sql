-- Every name under which a dealer may appear, on the days it stands for that dealer. On no day does a name mean two:
-- an identifier or legal name is never another dealer's alias, and of two aliases the later one takes over.
with dealers as (

    select * from {{ ref('stg_dealers') }}

),

aliases as (

    select
        aliases.alias,
        aliases.dealer_id,
        aliases.valid_from,
        aliases.valid_to
    from {{ ref('stg_dealer_aliases') }} as aliases
    -- An alias of a dealer that the firm does not know leads nowhere.
    semi join dealers on aliases.dealer_id = dealers.dealer_id
    -- A span within another of the same dealer says nothing new, and would cut that one short.
    anti join {{ ref('stg_dealer_aliases') }} as wider
        on
            aliases.alias = wider.alias
            and aliases.dealer_id = wider.dealer_id
            and aliases.valid_from > wider.valid_from
            and aliases.valid_to <= wider.valid_to

),

own_names as (

    select
        dealer_id as dealer_ref,
        dealer_id,
        1 as preference
    from dealers
    union all
    select
        name as dealer_ref,
        dealer_id,
        2 as preference
    from dealers

),

named as (

    select
        dealer_ref,
        dealer_id,
        date '0001-01-01' as valid_from,
        date '9999-12-31' as valid_to
    from own_names
    qualify row_number() over (partition by dealer_ref order by preference, dealer_id) = 1
    union all
    select
        aliases.alias as dealer_ref,
        aliases.dealer_id,
        aliases.valid_from,
        aliases.valid_to
    from aliases
    anti join own_names on aliases.alias = own_names.dealer_ref
    qualify row_number() over (partition by aliases.alias, aliases.valid_from order by aliases.dealer_id) = 1

)

select
    dealer_ref,
    dealer_id,
    valid_from,
    -- least() passes over the NULL of the last one.
    least(valid_to, lead(valid_from) over (partition by dealer_ref order by valid_from) - 1) as valid_to
from named
