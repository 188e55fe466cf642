"""A small FIX client of the tests' own: logs on to simulated dealers, sends raw requests, keeps what comes back."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sim.fix import engine
from sim.fix import fields as tags
from sim.fix.acceptor import CLIENT, RunningDealers, _dictionary
from sim.fix.engine import fix
from sim.fix.fields import Group, Outgoing


class _Application(fix.Application):
    def __init__(self) -> None:
        super().__init__()
        self.on: set[str] = set()
        self.got: list[tuple[str, dict[int, str]]] = []

    def onCreate(self, session):  # noqa: N802 - the engine's name
        pass

    def onLogon(self, session):  # noqa: N802 - the engine's name
        self.on.add(session.getTargetCompID().getValue())

    def onLogout(self, session):  # noqa: N802 - the engine's name
        self.on.discard(session.getTargetCompID().getValue())

    def toAdmin(self, message, session):  # noqa: N802 - the engine's name
        pass

    def fromAdmin(self, message, session):  # noqa: N802 - the engine's name
        pass

    def toApp(self, message, session):  # noqa: N802 - the engine's name
        pass

    def fromApp(self, message, session):  # noqa: N802 - the engine's name
        self.got.append((session.getTargetCompID().getValue(), tags.parse(message.toString())))


class Client:
    """Talks to the dealers; desk time is what each message says."""

    def __init__(self, application: _Application, sessions: Mapping[str, str]) -> None:
        self._application, self._sessions = application, sessions

    def send(self, dealer: str, message: Outgoing) -> None:
        assert engine.send(message, (CLIENT, self._sessions[dealer]))

    def wait(self, dealer: str, msg_type: str, *, count: int = 1, seconds: float = 8.0) -> list[dict[int, str]]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.got(dealer, msg_type)
            if len(found) >= count:
                return found
            time.sleep(0.005)
        raise AssertionError(f"{dealer} sent {self.got(dealer)} and not {count} of {msg_type}")

    def got(self, dealer: str, msg_type: str | None = None) -> list[dict[int, str]]:
        mine = [message for session, message in list(self._application.got) if session == self._sessions[dealer]]
        return [message for message in mine if msg_type in {None, message[tags.MSG_TYPE]}]


@contextmanager
def connected(dealers: RunningDealers, names: list[str], store: str | None = None) -> Iterator[Client]:
    """Log on to some of the dealers and give the client."""
    common = {
        "ConnectionType": "initiator", "SocketConnectHost": dealers.host, "SocketConnectPort": str(dealers.port),
        "StartTime": "00:00:00", "EndTime": "00:00:00", "HeartBtInt": "30", "ReconnectInterval": "1", "UseDataDictionary": "N",
        "SocketNodelay": "Y", "LogoutTimeout": "1", **({"FileStorePath": store} if store else {}),
    }  # fmt: skip
    settings = fix.SessionSettings()
    settings.set(_dictionary(common))
    for name in names:
        settings.set(fix.SessionID(engine.BEGIN_STRING, CLIENT, dealers.sessions[name]), _dictionary({}))
    application = _Application()
    factory = fix.FileStoreFactory(settings) if store else fix.MemoryStoreFactory()
    initiator = fix.ThreadedSocketInitiator(application, factory, settings)
    initiator.start()
    try:
        deadline = time.monotonic() + 10
        while len(application.on) < len(names):
            assert time.monotonic() < deadline, "no logon"
            time.sleep(0.01)
        yield Client(application, dealers.sessions)
    finally:
        initiator.stop()


NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def request(
    quote_req_id: str, security: str, *, side: str = tags.SELL, quantity: str = "10000000", at: datetime = NOON
) -> Outgoing:
    entry = (
        (tags.SYMBOL, "[N/A]"), (tags.SECURITY_ID, security), (tags.SECURITY_ID_SOURCE, "1"), (tags.SIDE, side),
        (tags.ORDER_QTY, quantity), (tags.TRANSACT_TIME, tags.timestamp(at)),
    )  # fmt: skip
    return Outgoing(tags.QUOTE_REQUEST, ((tags.QUOTE_REQ_ID, quote_req_id),), (Group(tags.NO_RELATED_SYM, entry),))


def hit(quote: dict[int, str], cl_ord_id: str, *, after_s: float = 5.0) -> Outgoing:
    at = tags.read_timestamp(quote[tags.TRANSACT_TIME]) + timedelta(seconds=after_s)
    return Outgoing(
        tags.QUOTE_RESPONSE,
        (
            (tags.QUOTE_RESP_ID, f"H-{cl_ord_id}"), (tags.QUOTE_RESP_TYPE, tags.HIT_OR_LIFT), (tags.QUOTE_ID, quote[tags.QUOTE_ID]),
            (tags.CL_ORD_ID, cl_ord_id), (tags.SYMBOL, "[N/A]"), (tags.SIDE, quote[tags.SIDE]),
            (tags.TRANSACT_TIME, tags.timestamp(at)),
        ),
    )  # fmt: skip


def order(quote: dict[int, str], cl_ord_id: str, *, ord_type: str = tags.PREVIOUSLY_QUOTED, after_s: float = 5.0) -> Outgoing:
    at = tags.read_timestamp(quote[tags.TRANSACT_TIME]) + timedelta(seconds=after_s)
    price = quote.get(tags.BID_PX) or quote.get(tags.OFFER_PX) or quote[tags.PRICE]
    return Outgoing(
        tags.NEW_ORDER,
        (
            (tags.CL_ORD_ID, cl_ord_id), (tags.QUOTE_ID, quote[tags.QUOTE_ID]), (tags.SYMBOL, "[N/A]"),
            (tags.SIDE, quote[tags.SIDE]), (tags.ORDER_QTY, quote[tags.ORDER_QTY]), (tags.ORD_TYPE, ord_type), (tags.PRICE, price),
            (tags.TRANSACT_TIME, tags.timestamp(at)),
        ),
    )  # fmt: skip


def status_request(cl_ord_id: str) -> Outgoing:
    return Outgoing(tags.ORDER_STATUS_REQUEST, ((tags.CL_ORD_ID, cl_ord_id), (tags.SYMBOL, "[N/A]"), (tags.SIDE, tags.SELL)))
