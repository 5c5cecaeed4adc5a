"""Reading protobuf messages without their package: https://protobuf.dev/programming-guides/encoding/."""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Field number and value of each field in ``message``: an int for varints, the raw bytes for all others.

    Raises `ValueError` where the bytes are no protobuf message, also where another reader would only see another one: a key
    has 32 bits, and readers differ in what they do with more.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        if not 8 <= key < 1 << 32:
            raise ValueError(f"protobuf key {key}")
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"protobuf wire type {kind}")
        if at + size > len(message):
            raise ValueError("a protobuf field reaches over the end of its message")
        yield key >> 3, message[at : at + size]
        at += size


def varints(packed: memoryview) -> list[int]:
    """The numbers in a packed repeated varint field."""
    values: list[int] = []
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        values.append(value)
    return values


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a protobuf number has no end")
