"""``Idempotency-Key``: the same request with the same key acts once and is answered the same, also after a restart."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, Response

from serve.api.problems import Problem, on_refusal
from serve.ports import Answered, Answers, Attempt, Begun, Ids
from serve.usecases.refusals import Refusal

Act = Callable[[Attempt | None], Awaitable[msgspec.Struct | bytes]]
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_HEADER = "Idempotency-Key"


class Once:
    """Lets each key act once. ``answers`` outlive the process; what is under way is known only to it."""

    def __init__(self, answers: Answers, ids: Ids) -> None:
        self._answers, self._ids = answers, ids
        self._under_way: set[str] = set()

    async def if_asked(self, request: Request[Any, Any, Any], act: Act, status: int) -> Response[bytes]:
        """Do as ``do`` does where the request has a key; without one, just act."""
        if _HEADER.lower() in request.headers:
            return await self.do(request, act, status)
        done = await act(None)
        content = done if isinstance(done, bytes) else msgspec.json.encode(done)
        return Response(content=content, status_code=status, media_type="application/json")

    async def do(self, request: Request[Any, Any, Any], act: Act, status: int) -> Response[bytes]:
        """Act, or give the answer that was given before. Raises ``Problem`` 400 without a key, 422 for another body, 409 under way.

        That the key acts, and under which id, is on disk before ``act`` is called with it. A refusal is an answer
        too: a later attempt with the same key does not act. A failure of the service is none.
        """
        key, fingerprint = _key(request), await _fingerprint(request)
        if key in self._under_way:
            raise Problem(409, "request-under-way", "Under way", f"A request with this {_HEADER} is being worked on: wait for it")
        self._under_way.add(key)
        try:
            begun = await self._answers.begin(key, fingerprint, self._ids.new())
            answered = _answered(begun, fingerprint)
            if answered is None:
                answered = await self._act(request, act, status, begun.attempt)
                await self._answers.keep(key, answered)
        finally:
            self._under_way.discard(key)
        kind = "application/json" if answered.status < 400 else "application/problem+json"
        return Response(content=answered.body, status_code=answered.status, media_type=kind)

    async def _act(self, request: Request[Any, Any, Any], act: Act, status: int, attempt: Attempt) -> Answered:
        try:
            done = await act(attempt)
            return Answered(status, done if isinstance(done, bytes) else msgspec.json.encode(done))
        except Refusal as refusal:
            if refusal.status >= 500:
                raise
            answer = on_refusal(request, refusal)
            return Answered(refusal.status, answer.content)


def _answered(begun: Begun, fingerprint: str) -> Answered | None:
    if begun.fingerprint != fingerprint:
        detail = f"This {_HEADER} was used for another request: use a new one"
        raise Problem(422, "idempotency-key-reused", "Key used before", detail)
    return begun.answered


def _key(request: Request[Any, Any, Any]) -> str:
    given = request.headers.get(_HEADER, "")
    if not _KEY.fullmatch(given):
        detail = f"Send the header {_HEADER} with a value of your own, new for each action: 1 to 255 printable characters"
        raise Problem(400, "idempotency-key-required", "No idempotency key", detail)
    return f"{request.user.name}\n{given}"


async def _fingerprint(request: Request[Any, Any, Any]) -> str:
    return hashlib.sha256(b"\n".join((request.method.encode(), request.url.path.encode(), await request.body()))).hexdigest()
