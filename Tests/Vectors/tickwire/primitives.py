"""Primitives (2): varints, byte strings and id sets, read and written within one message body."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Sequence

from .errors import DecodeError
from .limits import ID_LAST

if TYPE_CHECKING:  # for the annotations alone: schema.py is built on this file
    from .schema import Schema

MASK32 = 0xFFFFFFFF
MASK64 = 0xFFFFFFFFFFFFFFFF


def zigzag_encode(value: int) -> int:
    return ((value << 1) ^ (value >> 31)) & MASK32


def zigzag_decode(coded: int) -> int:
    return (coded >> 1) ^ -(coded & 1)


def to_signed32(value: int) -> int:
    value &= MASK32
    return value - (1 << 32) if value >> 31 else value


def fnv1a64(data: bytes) -> int:
    result = 0xCBF29CE484222325
    for byte in data:
        result = ((result ^ byte) * 0x100000001B3) & MASK64
    return result


class Reader:
    """Reads primitives from one message body; every failure is a DecodeError."""

    def __init__(self, data: bytes, base: int = 0, schema: Schema | None = None):
        self.data = data
        self.base = base
        self.position = 0
        self.schema = schema

    @property
    def remaining(self) -> int:
        return len(self.data) - self.position

    def error(self, code: str, what: str, at: int | None = None) -> DecodeError:
        return DecodeError(code, self.base + (self.position if at is None else at), what)

    def take(self, count: int, what: str) -> bytes:
        if count > self.remaining:
            raise self.error("truncated", f"{what} needs {count} bytes, {self.remaining} are left")
        start = self.position
        self.position += count
        return self.data[start : self.position]

    def u8(self, what: str = "u8") -> int:
        return self.take(1, what)[0]

    def u64le(self, what: str = "u64le") -> int:
        return int.from_bytes(self.take(8, what), "little")

    def f64le(self, what: str = "f64le") -> float:
        return struct.unpack("<d", self.take(8, what))[0]

    def varint(self, what: str = "varint", bits: int = 64) -> int:
        start = self.position
        value = 0
        for index in range(10):
            byte = self.u8(what)
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                if byte == 0 and index > 0:
                    raise self.error("nonMinimalVarint", what, start)
                if value >> bits:
                    raise self.error("valueTooLarge", f"{what} is {value}, above {bits} bits", start)
                return value
        raise self.error("valueTooLarge", f"{what} is a varint longer than 10 bytes", start)

    def ranged(self, low: int, high: int, what: str, bits: int = 64) -> int:
        start = self.position
        return self.check_range(self.varint(what, bits), low, high, what, start)

    def check_range(self, value: int, low: int, high: int, what: str, at: int) -> int:
        if not low <= value <= high:
            raise self.error("outOfRange", f"{what} is {value}, allowed is {low} to {high}", at)
        return value

    def zigzag(self, what: str = "zigzag") -> int:
        return zigzag_decode(self.varint(what, 32))

    def bytes_(self, what: str, low: int = 0, high: int | None = None) -> bytes:
        start = self.position
        length = self.varint(what + " length")
        if length < low or (high is not None and length > high):
            raise self.error("invalidLength", f"{what} has {length} bytes, allowed is {low} to {high}", start)
        return self.take(length, what)

    def string(self, what: str, low: int = 0, high: int | None = None) -> str:
        start = self.position
        data = self.bytes_(what, low, high)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.error("invalidText", f"{what} is not UTF-8", start) from error

    def rest(self, what: str = "rest", high: int | None = None) -> bytes:
        if high is not None and self.remaining > high:
            raise self.error("invalidLength", f"{what} has {self.remaining} bytes, allowed is up to {high}")
        return self.take(self.remaining, what)

    def flags(self, known: int, what: str = "flags") -> int:
        start = self.position
        value = self.u8(what)
        if value & ~known:
            raise self.error("unknownFlag", f"{what} {value:#04x} has bits beyond {known:#04x}", start)
        return value

    def ascending(self, count: int, what: str, last: int = ID_LAST) -> list[int]:
        """`count` ids as a first id and gaps. Grows with the bytes read, so a huge count costs nothing."""
        ids: list[int] = []
        previous = -1
        while len(ids) < count:
            start = self.position
            previous = self.check_range(previous + 1 + self.varint(what), 0, last, what, start)
            ids.append(previous)
        return ids

    def idset(self, what: str, last: int = ID_LAST) -> list[int]:
        return self.ascending(self.varint(what + " count"), what, last)

    def finish(self, what: str) -> None:
        if self.remaining:
            raise self.error("trailingBytes", f"{self.remaining} bytes after the end of {what}")


class Writer:
    """Writes primitives. Raises ValueError for a value its layout can not hold."""

    def __init__(self, schema: Schema | None = None):
        self.data = bytearray()
        self.schema = schema

    def u8(self, value: int) -> None:
        self.data.append(value)

    def u64le(self, value: int) -> None:
        self.data += value.to_bytes(8, "little")

    def f64le(self, value: float) -> None:
        self.data += struct.pack("<d", value)

    def varint(self, value: int, bits: int = 64) -> None:
        if value < 0 or value >> bits:
            raise ValueError(f"{value} does not fit an unsigned varint of {bits} bits")
        while value > 0x7F:
            self.data.append(value & 0x7F | 0x80)
            value >>= 7
        self.data.append(value)

    def zigzag(self, value: int) -> None:
        self.varint(zigzag_encode(value), 32)

    def bytes_(self, value: bytes) -> None:
        self.varint(len(value))
        self.data += value

    def string(self, value: str) -> None:
        self.bytes_(value.encode("utf-8"))

    def idset(self, ids: Sequence[int]) -> None:
        self.varint(len(ids))
        previous = -1
        for identifier in ids:
            self.varint(identifier - previous - 1)
            previous = identifier
