"""The same dealers' features out of a local Redis in one pipeline: the usual way to serve features, as a yardstick."""

import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep

import redis

COMMAND = "redis-server"


def is_here() -> bool:
    """Say whether this machine has a Redis server."""
    return shutil.which(COMMAND) is not None


class Features:
    """Dealers' features as a hash each; ``time`` reads all of them in one pipeline and gives the seconds it took."""

    def __init__(self, client: redis.Redis, rows: Mapping[str, Mapping[str, str]]) -> None:
        self._client, self._keys = client, tuple(rows)
        with client.pipeline(transaction=False) as pipeline:
            for key, row in rows.items():
                pipeline.hset(key, items=[part for pair in row.items() for part in pair])
            pipeline.execute()

    def time(self) -> float:
        """Read every dealer's features. Raises RuntimeError where one is missing."""
        started = perf_counter()
        with self._client.pipeline(transaction=False) as pipeline:
            for key in self._keys:
                pipeline.hgetall(key)
            found: Sequence[object] = pipeline.execute()
        taken = perf_counter() - started
        if not all(found):
            raise RuntimeError("Redis lost a dealer's features")
        return taken


@contextmanager
def holding(folder: Path, rows: Mapping[str, Mapping[str, str]]) -> Iterator[Features]:
    """Run a Redis server that keeps nothing on disk, filled with ``rows``, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = subprocess.Popen([COMMAND, *options], stdout=subprocess.DEVNULL)
    client = redis.Redis(host="127.0.0.1", port=port, decode_responses=True)
    try:
        _await(client)
        yield Features(client, rows)
    finally:
        client.close()
        process.terminate()
        process.wait()


def _await(client: redis.Redis, seconds: float = 20) -> None:
    until = perf_counter() + seconds
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            if perf_counter() > until:
                raise
            sleep(0.05)
        else:
            return
