"""Work that is brought to its end, whoever stops waiting for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Finish also when the caller hangs up: what the journal says and what is in use or held back must not part."""
    return await asyncio.shield(asyncio.ensure_future(work))
