"""ExecutionReports: a fill, a refusal, and the answer to a question about an order."""

from datetime import datetime

from sim.fix import fields as tags
from sim.fix.fields import Group, Outgoing
from sim.fix.fills import Fill

_UNKNOWN_ORDER = "5"
_EXECUTING_FIRM, _PROPRIETARY = "1", "D"


def _trade(fill: Fill, exec_type: str) -> Outgoing:
    source = ((tags.SECURITY_ID_SOURCE, fill.id_source),) if fill.id_source else ()
    size, price = tags.plain(fill.quantity), tags.plain(fill.price)
    return Outgoing(
        tags.EXECUTION_REPORT,
        (
            (tags.ORDER_ID, fill.order_id),
            (tags.EXEC_ID, fill.exec_id),
            (tags.CL_ORD_ID, fill.cl_ord_id),
            (tags.EXEC_TYPE, exec_type),
            (tags.ORD_STATUS, tags.FILLED),
            (tags.SYMBOL, "[N/A]"),
            (tags.SECURITY_ID, fill.identifier),
            *source,
            (tags.SIDE, fill.side),
            (tags.ORDER_QTY, size),
            (tags.LAST_QTY, size),
            (tags.LAST_PX, price),
            (tags.LEAVES_QTY, "0"),
            (tags.CUM_QTY, size),
            (tags.AVG_PX, price),
            (tags.PRICE_TYPE, tags.PERCENT_OF_PAR),
            (tags.TRANSACT_TIME, fill.at),
        ),
        (
            Group(
                tags.NO_PARTY_IDS,
                ((tags.PARTY_ID, fill.party_id), (tags.PARTY_ID_SOURCE, _PROPRIETARY), (tags.PARTY_ROLE, _EXECUTING_FIRM)),
            ),
        ),
    )


def filled(fill: Fill) -> Outgoing:
    """Report a trade (150=F, 39=2); the same fill always carries the same ExecID."""
    return _trade(fill, tags.NEW_TRADE)


def status_of(fill: Fill) -> Outgoing:
    """Answer an OrderStatusRequest about a filled order (150=I, 39=2), with the fill's own ExecID."""
    return _trade(fill, tags.STATUS_OF_ORDER)


def refused(message: dict[int, str], exec_id: str, at: datetime, text: str, *, asked: bool = False) -> Outgoing:
    """Refuse a hit or order (150=8, 39=8); ``asked``: answer a question about one that was never filled (150=I, 39=8, 103=5)."""
    source = message.get(tags.SECURITY_ID_SOURCE)
    return Outgoing(
        tags.EXECUTION_REPORT,
        (
            (tags.ORDER_ID, "NONE"),
            (tags.EXEC_ID, exec_id),
            *(((tags.CL_ORD_ID, message[tags.CL_ORD_ID]),) if tags.CL_ORD_ID in message else ()),
            (tags.EXEC_TYPE, tags.STATUS_OF_ORDER if asked else tags.REJECTED_ORDER),
            (tags.ORD_STATUS, tags.REJECTED_ORDER),
            (tags.ORD_REJ_REASON, _UNKNOWN_ORDER if asked else tags.OTHER_REASON),
            (tags.SYMBOL, "[N/A]"),
            *(((tags.SECURITY_ID, message[tags.SECURITY_ID]),) if message.get(tags.SECURITY_ID) else ()),
            *(((tags.SECURITY_ID_SOURCE, source),) if source else ()),
            (tags.SIDE, message.get(tags.SIDE, tags.BUY)),
            (tags.LEAVES_QTY, "0"),
            (tags.CUM_QTY, "0"),
            (tags.AVG_PX, "0"),
            (tags.TRANSACT_TIME, tags.timestamp(at)),
            (tags.TEXT, text),
        ),
    )
