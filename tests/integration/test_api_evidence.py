"""The evidence of one RFQ: everything that was known and done, and hashes that hold; and the commands of the audit."""

import json
import re
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from serve.adapters.fix.log import FixLogs
from serve.domain.users import Role
from sotto import app as command
from tests.fakes.clock import settle
from tests.fakes.gateway import FakeGateway
from tests.integration.api_client import Api, dealing

RUN = CliRunner()
HOSTILE = "</script><script>alert(1)</script><!-- see"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[tuple[Api, FakeGateway]]:
    async with dealing(tmp_path) as started:
        yield started


async def traded(api: Api, gateway: FakeGateway) -> str:
    made = (await api.recommend()).json()["recommendation_id"]
    override = {"dealers": ["C", "A"], "reason_code": "known_axe", "comment": HOSTILE}
    ours = (await api.call("POST", f"/v1/recommendations/{made}/overrides", json=override)).json()
    body = {"recommendation_id": made, "override_id": ours["override_id"]}
    rfq = (await api.call("POST", "/v1/rfqs", json=body, headers={"Idempotency-Key": "start"})).json()["rfq_id"]
    gateway.quote(gateway.asks[0], 98.49)
    await settle()
    while not (quotes := [line["quote"] for line in (await api.call("GET", f"/v1/rfqs/{rfq}")).json()["dealers"] if line["quote"]]):
        await settle()
    await api.call("POST", f"/v1/rfqs/{rfq}/execute", json={"quote_id": quotes[0]["quote_id"]}, headers={"Idempotency-Key": "hit"})
    gateway.fill(gateway.hits[0])
    while (await api.call("GET", f"/v1/rfqs/{rfq}")).json()["state"] != "EXECUTED":
        await settle()
    return str(rfq)


def log_of(home: Path, gateway: FakeGateway) -> None:
    folder = home / "fix" / "sim" / "log"
    later = home / "fix" / "other" / "log"
    for made in (folder, later):
        made.mkdir(parents=True)
    ask, hit = gateway.asks[0], gateway.hits[0]
    lines = [
        f"20260130-21:00:01.000 : 8=FIX.4.4\x0135=R\x01131={ask.quote_req_id}\x0110=1\x01",
        "20260130-21:00:05.000 : 8=FIX.4.4\x0135=R\x01131=another\x0110=1\x01",
        f"20260130-21:00:06.000 : 8=FIX.4.4\x0135=8\x0158={hit.cl_ord_id}x\x0110=1\x01",
    ]
    (folder / "FIX.4.4-US-DLRC.messages.current.log").write_text("\n".join(lines) + "\n")
    elsewhere = f"20260130-21:00:09.000 : 8=FIX.4.4\x0135=8\x0111={hit.cl_ord_id}\x0110=1\x01\n"
    (later / "FIX.4.4-US-DLRA.messages.current.log").write_text(elsewhere)


def check(pack: dict[str, Any]) -> None:
    """Hash every event again, as someone with nothing but the pack would."""
    for event in pack["events"]:
        fields = [event[name] for name in ("prev_hash", "seq", "event_id", "at", "kind", "subject", "payload")]
        text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
        assert sha256(text.encode()).hexdigest() == event["hash"]


async def test_pack_has_the_whole_story_with_hashes_that_hold(desk: tuple[Api, FakeGateway], tmp_path: Path) -> None:
    api, gateway = desk
    rfq = await traded(api, gateway)
    log_of(tmp_path, gateway)
    pack = (await api.call("GET", f"/v1/rfqs/{rfq}/evidence", Role.COMPLIANCE)).json()
    assert pack["order"]["order_id"] == "order-1"
    assert pack["recommendation"]["dealers"][0]["reason"]
    assert pack["recommendation"]["excluded"]
    assert [item["comment"] for item in pack["overrides"]] == [HOSTILE]
    assert pack["rules"]["version"] == pack["recommendation"]["rules_version"]
    assert "HY-CORP-OVER-5MM" in pack["rules"]["text"]
    assert pack["snapshot"]["manifest"]["snapshot_id"] == pack["snapshot"]["snapshot_id"]
    kinds = [event["kind"] for event in pack["events"]]
    assert kinds[:4] == ["recommendation.made", "recommendation.overridden", "rfq.started", "rfq.dealer_asked"]
    assert {"rfq.quote_received", "rfq.execution_requested", "rfq.execution_reported", "rfq.closed"} <= set(kinds)
    assert (pack["head"]["seq"], pack["head"]["hash"]) == api.app.state.journal.head()
    assert [line[:24] for line in pack["fix_messages"]] == ["20260130-21:00:01.000 : ", "20260130-21:00:09.000 : "]
    assert "|131=" in pack["fix_messages"][0]
    check(pack)


async def test_page_stands_alone_and_holds_the_same_as_json(
    desk: tuple[Api, FakeGateway], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOTTO_HOME", str(tmp_path))
    rfq = await traded(*desk)
    told = RUN.invoke(command, ["evidence", rfq, "--out", str(tmp_path / "pack.html")])
    assert told.exit_code == 0, told.output
    text = (tmp_path / "pack.html").read_text()
    assert not re.findall(r"(?:src|href)=|@import|url\(", text)
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 1
    pack = json.loads(scripts[0])
    assert pack["overrides"][0]["comment"] == HOSTILE
    assert "known_axe" in text.split("<script")[0]
    check(pack)
    assert RUN.invoke(command, ["evidence", rfq, "--out", str(tmp_path / "pack.json")]).exit_code == 0
    assert json.loads((tmp_path / "pack.json").read_text())["events"] == pack["events"]
    unknown = RUN.invoke(command, ["evidence", "none", "--out", str(tmp_path / "x.html")])
    assert (unknown.exit_code, unknown.stderr.strip()) == (1, "sotto: There is no RFQ 'none'")


def logged(folder: Path, session: str, *messages: str, part: str = "current") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    start = "202601" + ("05" if part == "current" else "04")
    lines = [f"{start}-10:00:0{at} : 8=FIX.4.4\x01{text.replace('|', chr(1))}\x0110=1\x01\n" for at, text in enumerate(messages)]
    (folder / f"FIX.4.4-US-{session}.messages.{part}.log").write_text("".join(lines))


def test_messages_of_other_rfqs_are_left_out_though_dealers_count_their_quotes_from_one(tmp_path: Path) -> None:
    log = tmp_path / "sim" / "log"
    logged(log, "A", "35=S|131=before|117=1", "35=Z|117=1", "35=R|131=ours", "35=S|131=ours|117=1", part="backup.1")
    logged(
        log,
        "A",
        "35=Z|117=1",
        "35=AJ|693=1-R|694=7|117=1",
        "35=S|131=theirs|117=1",
        "35=Z|117=1",
        "35=8|11=hit|117=1",
        "35=j|379=ours",
        "35=8|11=other|117=1",
        "35=AJ|693=hit|694=1|131=ours|117=7",
    )
    logged(log, "B", "35=S|131=theirs|117=1", "35=Z|117=7", "35=S|117=1")
    found = [message[:17] + message[29:].removesuffix("|10=1|") for message in FixLogs(tmp_path).about(["ours", "hit"])]
    assert found == [
        "20260104-10:00:02|35=R|131=ours",
        "20260104-10:00:03|35=S|131=ours|117=1",
        "20260105-10:00:00|35=Z|117=1",
        "20260105-10:00:01|35=AJ|693=1-R|694=7|117=1",
        "20260105-10:00:04|35=8|11=hit|117=1",
        "20260105-10:00:05|35=j|379=ours",
        "20260105-10:00:07|35=AJ|693=hit|694=1|131=ours|117=7",
    ]


async def test_anchored_journal_is_whole_until_its_end_is_cut(
    desk: tuple[Api, FakeGateway], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOTTO_HOME", str(tmp_path))
    await desk[0].recommend()
    anchors = tmp_path / "safe" / "anchors.jsonl"
    for _ in range(2):
        assert RUN.invoke(command, ["audit", "anchor", "--out", str(anchors)]).exit_code == 0
        await desk[0].recommend()
    whole = RUN.invoke(command, ["audit", "verify", "--anchors", str(anchors)])
    assert (whole.exit_code, "2 anchors hold" in whole.output) == (0, True)
    anchors.write_text(anchors.read_text() + '{"at":"2026-01-30T21:00:00Z","seq":99,"hash":"ab"}\n')
    cut = RUN.invoke(command, ["audit", "verify", "--anchors", str(anchors)])
    assert cut.exit_code == 1
    assert "cut from the end" in cut.stderr
    missing = RUN.invoke(command, ["audit", "verify", "--anchors", str(tmp_path / "none")])
    assert (missing.exit_code, "cannot be read" in missing.stderr) == (1, True)
