{#-
    The CTE `second_names`: two names of one dealer in one RFQ are one response, that of the one that traded, else the one that was
    landed last, else the first answer; these are the others. Few dealers go by several names at a time, and only their responses are looked through; those
    that repeat are found by hash, so that some are sorted in vain.
-#}
{% macro second_names(rows, names, names_by_day) -%}
    several_names as (

        select {{ names }}.dealer_id
        from {{ names_by_day }}
        inner join {{ names }}
            on
                {{ names_by_day }}.dealer_ref_hash = hash({{ names }}.dealer_ref)
                and {{ names_by_day }}.asked_on between {{ names }}.valid_from and {{ names }}.valid_to
        group by {{ names }}.dealer_id
        having count(distinct {{ names }}.dealer_ref) > 1

    ),

    repeated as (

        select hash(rfq_id, dealer_id) as key_hash
        from {{ rows }}
        where dealer_id in (select several_names.dealer_id from several_names)
        group by all
        having count(*) > 1

    ),

    second_names as (

        select
            rfq_id,
            dealer_ref
        from {{ rows }}
        where hash(rfq_id, dealer_id) in (select repeated.key_hash from repeated)
        qualify row_number() over (
            partition by rfq_id, dealer_id
            order by outcome <> 'TRADED' asc, landed_at desc, responded_at asc nulls last, dealer_ref asc
        ) > 1

    )
{%- endmacro %}

{#-
    The CTE `arrived`: the mid when the desk had the order, which it had when it asked the first dealer; a whisper's later
    dealers are measured from there too. Where the log has it for one dealer it holds for the others. A few narrow columns are
    sorted for it; the wide rows stream past it.
-#}
{% macro arrived(rows, mids) -%}
    first_asked as (

        select
            rfq_id,
            security_id,
            min(asked_at) as asked_at,
            arg_min(arrival_mid, (asked_at, arrival_mid)) as logged_mid
        from {{ rows }}
        group by rfq_id, security_id

    ),

    arrivals as (

        select
            rfq_id,
            security_id,
            logged_mid,
            min(asked_at) over (partition by rfq_id) as arrived_at
        from first_asked

    ),

    arrived as (

        select
            arrivals.rfq_id,
            arrivals.security_id,
            coalesce(arrivals.logged_mid, {{ mid_unless_old(mids, 'arrivals.arrived_at') }}) as mid
        from arrivals
        asof left join {{ mids }}
            on arrivals.security_id = {{ mids }}.security_id and arrivals.arrived_at >= {{ mids }}.priced_at

    )
{%- endmacro %}
