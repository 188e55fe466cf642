"""The tree of a compiled condition, from the bytes in which the CEL library gives it (``cel.expr.CheckedExpr``).

The library type-checks and runs; it shows its tree only serialised. Field numbers are those of the public ``cel/expr`` schema.
"""

import struct
from collections.abc import Iterator

from serve.domain.rules_tree import Call, Listed, Literal, Loop, Name, Node, Opaque, Scalar

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_ANY_VALUE, _CHECKED_EXPR, _CHECKED_SOURCE = 2, 4, 5
_POSITIONS = 4


def tree_of(serialised: bytes) -> Node:
    """Read the tree with the offset of every node. Raises ``ValueError`` where the bytes are not of this schema."""
    checked = _grouped(_one(_grouped(serialised), _ANY_VALUE))
    places: dict[int, int] = {}
    for entry in _grouped(_one(checked, _CHECKED_SOURCE)).get(_POSITIONS, ()):
        pair = dict(_fields(bytes(entry)))
        places[int(pair.get(1, 0))] = int(pair.get(2, 0))
    return _node(_one(checked, _CHECKED_EXPR), places)


def _node(data: bytes, places: dict[int, int]) -> Node:
    identity, kind, value = 0, 0, b""
    for number, content in _fields(data):
        if isinstance(content, int):
            identity = content if number == 2 else identity
        else:
            kind, value = number, content
    at = places.get(identity)
    if kind == 3:
        return Literal(_constant(value), at)
    if kind == 4:
        return Name(_one(_grouped(value), 1).decode(), at)
    if kind == 6:
        parts = _grouped(value)
        args = [_node(part, places) for part in (*parts.get(1, ()), *parts.get(3, ())) if isinstance(part, bytes)]
        return Call(_one(parts, 2).decode(), tuple(args), at)
    if kind == 7:
        return Listed(tuple(_node(part, places) for part in _grouped(value).get(1, ()) if isinstance(part, bytes)), at)
    return Loop(at) if kind == 9 else Opaque(data.hex(), at)


def _constant(data: bytes) -> Scalar:
    for number, value in _fields(data):
        if number == 2:
            return bool(value)
        if number in {3, 4} and isinstance(value, int):
            return value - (1 << 64) if number == 3 and value >= 1 << 63 else value
        if number == 5 and isinstance(value, bytes):
            return float(struct.unpack("<d", value)[0])
        if number == 6 and isinstance(value, bytes):
            return value.decode()
    return None


def _grouped(data: bytes) -> dict[int, list[int | bytes]]:
    found: dict[int, list[int | bytes]] = {}
    for number, content in _fields(data):
        found.setdefault(number, []).append(content)
    return found


def _one(message: dict[int, list[int | bytes]], number: int) -> bytes:
    return next((content for content in message.get(number, ()) if isinstance(content, bytes)), b"")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = (data[at], at + 1) if data[at] < 0x80 else _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in {_FIXED64, _FIXED32}:
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"field {number} has the wire type {kind}, which the schema does not use")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data):
            raise ValueError("the serialised condition ends in the middle of a number")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
