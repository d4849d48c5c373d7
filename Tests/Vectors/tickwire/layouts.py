"""What a message layout is made of: named parts, each with a codec, some present only when a flag says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

from .primitives import Reader, Writer

Fields = dict[str, Any]


@dataclass
class Message:
    """A decoded message: `fields` holds the body under the page's names. An absent optional field has no key."""

    name: str
    fields: Fields
    offsets: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    def __getitem__(self, key: str) -> Any:
        return self.fields[key]

    def get(self, key: str) -> Any:
        return self.fields.get(key)


@dataclass(frozen=True)
class Codec:
    json: str  # how the golden vectors write it: int, bytes, text, ids, events or entries
    read: Callable[[Reader, str], Any]
    write: Callable[[Writer, Any], None]


@dataclass(frozen=True)
class Part:
    name: str
    codec: Codec
    present: Callable[[Fields], bool] = lambda fields: True


@dataclass(frozen=True)
class Layout:
    name: str
    parts: tuple[Part, ...]
    problem: Callable[[Fields], str | None] = lambda fields: None


def varint(bits: int = 64) -> Codec:
    return Codec("int", lambda r, what: r.varint(what, bits), lambda w, value: w.varint(value, bits))


def ranged(low: int, high: int, bits: int = 64) -> Codec:
    """A number in low...high; one above the width of `bits` is valueTooLarge, one outside the range outOfRange."""
    return Codec("int", lambda r, what: r.ranged(low, high, what, bits), lambda w, value: w.varint(value, bits))


def choice(last: int) -> Codec:
    def read(r: Reader, what: str) -> int:
        at = r.position
        return r.check_range(r.u8(what), 0, last, what, at)

    return Codec("int", read, lambda w, value: w.u8(value))


def flags(known: int) -> Codec:
    return Codec("int", lambda r, what: r.flags(known, what), lambda w, value: w.u8(value))


def blob(low: int = 0, high: int | None = None) -> Codec:
    return Codec("bytes", lambda r, what: r.bytes_(what, low, high), lambda w, value: w.bytes_(value))


def text(low: int = 0, high: int | None = None) -> Codec:
    return Codec("text", lambda r, what: r.string(what, low, high), lambda w, value: w.string(value))


def rest(high: int | None = None) -> Codec:
    return Codec("bytes", lambda r, what: r.rest(what, high), lambda w, value: w.data.extend(value))


def has(bit: int) -> Callable[[Fields], bool]:
    return lambda fields: bool(fields["flags"] & bit)


def credential(value: int) -> Callable[[Fields], bool]:
    return lambda fields: fields["credential"] == value


def read_parts(reader: Reader, layout: Layout) -> Message:
    fields: Fields = {}
    offsets: dict[str, int] = {}
    at = reader.position
    for part in layout.parts:
        if part.present(fields):
            offsets[part.name] = reader.base + reader.position
            fields[part.name] = part.codec.read(reader, f"{layout.name}.{part.name}")
    if (problem := layout.problem(fields)) is not None:
        raise reader.error("inconsistent", f"{layout.name}: {problem}", at)
    return Message(layout.name, fields, offsets)


def write_parts(writer: Writer, layout: Layout, fields: Fields) -> None:
    unknown = set(fields) - {part.name for part in layout.parts}
    if unknown:
        raise ValueError(f"{layout.name} has no field {', '.join(sorted(unknown))}")
    for part in layout.parts:
        if part.present(fields) != (part.name in fields):
            raise ValueError(f"{layout.name}.{part.name} is missing, or its flag is")
        if part.name in fields:
            part.codec.write(writer, fields[part.name])
