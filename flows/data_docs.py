"""The gate's results as a page that needs nothing from elsewhere."""

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
</style>
</head>
<body>
<h1>{title}</h1>
<p>Snapshot: {name}</p>
<table>
<thead><tr><th>Data set</th><th>Check</th><th>Result</th><th>Harm it prevents</th><th>Observed</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def write_gate_page(home: Home, name: str, results: list[GateResult]) -> Path:
    """Write ``data_docs/<name>.html`` and give its path; ``name`` is a snapshot's identifier, or ``refused``."""
    failed = sum(not result.passed for result in results)
    title = f"Gate: {len(results) - failed} checks passed, {failed} failed"
    rows = "\n".join(_row(result) for result in sorted(results, key=lambda result: result.passed))
    page = _PAGE.format(title=escape(title), name=escape(name), rows=rows)
    home.data_docs.mkdir(parents=True, exist_ok=True)
    path = home.data_docs / f"{name}.html"
    path.write_text(page, encoding="utf-8")
    return path


def _row(result: GateResult) -> str:
    word = "passed" if result.passed else "failed"
    cells = (result.suite, result.check, word, result.harm, result.observed)
    return "<tr>" + "".join(f'<td class="{word if cell == word else ""}">{escape(cell)}</td>' for cell in cells) + "</tr>"
