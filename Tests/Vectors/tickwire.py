"""The TickServer protocol, version 1, for Python: an implementation written from docs/protocol.md alone.

It exists to keep that page honest: what can not be written from the page shows up here. It does no I/O and reads no clock.
The numbers in the comments are sections of the page.

    reader = MessageReader(limit=DEFAULT_SERVER_LIMIT)
    reader.feed(data)                                   # any split
    while (raw := reader.next()) is not None:
        message = decode_message("server", raw, schema)  # None: an unknown optional message
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field as dataclass_field
from enum import IntEnum
from typing import Any, Callable, Iterator, Sequence

MASK32 = 0xFFFFFFFF
MASK64 = 0xFFFFFFFFFFFFFFFF

PROTOCOL_VERSION = 1
MAGIC = b"TICK"
HELLO_LIMIT = 4096
DEFAULT_CLIENT_LIMIT = 16384
DEFAULT_SERVER_LIMIT = 1048576
PAYLOAD_LIMIT = 1024
TOKEN_LIMIT = 2048
OPTIONS_LIMIT = 1024
ID_LAST = 65535  # of entity ids, player ids and codes

ERROR_CODES = (
    "truncated", "nonMinimalVarint", "valueTooLarge", "invalidText", "unknownFlag",
    "trailingBytes", "invalidLength", "outOfRange", "unknownType", "inconsistent",
)


class DecodeError(Exception):
    """Bytes that do not follow the protocol. `offset` counts from the first byte of the message (its length)."""

    def __init__(self, code: str, offset: int, what: str):
        assert code in ERROR_CODES, code
        super().__init__(f"{code} at byte {offset}: {what}")
        self.code = code
        self.offset = offset
        self.what = what


class MessageTooLarge(DecodeError):
    """A length above the limit of its direction: Goodbye reason messageTooLarge, not malformed."""


class FrameGap(Exception):
    """A frame whose previous tick is not the state's: well formed, but it must not be applied."""


# Primitives (2)


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

    def ranged(self, low: int, high: int, what: str) -> int:
        start = self.position
        return self.check_range(self.varint(what), low, high, what, start)

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


# Framing (1)


@dataclass(frozen=True)
class RawMessage:
    type: int
    body: bytes
    header_size: int  # bytes of the length and the type


class MessageReader:
    """Cuts a stream into messages. `next` refuses a length above `limit` bytes at once, before its body has come."""

    def __init__(self, limit: int):
        self.limit = limit
        self.buffer = bytearray()

    def feed(self, data: bytes) -> None:
        self.buffer += data

    def next(self) -> RawMessage | None:
        prefix = self._length()
        if prefix is None:
            return None
        length, size = prefix
        if len(self.buffer) < size + length:
            return None
        message = RawMessage(self.buffer[size], bytes(self.buffer[size + 1 : size + length]), size + 1)
        del self.buffer[: size + length]
        return message

    def finish(self) -> None:
        """The stream has ended: an unfinished message is truncated."""
        if self.buffer:
            raise DecodeError("truncated", len(self.buffer), "the stream ends inside a message")

    def _length(self) -> tuple[int, int] | None:
        length = 0
        for index, byte in enumerate(self.buffer[:5]):
            length |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                self._check_length(length, nonminimal=byte == 0 and index > 0)
                return length, index + 1
        if len(self.buffer) >= 5:
            raise DecodeError("invalidLength", 0, "the length is a varint longer than 5 bytes")
        return None

    def _check_length(self, length: int, nonminimal: bool) -> None:
        if nonminimal:
            raise DecodeError("nonMinimalVarint", 0, "message length")
        if length == 0:
            raise DecodeError("invalidLength", 0, "a message length of 0")
        if length > self.limit:
            raise MessageTooLarge("invalidLength", 0, f"a message length of {length}, the limit is {self.limit}")


# Schema (4)


class FieldType(IntEnum):
    BOOL = 0
    UNSIGNED = 1
    SIGNED = 2
    FIXED = 3
    VECTOR = 4
    ANGLE = 5
    QUATERNION = 6
    STRING = 7
    BYTES = 8
    REFERENCE = 9


BLOBS = (FieldType.STRING, FieldType.BYTES)
UNSIGNED_COLUMNS = (FieldType.BOOL, FieldType.UNSIGNED, FieldType.ANGLE, FieldType.REFERENCE)

Column = int | bytes


@dataclass(frozen=True)
class Field:
    name: str
    type: FieldType
    bits: int = 0
    low: int = 0
    high: int = 0
    step: float = 0.0
    components: int = 0
    steps: int = 0
    max_bytes: int = 0

    @property
    def columns(self) -> int:
        """Columns in the state; a blob takes one."""
        if self.type == FieldType.VECTOR:
            return self.components
        return 4 if self.type == FieldType.QUATERNION else 1

    @property
    def coded_columns(self) -> int:
        """Columns on the wire: a quaternion's index travels with its first component."""
        return 3 if self.type == FieldType.QUATERNION else self.columns

    @property
    def zero(self) -> tuple[Column, ...]:
        return (b"",) if self.type in BLOBS else (0,) * self.columns


@dataclass(frozen=True)
class Kind:
    name: str
    capacity: int
    fields: tuple[Field, ...]

    @property
    def zero(self) -> list[Column]:
        return [column for each in self.fields for column in each.zero]

    @property
    def first_columns(self) -> list[int]:
        """The number of each field's first column."""
        result, total = [], 0
        for each in self.fields:
            result.append(total)
            total += each.columns
        return result


@dataclass(frozen=True)
class Schema:
    kinds: tuple[Kind, ...]

    def encode(self) -> bytes:
        writer = Writer()
        writer.varint(len(self.kinds))
        for kind in self.kinds:
            _write_kind(writer, kind)
        return bytes(writer.data)

    @property
    def hash(self) -> int:
        return fnv1a64(self.encode()) or 1

    @staticmethod
    def decode(data: bytes) -> Schema:
        reader = Reader(data)
        kinds = _read_named(reader, reader.ranged(1, 32, "kind count"), _read_kind)
        reader.finish("the schema")
        return Schema(kinds)


def _read_named(reader: Reader, count: int, read: Callable[[Reader], Any]) -> tuple[Any, ...]:
    items: list[Any] = []
    names: set[str] = set()
    for _ in range(count):
        start = reader.position
        items.append(read(reader))
        if items[-1].name in names:
            raise reader.error("inconsistent", f"the name {items[-1].name!r} is used twice", start)
        names.add(items[-1].name)
    return tuple(items)


def _read_kind(reader: Reader) -> Kind:
    start = reader.position
    name = reader.string("kind name", 1, 64)
    capacity = reader.ranged(1, 65536, "capacity")
    kind = Kind(name, capacity, _read_named(reader, reader.ranged(1, 64, "field count"), _read_field))
    if len(kind.zero) > 255:
        raise reader.error("outOfRange", f"kind {name!r} needs {len(kind.zero)} columns, allowed is 255", start)
    return kind


def _read_field(reader: Reader) -> Field:
    name = reader.string("field name", 1, 64)
    start = reader.position
    code = reader.u8("field type")
    if code not in FieldType._value2member_map_:
        raise reader.error("unknownType", f"field type {code}", start)
    kind = FieldType(code)
    if kind in (FieldType.UNSIGNED, FieldType.SIGNED):
        return Field(name, kind, bits=reader.ranged(1, 32, "bits"))
    if kind == FieldType.FIXED:
        return Field(name, kind, **_read_fixed(reader))
    if kind == FieldType.VECTOR:
        at = reader.position
        components = reader.check_range(reader.u8("components"), 2, 4, "components", at)
        return Field(name, kind, components=components, **_read_fixed(reader))
    if kind == FieldType.ANGLE:
        return Field(name, kind, steps=reader.ranged(2, 65536, "steps"))
    if kind == FieldType.QUATERNION:
        return Field(name, kind, bits=reader.ranged(2, 15, "bits"))
    if kind in BLOBS:
        return Field(name, kind, max_bytes=reader.ranged(1, 255, "maxBytes"))
    return Field(name, kind)


def _read_fixed(reader: Reader) -> dict[str, Any]:
    start = reader.position
    low, high = reader.zigzag("low"), reader.zigzag("high")
    if low > high:
        raise reader.error("inconsistent", f"low {low} is above high {high}", start)
    at = reader.position
    step = reader.f64le("step")
    if not (math.isfinite(step) and step > 0):
        raise reader.error("outOfRange", f"step is {step}", at)
    return {"low": low, "high": high, "step": step}


def _write_kind(writer: Writer, kind: Kind) -> None:
    writer.string(kind.name)
    writer.varint(kind.capacity)
    writer.varint(len(kind.fields))
    for each in kind.fields:
        writer.string(each.name)
        writer.u8(each.type)
        _write_parameters(writer, each)


def _write_parameters(writer: Writer, field: Field) -> None:
    if field.type in (FieldType.UNSIGNED, FieldType.SIGNED, FieldType.QUATERNION):
        writer.varint(field.bits)
    elif field.type in (FieldType.FIXED, FieldType.VECTOR):
        if field.type == FieldType.VECTOR:
            writer.u8(field.components)
        writer.zigzag(field.low)
        writer.zigzag(field.high)
        writer.f64le(field.step)
    elif field.type == FieldType.ANGLE:
        writer.varint(field.steps)
    elif field.type in BLOBS:
        writer.varint(field.max_bytes)


# Coding a value (5.1)


def column_range(field: Field) -> tuple[int, int]:
    """The range of one column of a field other than a reference, a blob or a quaternion's index."""
    if field.type == FieldType.BOOL:
        return 0, 1
    if field.type == FieldType.UNSIGNED:
        return 0, (1 << field.bits) - 1
    if field.type == FieldType.SIGNED:
        return -(1 << (field.bits - 1)), (1 << (field.bits - 1)) - 1
    if field.type == FieldType.ANGLE:
        return 0, field.steps - 1
    if field.type == FieldType.QUATERNION:
        largest = (1 << (field.bits - 1)) - 1
        return -largest, largest
    return field.low, field.high


def _check_column(reader: Reader, field: Field, value: int, at: int) -> int:
    if field.type == FieldType.REFERENCE:
        return _check_reference(reader, field, value, at)
    return reader.check_range(value, *column_range(field), f"field {field.name!r}", at)


def _check_reference(reader: Reader, field: Field, value: int, at: int) -> int:
    if value:
        identifier, kind = divmod(value - 1, 32)
        kinds = reader.schema.kinds if reader.schema else ()
        if kind >= len(kinds) or identifier >= kinds[kind].capacity:
            raise reader.error("outOfRange", f"field {field.name!r} refers to kind {kind} id {identifier}", at)
    return value


def read_coded(reader: Reader, field: Field, part: int, old: Sequence[Column]) -> list[tuple[int, Column]]:
    """Reads coded column `part` of a field whose columns are `old`: the (column within the field, value) pairs it sets."""
    start = reader.position
    if field.type == FieldType.STRING:
        return [(0, reader.string(f"field {field.name!r}", 0, field.max_bytes).encode("utf-8"))]
    if field.type == FieldType.BYTES:
        return [(0, reader.bytes_(f"field {field.name!r}", 0, field.max_bytes))]
    if field.type == FieldType.QUATERNION and part == 0:
        coded = reader.varint(f"field {field.name!r}", 32)
        value = int(old[1]) + zigzag_decode(coded >> 2)
        return [(0, coded & 3), (1, _check_column(reader, field, value, start))]
    column = part + 1 if field.type == FieldType.QUATERNION else part
    difference = reader.zigzag(f"field {field.name!r}")
    value = int(old[column]) + difference
    if field.type == FieldType.ANGLE:
        reader.check_range(difference, -(field.steps // 2), (field.steps - 1) // 2, f"turn of {field.name!r}", start)
        return [(column, value % field.steps)]
    value = value & MASK32 if field.type in UNSIGNED_COLUMNS else to_signed32(value)
    return [(column, _check_column(reader, field, value, start))]


def read_value(reader: Reader, field: Field, old: Sequence[Column]) -> tuple[Column, ...]:
    """Reads all coded columns of a field in turn."""
    columns = list(old)
    for part in range(field.coded_columns):
        for column, value in read_coded(reader, field, part, old):
            columns[column] = value
    return tuple(columns)


def write_value(writer: Writer, field: Field, new: Sequence[Column], old: Sequence[Column]) -> None:
    if field.type in BLOBS:
        writer.bytes_(bytes(new[0]))  # type: ignore[arg-type]
        return
    deltas = [to_signed32(int(value) - int(before)) for value, before in zip(new, old, strict=True)]
    if field.type == FieldType.QUATERNION:
        writer.varint(zigzag_encode(deltas[1]) << 2 | int(new[0]), 32)
        deltas = deltas[2:]
    elif field.type == FieldType.ANGLE:
        half = field.steps // 2
        deltas = [(deltas[0] + half) % field.steps - half]
    for delta in deltas:
        writer.zigzag(delta)


def to_units(field: Field, columns: Sequence[Column]) -> Any:
    """A value in units: a number, a list for vectors and quaternions (w, x, y, z), degrees for angles, text or bytes."""
    if field.type == FieldType.STRING:
        return bytes(columns[0]).decode("utf-8")  # type: ignore[arg-type]
    if field.type == FieldType.VECTOR:
        return [int(column) * field.step for column in columns]
    if field.type == FieldType.QUATERNION:
        return quaternion_to_units(field.bits, [int(column) for column in columns])
    if field.type == FieldType.FIXED:
        return int(columns[0]) * field.step
    if field.type == FieldType.ANGLE:
        return int(columns[0]) / field.steps * 360
    return columns[0]


# Quaternions (5.2)


def quaternion_to_units(bits: int, columns: Sequence[int]) -> list[float]:
    index, *parts = columns
    scale = ((1 << (bits - 1)) - 1) * math.sqrt(2)
    result = [part / scale for part in parts]
    result.insert(index, math.sqrt(max(0.0, 1 - sum(value * value for value in result))))
    return result


def quaternion_to_columns(bits: int, value: Sequence[float]) -> tuple[int, ...]:
    index = max(range(4), key=lambda each: abs(value[each]))
    sign = -1 if value[index] < 0 else 1
    largest = (1 << (bits - 1)) - 1
    others = [sign * value[each] * math.sqrt(2) * largest for each in range(4) if each != index]
    return (index, *(min(largest, max(-largest, round(other))) for other in others))


# State (5) and its hash (5.3)


def mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK64
    return value ^ (value >> 31)


def column_term(kind: int, column: int, identifier: int, value: Column) -> int:
    if isinstance(value, bytes):
        if not value:
            return 0
        value = fnv1a64(value)
    elif value == 0:
        return 0
    return mix(kind << 56 | column << 48 | identifier << 32 | value & MASK32)


def entity_term(kind: int, identifier: int, generation: int, owner: int | None) -> int:
    player = 0 if owner is None else owner + 1
    return mix(kind << 56 | 0xFF << 48 | identifier << 32 | generation << 24 | player)


@dataclass
class Entity:
    generation: int
    owner: int | None
    columns: list[Column]


class State:
    """A mirror of a room's state. After a DecodeError it is of no more use; a FrameGap leaves it as it was."""

    def __init__(self, schema: Schema):
        self.schema = schema
        self.tick: int | None = None
        self.hash = 0
        self.kinds: list[dict[int, Entity]] = [{} for _ in schema.kinds]
        self._first_columns = [kind.first_columns for kind in schema.kinds]

    @property
    def count(self) -> int:
        return sum(len(entities) for entities in self.kinds)

    def entities(self) -> Iterator[tuple[int, int, Entity]]:
        """All entities in ascending (kind, id) order."""
        for kind, entities in enumerate(self.kinds):
            for identifier in sorted(entities):
                yield kind, identifier, entities[identifier]

    def field_columns(self, kind: int, identifier: int, index: int) -> list[Column]:
        first = self._first_columns[kind][index]
        field = self.schema.kinds[kind].fields[index]
        return self.kinds[kind][identifier].columns[first : first + field.columns]

    def recomputed_hash(self) -> int:
        """The state hash from scratch; `hash` is kept incrementally."""
        return sum(self._entity_hash(*each) for each in self.entities()) & MASK64

    def apply(self, frame: Message) -> None:
        """Applies a decoded Frame message (7). Without a tick yet, any frame is taken as the first."""
        if frame["flags"] & FRAME_KEYFRAME:
            self._clear()
        elif self.tick is not None and frame["tick"] - frame["span"] != self.tick:
            raise FrameGap(f"frame of tick {frame['tick']} span {frame['span']}, the last was {self.tick}")
        if frame["flags"] & FRAME_STATE:
            reader = Reader(frame["state"], frame.offsets["state"], self.schema)
            self._read_sections(reader)
            reader.finish("the frame")
        self.tick = frame["tick"]

    def _clear(self) -> None:
        self.hash = 0
        for entities in self.kinds:
            entities.clear()

    def _entity_hash(self, kind: int, identifier: int, entity: Entity) -> int:
        terms = (column_term(kind, number, identifier, value) for number, value in enumerate(entity.columns))
        return sum(terms) + entity_term(kind, identifier, entity.generation, entity.owner)

    def _read_sections(self, reader: Reader) -> None:
        at = reader.position
        count = reader.varint("section count")
        if count < 1:
            raise reader.error("outOfRange", "section count is 0", at)
        previous = -1
        for _ in range(count):
            previous = self._read_section(reader, previous)

    def _read_section(self, reader: Reader, previous: int) -> int:
        at = reader.position
        head = reader.varint("section head")
        kind, flags = head >> 3, head & 7
        reader.check_range(kind, 0, len(self.kinds) - 1, "section kind", at)
        if kind <= previous:
            raise reader.error("inconsistent", f"section of kind {kind} after kind {previous}", at)
        if flags == 0:
            raise reader.error("inconsistent", "a section without flags", at)
        if flags & 1:
            self._read_removed(reader, kind)
        if flags & 2:
            self._read_created(reader, kind)
        if flags & 4:
            self._read_changed(reader, kind)
        return kind

    def _read_ids(self, reader: Reader, kind: int, what: str) -> list[int]:
        at = reader.position
        ids = reader.idset(what, self.schema.kinds[kind].capacity - 1)
        if not ids:
            raise reader.error("outOfRange", f"{what} count is 0", at)
        return ids

    def _read_removed(self, reader: Reader, kind: int) -> None:
        at = reader.position
        for identifier in self._read_ids(reader, kind, "removed id"):
            entity = self.kinds[kind].pop(identifier, None)
            if entity is None:
                raise reader.error("inconsistent", f"removed entity {kind}/{identifier} does not exist", at)
            self.hash = (self.hash - self._entity_hash(kind, identifier, entity)) & MASK64

    def _read_created(self, reader: Reader, kind: int) -> None:
        at = reader.position
        for identifier in self._read_ids(reader, kind, "created id"):
            if identifier in self.kinds[kind]:
                raise reader.error("inconsistent", f"created entity {kind}/{identifier} exists", at)
            generation = reader.u8("generation")
            owner = reader.ranged(0, ID_LAST + 1, "owner")
            entity = Entity(generation, owner - 1 if owner else None, self.schema.kinds[kind].zero)
            self.kinds[kind][identifier] = entity
            self.hash = (self.hash + self._entity_hash(kind, identifier, entity)) & MASK64

    def _read_changed(self, reader: Reader, kind: int) -> None:
        at = reader.position
        ids = _read_changed_ids(reader, self.schema.kinds[kind].capacity)
        for identifier in ids:
            if identifier not in self.kinds[kind]:
                raise reader.error("inconsistent", f"changed entity {kind}/{identifier} does not exist", at)
        masks = _read_masks(reader, len(ids), len(self.schema.kinds[kind].fields))
        for index, field in enumerate(self.schema.kinds[kind].fields):
            changed = [identifier for identifier, mask in zip(ids, masks) if mask >> index & 1]
            for part in range(field.coded_columns):
                for identifier in changed:
                    old = self.field_columns(kind, identifier, index)
                    for column, value in read_coded(reader, field, part, old):
                        self._set(kind, identifier, self._first_columns[kind][index] + column, value)

    def _set(self, kind: int, identifier: int, column: int, value: Column) -> None:
        columns = self.kinds[kind][identifier].columns
        gone = column_term(kind, column, identifier, columns[column])
        self.hash = (self.hash - gone + column_term(kind, column, identifier, value)) & MASK64
        columns[column] = value


def _read_changed_ids(reader: Reader, capacity: int) -> list[int]:
    at = reader.position
    head = reader.varint("changed head")
    count = head >> 1
    if count < 1:
        raise reader.error("outOfRange", "changed count is 0", at)
    if head & 1 == 0:
        return reader.ascending(count, "changed id", capacity - 1)
    return _read_bitmap(reader, count, capacity)


def _read_bitmap(reader: Reader, count: int, capacity: int) -> list[int]:
    at = reader.position
    base = reader.varint("bitmap base")
    bitmap = reader.bytes_("bitmap")
    ids = [(base + j) * 8 + i for j, byte in enumerate(bitmap) for i in range(8) if byte >> i & 1]
    if ids:
        reader.check_range(ids[-1], 0, capacity - 1, "changed id", at)
    if len(ids) != count:
        raise reader.error("inconsistent", f"the bitmap has {len(ids)} bits set, the count is {count}", at)
    return ids


def _read_mask(reader: Reader, field_count: int) -> int:
    return reader.ranged(1, (1 << field_count) - 1, "mask")


def _read_masks(reader: Reader, count: int, field_count: int) -> list[int]:
    size = reader.ranged(0, 16, "mask dictionary size")
    if size == 0:
        return [_read_mask(reader, field_count) for _ in range(count)]
    masks = [_read_mask(reader, field_count) for _ in range(size)]
    if size == 1:
        return masks * count
    at = reader.position
    width = 1 if size == 2 else 2 if size <= 4 else 4
    packed = int.from_bytes(reader.take((count * width + 7) // 8, "mask indices"), "little")
    if packed >> (count * width):
        raise reader.error("inconsistent", "the padding of the mask indices is not zero", at)
    indices = _unpack(packed, count, width)
    reader.check_range(max(indices), 0, size - 1, "mask index", at)
    return [masks[index] for index in indices]


def _unpack(packed: int, count: int, width: int) -> list[int]:
    data = packed.to_bytes((count * width + 7) // 8, "little")
    per_byte = 8 // width
    return [data[k // per_byte] >> (k % per_byte * width) & ((1 << width) - 1) for k in range(count)]


# Messages (6): each layout is the row of the page's table


Fields = dict[str, Any]


@dataclass
class Message:
    """A decoded message: `fields` holds the body under the page's names. An absent optional field has no key."""

    name: str
    fields: Fields
    offsets: dict[str, int] = dataclass_field(default_factory=dict, compare=False, repr=False)

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


def ranged(low: int, high: int) -> Codec:
    return Codec("int", lambda r, what: r.ranged(low, high, what), lambda w, value: w.varint(value))


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


def _read_parts(reader: Reader, layout: Layout) -> Message:
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


def _write_parts(writer: Writer, layout: Layout, fields: Fields) -> None:
    unknown = set(fields) - {part.name for part in layout.parts}
    if unknown:
        raise ValueError(f"{layout.name} has no field {', '.join(sorted(unknown))}")
    for part in layout.parts:
        if part.present(fields) != (part.name in fields):
            raise ValueError(f"{layout.name}.{part.name} is missing, or its flag is")
        if part.name in fields:
            part.codec.write(writer, fields[part.name])


U64LE = Codec("int", lambda r, what: r.u64le(what), lambda w, value: w.u64le(value))
IDS = Codec("ids", lambda r, what: r.idset(what), lambda w, value: w.idset(value))
PLAYER = ranged(0, ID_LAST)
CODE = ranged(0, ID_LAST)

EVENT_RELIABLE, EVENT_SENDER, EVENT_NOT_FOR_SENDER = 1, 2, 4
FRAME_KEYFRAME, FRAME_EVENTS, FRAME_STATE = 1, 2, 4


def _event_problem(fields: Fields) -> str | None:
    lacks_sender = fields["flags"] & EVENT_NOT_FOR_SENDER and not fields["flags"] & EVENT_SENDER
    return "not for its sender, and without one" if lacks_sender else None


FRAME_EVENT = Layout("event", (
    Part("flags", flags(7)),
    Part("sender", PLAYER, has(EVENT_SENDER)),
    Part("code", CODE),
    Part("payload", blob(0, PAYLOAD_LIMIT)),
), _event_problem)


def _read_events(reader: Reader, what: str) -> list[Fields]:
    at = reader.position
    count = reader.varint(what + " count")
    if count < 1:
        raise reader.error("outOfRange", what + " count is 0", at)
    events: list[Fields] = []
    while len(events) < count:  # grows with the bytes read, so a huge count costs nothing
        events.append(_read_parts(reader, FRAME_EVENT).fields)
    return events


def _write_events(writer: Writer, events: list[Fields]) -> None:
    writer.varint(len(events))
    for event in events:
        _write_parts(writer, FRAME_EVENT, event)


def _read_entries(reader: Reader, what: str) -> list[Fields]:
    count = reader.varint(what + " count")
    entries: list[Fields] = []
    while len(entries) < count:
        entries.append(_read_entry(reader))
    return entries


def _read_entry(reader: Reader) -> Fields:
    if reader.schema is None:
        raise reader.error("inconsistent", "an Input entry can not be read without a schema")
    kind = reader.ranged(0, len(reader.schema.kinds) - 1, "Input kind")
    layout = reader.schema.kinds[kind]
    identifier = reader.ranged(0, layout.capacity - 1, "Input id")
    mask = _read_mask(reader, len(layout.fields))
    chosen = [field for index, field in enumerate(layout.fields) if mask >> index & 1]
    values = [read_value(reader, field, field.zero) for field in chosen]
    return {"kind": kind, "id": identifier, "mask": mask, "values": values}


def _write_entries(writer: Writer, entries: list[Fields]) -> None:
    writer.varint(len(entries))
    for entry in entries:
        if writer.schema is None:
            raise ValueError("an Input entry can not be written without a schema")
        for name in ("kind", "id", "mask"):
            writer.varint(entry[name])
        fields = writer.schema.kinds[entry["kind"]].fields
        chosen = [field for index, field in enumerate(fields) if entry["mask"] >> index & 1]
        for field, value in zip(chosen, entry["values"], strict=True):
            write_value(writer, field, value, field.zero)


def _read_magic(reader: Reader, what: str) -> bytes:
    at = reader.position
    magic = reader.take(4, what)
    if magic != MAGIC:
        raise reader.error("outOfRange", f"{what} is {magic!r}", at)
    return magic


def _frame_problem(fields: Fields) -> str | None:
    if fields["flags"] & FRAME_KEYFRAME:
        return "a keyframe with events" if fields["flags"] & FRAME_EVENTS else None
    return "the span is longer than the tick" if fields["span"] > fields["tick"] else None


def _events_problem(fields: Fields) -> str | None:
    transient = any(not event["flags"] & EVENT_RELIABLE for event in fields["events"])
    return "a transient event in Events" if transient else None


MAGIC_BYTES = Codec("bytes", _read_magic, lambda w, value: w.data.extend(value))
SPAN = ranged(1, MASK64)
EVENTS = Codec("events", _read_events, _write_events)
ENTRIES = Codec("entries", _read_entries, _write_entries)

PING = Layout("Ping", (Part("token", varint()),))
PONG = Layout("Pong", (Part("token", varint()), Part("time", varint())))

CLIENT_LAYOUTS: dict[int, Layout] = {
    0x01: Layout("Hello", (
        Part("magic", MAGIC_BYTES),
        Part("version", varint()),
        Part("capabilities", varint()),
        Part("credential", choice(2)),
        Part("token", blob(0, TOKEN_LIMIT), credential(1)),
        Part("ticket", blob(16, 64), credential(2)),
        Part("lastTick", varint(32), credential(2)),
        Part("lastEvent", varint(), credential(2)),
        Part("lastWhisper", varint(), credential(2)),
    )),
    0x02: Layout("Join", (
        Part("flags", flags(1)),
        Part("room", text(0, 512)),
        Part("roomKind", text(0, 512)),
        Part("schemaHash", U64LE),
        Part("options", blob(0, OPTIONS_LIMIT)),
    )),
    0x03: Layout("Input", (Part("sequence", varint(32)), Part("entries", ENTRIES))),
    0x04: Layout("Event", (
        Part("flags", flags(1)),
        Part("target", choice(2)),
        Part("player", PLAYER, lambda fields: fields["target"] == 2),
        Part("code", ranged(16, ID_LAST)),
        Part("payload", rest(PAYLOAD_LIMIT)),
    )),
    0x05: Layout("Call", (
        Part("id", varint(32)), Part("method", ranged(0, 65535)), Part("payload", rest(PAYLOAD_LIMIT)),
    )),
    0x06: PING,
    0x07: Layout("Leave", ()),
    0x08: PONG,
}

SERVER_LAYOUTS: dict[int, Layout] = {
    0x06: PING,
    0x08: PONG,
    0x11: Layout("Welcome", (
        Part("version", varint()),
        Part("capabilities", varint()),
        Part("session", varint()),
        Part("time", varint()),
        Part("maxClientMessage", varint()),
        Part("maxServerMessage", varint()),
        Part("graceSeconds", varint()),
        Part("ticket", blob(16, 64)),
    )),
    0x12: Layout("Joined", (
        Part("flags", flags(7)),
        Part("player", PLAYER),
        Part("generation", varint()),
        Part("tick", varint()),
        Part("tickRate", varint()),
        Part("start", varint()),
        Part("lastEvent", varint()),
        Part("lastWhisper", varint()),
        Part("schemaHash", U64LE),
        Part("schema", blob(), has(2)),
        Part("players", IDS, has(4)),
    )),
    0x13: Layout("Frame", (
        Part("flags", flags(7)),
        Part("tick", varint()),
        Part("lastEvent", varint(), has(FRAME_KEYFRAME)),
        Part("span", SPAN, lambda fields: not fields["flags"] & FRAME_KEYFRAME),
        Part("firstReliable", varint(), has(FRAME_EVENTS)),
        Part("events", EVENTS, has(FRAME_EVENTS)),
        Part("state", rest(), has(FRAME_STATE)),
    ), _frame_problem),
    0x14: Layout("InputAck", (Part("sequence", varint(32)),)),
    0x15: Layout("Reply", (
        Part("id", varint(32)), Part("status", varint()), Part("payload", rest(PAYLOAD_LIMIT)),
    )),
    0x16: Layout("Whisper", (
        Part("flags", flags(3)),
        Part("number", varint()),
        Part("sender", PLAYER, has(2)),
        Part("code", CODE),
        Part("payload", rest(PAYLOAD_LIMIT)),
    )),
    0x17: Layout("Events", (Part("first", varint()), Part("events", EVENTS)), _events_problem),
    0x18: Layout("JoinRefused", (
        Part("refusal", varint()),
        Part("flags", flags(1)),
        Part("retryAfterMilliseconds", varint(), has(1)),
        Part("text", text()),
    )),
    0x19: Layout("Left", ()),
    0x1A: Layout("Goodbye", (
        Part("reason", varint()),
        Part("flags", flags(3)),
        Part("retryAfterMilliseconds", varint(), has(1)),
        Part("address", text(), has(2)),
        Part("text", text()),
    )),
}

LAYOUTS: dict[str, dict[int, Layout]] = {"client": CLIENT_LAYOUTS, "server": SERVER_LAYOUTS}


def decode_message(sender: str, raw: RawMessage, schema: Schema | None = None) -> Message | None:
    """Decodes a message that `sender` ("client" or "server") sent. None: an optional type to be skipped."""
    layout = LAYOUTS[sender].get(raw.type)
    if layout is None:
        if raw.type >= 0x80:
            return None
        raise DecodeError("unknownType", raw.header_size - 1, f"message type {raw.type:#04x} from the {sender}")
    reader = Reader(raw.body, raw.header_size, schema)
    message = _read_parts(reader, layout)
    reader.finish(layout.name)
    return message


def find_layout(sender: str, name: str) -> tuple[int, Layout]:
    for code, layout in LAYOUTS[sender].items():
        if layout.name == name:
            return code, layout
    raise ValueError(f"the {sender} sends no message {name!r}")


def encode_message(sender: str, name: str, fields: Fields, schema: Schema | None = None) -> bytes:
    """A whole message with its length. `Hello` may leave out `magic`."""
    code, layout = find_layout(sender, name)
    if name == "Hello":
        fields = {"magic": MAGIC, **fields}
    body = Writer(schema)
    body.u8(code)
    _write_parts(body, layout, fields)
    message = Writer()
    message.varint(len(body.data), 32)
    return bytes(message.data + body.data)
