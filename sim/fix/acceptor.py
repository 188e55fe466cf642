"""All dealers behind one port: in a test or a demonstration as a context manager, on their own as ``sotto dealers``."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT, SIGTERM, getsignal, signal
from types import FrameType
from uuid import uuid4

from sim.errors import SimulationError
from sim.fix import engine
from sim.fix.application import DealersApplication
from sim.fix.dealer_book import DealerBook
from sim.fix.dispatcher import Dispatcher
from sim.fix.engine import fix
from sim.fix.fills import FillBook
from sim.fix.scripts import Scripts
from sim.world import World, load_world

CLIENT = "SOTTO"


@dataclass(frozen=True, slots=True)
class RunningDealers:
    """Dealers that answer on ``host`` and ``port``. ``sessions`` maps dealer ids to their CompIDs."""

    host: str
    port: int
    sessions: Mapping[str, str]
    fills: FillBook
    _books: Mapping[str, DealerBook]
    _dispatcher: Dispatcher
    _application: DealersApplication

    @property
    def logged_on(self) -> frozenset[str]:
        """The CompIDs of dealers to which the client is logged on."""
        return frozenset(self._application.logged_on)

    @property
    def failures(self) -> tuple[BaseException, ...]:
        """What went wrong inside the dealers; empty when all is well."""
        return tuple(self._dispatcher.failures)

    def received(self, dealer_id: str) -> list[dict[int, str]]:
        """Give the application messages that a dealer got, oldest first, as tag to value."""
        return [message for session, message in list(self._dispatcher.received) if session == self.sessions[dealer_id]]

    def told(self, dealer_id: str) -> list[tuple[str, str]]:
        """Give (quote id, 694 code) of every cover (4) and done away (5) that a dealer was told."""
        return list(self._books[self.sessions[dealer_id]].told)


@contextmanager
def running_dealers(
    world: World | Path,
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    speed: float = 1.0,
    scripts: Scripts | None = None,
    store: Path | None = None,
) -> Iterator[RunningDealers]:
    """Let every dealer of the world accept on one port (0 = any free one) until the block ends.

    ``store`` keeps sequence numbers and fills, so that dealers can go away and come back; without it all is in memory.
    ``speed`` is the desk's seconds per second of the wall. Raises SimulationError when the port cannot be had.
    """
    known = world if isinstance(world, World) else load_world(world)
    scripts = scripts or {}
    _check(known, speed, scripts)
    bound = _free_port(host, port)
    fills = FillBook(store / "fills.jsonl" if store else None)
    prefix = uuid4().hex[:8]
    books = {dealer.fix_session: DealerBook(known, dealer, fills, scripts, prefix) for dealer in known.dealers}
    dispatcher = Dispatcher(books, speed, lambda session, message: engine.send(message, (session, CLIENT)))
    application = DealersApplication(dispatcher.take)
    settings = _settings(known, host, bound, store)
    stores = fix.FileStoreFactory(settings) if store else fix.MemoryStoreFactory()
    acceptor = fix.ThreadedSocketAcceptor(application, stores, settings)
    sessions = {dealer.dealer_id: dealer.fix_session for dealer in known.dealers}
    dispatcher.start()
    try:
        _start(acceptor, host, bound)
        yield RunningDealers(host, bound, sessions, fills, books, dispatcher, application)
    finally:
        dispatcher.stop()
        acceptor.stop()


def _start(acceptor: fix.ThreadedSocketAcceptor, host: str, port: int) -> None:
    try:
        acceptor.start()
    except (fix.ConfigError, fix.RuntimeError) as error:
        message = f"the dealers cannot listen on {host}:{port}: {error}"
        raise SimulationError(message) from error


def _check(world: World, speed: float, scripts: Scripts) -> None:
    if not 0 < speed <= 10_000:
        message = f"speed is {speed}: give a number above 0, at most 10000"
        raise SimulationError(message)
    # The engine knows sessions by name, once per process.
    taken = [own.fix_session for own in world.dealers if fix.Session.doesSessionExist(_session_id(own.fix_session))]
    if taken:
        message = f"dealers answer already in this process ({taken[0]}): stop those first"
        raise SimulationError(message)
    unknown = sorted(set(scripts) - {dealer.dealer_id for dealer in world.dealers})
    if unknown:
        message = f"no dealer {unknown[0]} in this world to script"
        raise SimulationError(message)


def _free_port(host: str, port: int) -> int:
    """Give the port, or a free one for 0. Raises SimulationError when it is taken: the engine would say less."""
    if not 0 <= port <= 65_535:
        message = f"port is {port}: give a number from 0 to 65535"
        raise SimulationError(message)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = f"the dealers cannot listen on {host}:{port}: {error.strerror}; give another port"
            raise SimulationError(message) from error
        return int(probe.getsockname()[1])


def _settings(world: World, host: str, port: int, store: Path | None) -> fix.SessionSettings:
    common = {
        "ConnectionType": "acceptor",
        "SocketAcceptHost": host,
        "SocketAcceptPort": str(port),
        "SocketReuseAddress": "Y",
        "SocketNodelay": "Y",
        "StartTime": "00:00:00",
        "EndTime": "00:00:00",
        "HeartBtInt": "30",
        "LogoutTimeout": "2",
        "ResetOnLogon": "N",
        "PersistMessages": "Y",
        "TimestampPrecision": "3",
        # The dealers read what they need themselves and say what is missing; the client's venue profile holds the dictionary.
        "UseDataDictionary": "N",
    }
    if store:
        folder = store / "sessions"
        folder.mkdir(parents=True, exist_ok=True)
        common["FileStorePath"] = str(folder)
    settings = fix.SessionSettings()
    settings.set(_dictionary(common))
    for dealer in world.dealers:
        settings.set(_session_id(dealer.fix_session), _dictionary({}))
    return settings


def _session_id(sender: str) -> fix.SessionID:
    return fix.SessionID(engine.BEGIN_STRING, sender, CLIENT)


def _dictionary(values: Mapping[str, str]) -> fix.Dictionary:
    dictionary = fix.Dictionary()
    for key, value in values.items():
        dictionary.setString(key, value)
    return dictionary


def serve_dealers(
    world: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 9880,
    speed: float = 1.0,
    store: Path | None = None,
    progress: Callable[[str], None] = print,
) -> None:
    """Run the dealers until SIGINT or SIGTERM, as ``sotto dealers`` does. To be called on the main thread."""
    stop = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    with running_dealers(world, port=port, host=host, speed=speed, store=store) as dealers:
        before = {number: getsignal(number) for number in (SIGINT, SIGTERM)}
        for number in before:
            signal(number, ask_to_stop)
        try:
            progress(f"{len(dealers.sessions)} dealers answer on {dealers.host}:{dealers.port} at {speed:g} times the wall's speed")
            while not stop.wait(0.5):
                pass
        finally:
            for number, handler in before.items():
                signal(number, handler)
            progress("the dealers stop")
