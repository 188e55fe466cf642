"""The gate's results as pages that need nothing from elsewhere."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from expectations.contracts.home import Home
from expectations.contracts.snapshot import GateResult

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1c2733 }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ border-bottom: 1px solid #d8dee5; padding: .4rem .6rem; text-align: left; vertical-align: top }}
.failed {{ color: #a11212; font-weight: 600 }}
.passed {{ color: #1c6b3a }}
.warning {{ color: #8a5a00; font-weight: 600 }}
.observed, .node {{ overflow-wrap: anywhere }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>Snapshot: {name}. <a href="index.html">All reports</a></p>
<table>
<thead><tr><th>Data set</th><th>Check</th><th>Result</th><th>Harm it prevents</th><th>Observed</th><th>Made by</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


_INDEX = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Reports of the gate</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 50rem; padding: 0 1rem; color: #1c2733 }}
</style>
</head>
<body>
<h1>Reports of the gate</h1>
<p>One for each snapshot, the newest first, and one for what was refused last.</p>
<ul>
{links}
</ul>
</body>
</html>
"""
_WORDS = ("failed", "warning", "passed")


def page_of(home: Home, name: str) -> Path:
    """Give where the page of a snapshot is, or of what was refused last."""
    return home.data_docs / f"{name}.html"


def write_gate_page(home: Home, name: str, results: Sequence[GateResult]) -> Path:
    """Write the page and the index of all, and give the page's path.

    ``name`` is a snapshot's identifier, or ``refused``. What failed comes first, then the warnings.
    """
    counted = {word: sum(result.outcome == word for result in results) for word in _WORDS}
    title = f"Gate: {counted['passed']} checks passed, {counted['warning']} warned, {counted['failed']} failed"
    rows = "\n".join(_row(result) for result in sorted(results, key=lambda result: _WORDS.index(result.outcome)))
    page = _PAGE.format(title=escape(title), name=escape(name), rows=rows)
    home.data_docs.mkdir(parents=True, exist_ok=True)
    path = page_of(home, name)
    path.write_text(page, encoding="utf-8")
    names = sorted((found.stem for found in home.data_docs.glob("*.html") if found.stem != "index"), reverse=True)
    links = "\n".join(f'<li><a href="{escape(listed)}.html">{escape(listed)}</a></li>' for listed in names)
    (home.data_docs / "index.html").write_text(_INDEX.format(links=links), encoding="utf-8")
    return path


def _row(result: GateResult) -> str:
    cells = {
        "suite": result.suite,
        "check": result.check,
        result.outcome: result.outcome,
        "harm": result.harm,
        "observed": result.observed,
        "node": result.node,
    }
    return "<tr>" + "".join(f'<td class="{name}">{escape(cell)}</td>' for name, cell in cells.items()) + "</tr>"
