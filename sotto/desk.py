"""The commands of the desk: the service, recommendations, what is on record of them, the simulated dealers, the demo."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sotto.terminal import out, print_json, progress, refusing, settings_with


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; default 8420.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="recommend, desk; default: both.")] = None,
) -> None:
    """Run the service: recommendations, RFQs over FIX, the trader's page."""
    from serve.app import ServiceError, run

    with refusing(ServiceError):
        run(settings_with(host=host, port=port, roles=role))


def recommend(
    order: Annotated[Path, typer.Argument(help="A JSON file with one order, or a list of orders.")],
    snapshot: Annotated[str | None, typer.Option(help="A snapshot other than the current one.")] = None,
    rules: Annotated[Path | None, typer.Option(help="A rule book other than the one in force.")] = None,
) -> None:
    """Recommend dealers for an order, as the API would, without a server. The answer is not recorded: it cannot be replayed."""
    from serve.offline import OfflineError, recommend_file

    with refusing(OfflineError):
        answer = recommend_file(order, settings_with(), snapshot_id=snapshot, rules=rules)
    print_json(answer)


def evidence(
    rfq_id: Annotated[str, typer.Argument(help="An RFQ's id.")],
    out_file: Annotated[Path, typer.Option("--out", help="FILE.html for people, with the JSON inside; FILE.json for programs.")],
) -> None:
    """Write everything about one RFQ: order, reasons, rules, data, events with their hashes, FIX messages."""
    from serve.evidence import EvidenceError, write_evidence

    with refusing(EvidenceError):
        pack = write_evidence(rfq_id, out_file, settings_with())
    out.print(f"{len(pack.events):,} events and {len(pack.fix_messages):,} FIX messages in {out_file}")


def replay(recommendation_id: Annotated[str, typer.Argument(help="A recommendation's id.")]) -> None:
    """Compute a past recommendation again and compare it field by field; exit 1 where it differs."""
    from serve.offline import OfflineError, replay_recorded

    with refusing(OfflineError):
        result = replay_recorded(recommendation_id, settings_with())
    print_json(result)
    if result.differences:
        raise typer.Exit(1)


def dealers(
    world: Annotated[Path, typer.Option(help="The folder of the truth that `sotto simulate` wrote.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 9880,
    speed: Annotated[float, typer.Option(help="Desk seconds per second; the service must run at the same.")] = 1.0,
    store: Annotated[Path | None, typer.Option(help="Folder that keeps sequence numbers and fills over restarts.")] = None,
) -> None:
    """Run the simulated dealers as a FIX acceptor."""
    from sim.errors import SimulationError
    from sim.fix.acceptor import serve_dealers

    with refusing(SimulationError):
        serve_dealers(world, host=host, port=port, speed=speed, store=store, progress=progress)


def demo(
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Exit at the end instead of leaving the service running.")] = False,  # noqa: FBT002 - a flag
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs; implies --no-serve.")] = False,  # noqa: FBT002 - a flag
    days: Annotated[int, typer.Option(min=30, help="Days of synthetic history.")] = 180,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 7,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the service.")] = 8420,
) -> None:
    """Tell the whole loop on a synthetic market: a whisper RFQ over FIX whose outcome moves a score."""
    from demo.story import DemoError, Telling, tell

    with refusing(DemoError):
        told = tell(Telling(days=days, seed=seed, port=port, serve=not (no_serve or as_json)), Console(stderr=as_json))
    if as_json:
        print_json(told)
