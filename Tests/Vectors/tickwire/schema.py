"""The schema (4): kinds and their fields, and their bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Callable

from .primitives import Reader, Writer, fnv1a64


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
        """Numbers of an Input: a quaternion's index travels with its first component."""
        return 3 if self.type == FieldType.QUATERNION else self.columns

    def is_foretold(self, column: int) -> bool:
        """Whether a column keeps the step that its next value is foretold from (7.1)."""
        if self.type == FieldType.QUATERNION:
            return column > 0
        return self.type in (FieldType.FIXED, FieldType.VECTOR, FieldType.ANGLE)

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
