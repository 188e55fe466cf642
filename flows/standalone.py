"""Pages that need nothing from elsewhere: no file, no font, no script."""

from collections.abc import Iterable, Sequence
from html import escape

from flows.bootstrap import Estimate

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 66rem; padding: 0 1rem; color: #1c2733 }}
table {{ border-collapse: collapse; margin: .6rem 0 }}
.wide {{ overflow-x: auto }}
td, th {{ border-bottom: 1px solid #d8dee5; padding: .35rem .8rem .35rem 0; text-align: left; vertical-align: top }}
td + td {{ font-variant-numeric: tabular-nums }}
svg {{ max-width: 100%; height: auto }}
p, li {{ max-width: 48rem }}
h2 {{ margin-top: 2.2rem }}
@media print {{ h2 {{ break-after: avoid }} table, svg {{ break-inside: avoid }} }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def page(title: str, parts: Iterable[str]) -> str:
    """Put a page together from its parts, which are HTML; the title is text."""
    return _PAGE.format(title=escape(title), body="\n".join(parts))


def paragraph(text: str) -> str:
    """Write text as a paragraph."""
    return f"<p>{escape(text)}</p>"


def section(title: str, text: str, body: str) -> str:
    """Write a heading, what is to be said about it (may be empty), and its body, which is HTML."""
    told = f"{paragraph(text)}\n" if text else ""
    return f"<h2>{escape(title)}</h2>\n{told}{body}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table of texts."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def shown(figure: Estimate, digits: int = 2, scale: float = 1.0, sign: str = "") -> str:
    """Write a figure with its interval; a dash where it is not known. ``sign`` "+" shows it for gains, too."""
    if figure.value is None:
        return "-"
    value = f"{figure.value * scale:{sign}.{digits}f}"
    if figure.low is None or figure.high is None:
        return value
    return f"{value} [{figure.low * scale:.{digits}f}, {figure.high * scale:.{digits}f}]"
