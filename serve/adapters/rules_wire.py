"""The tree of a compiled condition, from the bytes in which the CEL library gives it (``cel.expr.CheckedExpr``).

The library type-checks and runs; it shows its tree only serialised. Field numbers are those of the public ``cel/expr`` schema.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from serve.domain.rules_tree import Call, Listed, Literal, Loop, Name, Node, Opaque, Scalar

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_ANY_VALUE, _CHECKED_EXPR, _CHECKED_SOURCE = 2, 4, 5
_POSITIONS = 4


class _Field(NamedTuple):
    number: int
    value: int | bytes


def tree_of(serialised: bytes) -> Node:
    """Read the tree with the offset of every node. Raises ``ValueError`` where the bytes are not of this schema."""
    checked = _sub(serialised, _ANY_VALUE)
    places: dict[int, int] = {}
    for entry in _all(_sub(checked, _CHECKED_SOURCE), _POSITIONS):
        pair = {field.number: field.value for field in _fields(entry)}
        places[int(pair.get(1, 0))] = int(pair.get(2, 0))
    return _node(_sub(checked, _CHECKED_EXPR), places)


def _node(data: bytes, places: dict[int, int]) -> Node:
    identity, kind, value = 0, 0, b""
    for field in _fields(data):
        if field.number == 2:
            identity = int(field.value)
        else:
            kind, value = field.number, bytes(field.value) if isinstance(field.value, bytes) else b""
    at = places.get(identity)
    if kind == 3:
        return Literal(_constant(value), at)
    if kind == 4:
        return Name(_sub(value, 1).decode(), at)
    if kind == 6:
        target = [_node(part, places) for part in _all(value, 1)]
        args = [_node(part, places) for part in _all(value, 3)]
        return Call(_sub(value, 2).decode(), (*target, *args), at)
    if kind == 7:
        return Listed(tuple(_node(part, places) for part in _all(value, 1)), at)
    return Loop(at) if kind == 9 else Opaque(data.hex(), at)


def _constant(data: bytes) -> Scalar:
    for field in _fields(data):
        value = field.value
        if field.number == 2:
            return bool(value)
        if field.number in {3, 4} and isinstance(value, int):
            return value - (1 << 64) if field.number == 3 and value >= 1 << 63 else value
        if field.number == 5 and isinstance(value, bytes):
            return float(struct.unpack("<d", value)[0])
        if field.number == 6 and isinstance(value, bytes):
            return value.decode()
    return None


def _sub(data: bytes, number: int) -> bytes:
    return next(_all(data, number), b"")


def _all(data: bytes, number: int) -> Iterator[bytes]:
    return (field.value for field in _fields(data) if field.number == number and isinstance(field.value, bytes))


def _fields(data: bytes) -> Iterator[_Field]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield _Field(number, value)
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in {_FIXED64, _FIXED32}:
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"field {number} has the wire type {kind}, which the schema does not use")
        yield _Field(number, data[at : at + size])
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
