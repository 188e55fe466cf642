"""The issuer's keys: from a file or a URL, followed when they change, never asked for too often."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from serve.adapters import issuer
from serve.adapters.issuer import Claims, Issuer, IssuerRefused
from serve.adapters.tokens import TokensBroken

CLAIMS = Claims(issuer="firm", audience="sotto")


def token(key: ed25519.Ed25519PrivateKey, kid: str) -> str:
    end = datetime.now(UTC) + timedelta(minutes=5)
    claims = {"iss": "firm", "aud": "sotto", "sub": "jane", "role": "oms", "desk": "credit", "exp": end}
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": kid})


def jwk(key: ed25519.Ed25519PrivateKey, kid: str) -> dict[str, Any]:
    return json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key())) | {"kid": kid}


class Server:
    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.asked = 0
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                ours.asked += 1
                body = json.dumps({"keys": ours.keys}).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/keys"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()
    made.thread.join()


async def test_new_key_is_found_and_an_invented_one_asks_the_issuer_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    server.keys = [jwk(first, "1")]
    read = Issuer(server.url, CLAIMS)
    assert await read.verify(token(first, "1")) is not None
    for number in range(20):
        assert await read.verify(token(second, f"invented-{number}")) is None
    assert server.asked == 1
    monkeypatch.setattr(issuer, "_ASK_AGAIN_S", 0.0)
    server.keys = [jwk(second, "2")]
    # Another one of the same key may expire a second later, and is another token.
    known = token(second, "2")
    assert await read.verify(known) is not None
    assert await read.verify(token(first, "1")) is None
    assert read.remembered(known) is not None


async def test_issuer_out_of_reach_is_a_failure_of_ours_and_not_a_bad_token() -> None:
    read = Issuer("http://127.0.0.1:1/keys", CLAIMS)
    with pytest.raises(TokensBroken, match="cannot be read"):
        await read.verify(token(ed25519.Ed25519PrivateKey.generate(), "1"))


async def test_single_public_key_in_pem_needs_no_name(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    read = Issuer(str(tmp_path / "key.pem"), CLAIMS)
    end = datetime.now(UTC) + timedelta(minutes=5)
    claims = {"iss": "firm", "aud": "sotto", "sub": "jane", "role": "oms", "desk": "credit", "exp": end}
    assert await read.verify(jwt.encode(claims, key, algorithm="EdDSA")) is not None


@pytest.mark.parametrize(
    "text", ["", "{}", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AAAA"}]}', "-----BEGIN PUBLIC KEY-----"]
)
def test_file_without_a_public_key_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys").write_text(text)
    with pytest.raises(IssuerRefused, match="keys"):
        Issuer(str(tmp_path / "keys"), CLAIMS)


@pytest.mark.parametrize("where", ["http://issuer.firm/keys", "ftp://127.0.0.1/keys", "/no/such/file"])
def test_keys_that_cannot_be_trusted_or_read_are_refused(where: str) -> None:
    with pytest.raises(IssuerRefused, match="jwt_keys"):
        Issuer(where, CLAIMS)
