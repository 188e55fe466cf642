"""``sotto audit``: the journal."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from sotto.terminal import journal, leave, out, refusing

app = typer.Typer(no_args_is_help=True, help="Check the journal.")


@app.command("verify")
def audit_verify(
    head: Annotated[str | None, typer.Option(help="A head noted earlier: finds a cut-off end, too.")] = None,
    anchors: Annotated[Path | None, typer.Option(help="The file that `sotto audit anchor` adds to.")] = None,
) -> None:
    """Check the journal's hash chain; exit 1 names the first broken event."""
    from serve.adapters.anchors import AnchorsError, read_anchors
    from serve.adapters.journal import JournalError

    with refusing(JournalError, AnchorsError):
        noted = read_anchors(anchors) if anchors else None
        result = journal().verify(head, noted)
    if not result.ok:
        leave(f"the chain is broken at event {result.broken_seq}: {result.reason}")
    held = f", {len(noted):,} anchors hold" if noted else ""
    out.print(f"{result.events:,} events, chain whole{held}, head {result.head}")


@app.command("anchor")
def audit_anchor(
    out_file: Annotated[Path, typer.Option("--out", help="A file where whoever writes the journal cannot rewrite it.")],
) -> None:
    """Note the chain's head with the time in a file; `sotto audit verify --anchors FILE` then finds a rewritten or cut chain."""
    from serve.adapters.anchors import AnchorsError, append_anchor
    from serve.adapters.journal import JournalError

    with refusing(JournalError, AnchorsError):
        anchor = append_anchor(out_file, *journal().head(), datetime.now(UTC))
    out.print(f"event {anchor.seq:,}, head {anchor.hash}, noted in {out_file}")
