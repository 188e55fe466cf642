"""``python -m sim.vendors``: the simulated REST TCA vendor on its own."""

import os
import signal
import sys
import threading

import typer

from sim.vendors.tca_service import running_tca_vendor


def main(port: int = 8430, seed: int = 7) -> None:
    """Serve until interrupted. The token that clients must bear is in PLUMB_TOKEN."""
    token = os.environ.get("PLUMB_TOKEN")
    if not token:
        sys.stderr.write("tca vendor: set PLUMB_TOKEN to the token that clients must bear\n")
        raise typer.Exit(1)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    signal.signal(signal.SIGINT, lambda *_: stopped.set())
    with running_tca_vendor(token=token, seed=seed, port=port) as vendor:
        sys.stdout.write(f"{vendor.url}\n")
        sys.stdout.flush()
        stopped.wait()


if __name__ == "__main__":
    typer.run(main)
