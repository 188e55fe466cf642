{#- An RFQ is of one security on one side: an identifier that two venues gave would mix the dealers of both. -#}
{% test one_rfq(model) %}

select
    rfq_id,
    list(distinct venue order by venue) as venues,
    list(distinct security_id order by security_id) as securities,
    list(distinct client_side order by client_side) as sides
from {{ model }}
group by rfq_id
having count(distinct (security_id, client_side)) > 1

{% endtest %}
