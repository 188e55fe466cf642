"""Evidence as one page that stands alone: readable by people, with the same as JSON inside for programs."""

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import msgspec

from serve.usecases.evidence import Evidence, EvidenceEvent

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #bbb}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #ddd}
pre,code{font:12px/1.45 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}pre{background:#f5f5f5;padding:.6rem}
"""


def page(evidence: Evidence) -> str:
    """Write the page: no script runs in it, and it loads nothing."""
    answer, order = evidence.recommendation, evidence.order
    title = f"RFQ {evidence.rfq_id}: {order.get('side')} {float(order.get('quantity', 0)):,.0f} {order.get('security_id')}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        _paragraph(f"Gathered {evidence.gathered_at:%Y-%m-%d %H:%M:%S} UTC on the desk's clock."),
        _section("The order as it came", _pairs(order)),
        _section("The plan", _pairs(answer["plan"]), *map(_paragraph, [*answer["liquidity"]["reasons"], *answer["notes"]])),
        _section("Rules that had their say", _table(("rule", "kind", "why"), _rows(answer["matched_rules"], "id", "kind", "why"))),
        _section("Dealers recommended", _table(("rank", "dealer", "score", "reason"), _dealers(answer))),
        _section("Left out", _table(("dealer", "gate", "reason"), _rows(answer["excluded"], "dealer_id", "gate", "reason"))),
        _section("Overrides", *[_pairs(item) for item in evidence.overrides] or [_paragraph("None.")]),
        _section("Events", _chain(evidence), _table(("#", "time", "what", "content and hash"), map(_event, evidence.events))),
        _section("FIX messages", *map(_verbatim, evidence.fix_messages or ["None were logged."])),
        _section(f"Rule book {evidence.rules.version}", _verbatim(evidence.rules.text or "Not kept.")),
        _section(f"Snapshot {evidence.snapshot.snapshot_id}", _verbatim(_json(evidence.snapshot.manifest) or "No longer there.")),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
        f"<body>{''.join(parts)}{_embedded(evidence)}</body></html>\n"
    )


def _embedded(evidence: Evidence) -> str:
    # "</" would end the element early: in JSON a slash may be written with a backslash.
    text = msgspec.json.encode(evidence).decode().replace("</", "<\\/").replace("<!--", "<\\u0021--")
    return f'<script type="application/json" id="evidence">{text}</script>'


def _chain(evidence: Evidence) -> str:
    head = evidence.head
    return _paragraph(
        f"When this was gathered the journal's chain ended at event {head.seq} with hash {head.hash}. Each hash is the sha256 of "
        "the JSON array [prev_hash, seq, event_id, at, kind, subject, payload]; 'sotto audit verify' checks them all."
    )


def _event(event: EvidenceEvent) -> tuple[str, str, str, str]:
    return str(event.seq), event.at, event.kind, f"{_short(event.payload)}\nhash {event.hash}\nafter {event.prev_hash}"


def _short(payload: str, most: int = 1500) -> str:
    return payload if len(payload) <= most else f"{payload[:most]} … ({len(payload):,} characters; whole in the JSON below)"


def _dealers(answer: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (str(item["rank"]), f"{item['name']} ({item['dealer_id']})", f"{item['score']:.4f}", item["reason"])
        for item in answer["dealers"]
    ]


def _rows(items: Iterable[dict[str, Any]], *keys: str) -> list[tuple[str, ...]]:
    return [tuple(str(item[key]) for key in keys) for item in items]


def _section(title: str, *parts: str) -> str:
    return f"<h2>{escape(title)}</h2>{''.join(parts)}"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _verbatim(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def _pairs(mapping: dict[str, Any]) -> str:
    return _table((), [(str(key), value if isinstance(value, str) else json.dumps(value)) for key, value in mapping.items()])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    body = "".join(f"<tr>{''.join(f'<td><code>{escape(cell)}</code></td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{titles}</tr>{body}</table>" if body else _paragraph("None.")


def _json(value: object) -> str:
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)
