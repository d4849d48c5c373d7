"""Differences of values (5.1), their ranges, and what they are in units."""

from __future__ import annotations

from typing import Any, Sequence

from .bits import BitReader
from .primitives import MASK32, Reader, Writer, to_signed32, zigzag_decode, zigzag_encode
from .quaternions import quaternion_to_units
from .schema import BLOBS, UNSIGNED_COLUMNS, Column, Field, FieldType


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
    """Reads number `part` of a field of an Input whose columns are `old`: the (column, value) pairs it sets."""
    start = reader.position
    if field.type in BLOBS:
        return [(0, read_blob(reader, field))]
    if field.type == FieldType.QUATERNION and part == 0:
        coded = reader.varint(f"field {field.name!r}", 32)
        value = int(old[1]) + zigzag_decode(coded >> 2)
        return [(0, coded & 3), (1, _check_column(reader, field, value, start))]
    column = part + 1 if field.type == FieldType.QUATERNION else part
    difference = reader.zigzag(f"field {field.name!r}")
    return [(column, _add(reader, field, column, int(old[column]), difference, start))]


def _add(reader: Reader, field: Field, column: int, old: int, difference: int, at: int) -> int:
    value = old + difference
    if field.type == FieldType.ANGLE:
        _check_turn(reader, field, difference, at)
        return value % field.steps
    value = value & MASK32 if field.type in UNSIGNED_COLUMNS else to_signed32(value)
    if field.type == FieldType.QUATERNION and column == 0:
        return reader.check_range(value, 0, 3, f"index of {field.name!r}", at)
    return _check_column(reader, field, value, at)


def _check_turn(reader: Reader, field: Field, turn: int, at: int) -> int:
    return reader.check_range(turn, -(field.steps // 2), (field.steps - 1) // 2, f"turn of {field.name!r}", at)


def shortest(field: Field, difference: int) -> int:
    """A difference of two values as it is coded: wrapped to 32 bits, for an angle the shortest way round."""
    if field.type == FieldType.ANGLE:
        half = field.steps // 2
        return (difference + half) % field.steps - half
    return to_signed32(difference)


def read_difference(bits: BitReader, k: int, field: Field, column: int, old: int, step: int) -> int:
    """Reads a value of a column: the difference to `old + step`."""
    start = bits.start + bits.used // 8
    difference = zigzag_decode(bits.value(k, f"field {field.name!r}"))
    return _add(bits.reader, field, column, old + step, difference, start)


def read_step(bits: BitReader, k: int, field: Field) -> int:
    start = bits.start + bits.used // 8
    step = zigzag_decode(bits.value(k, f"step of {field.name!r}"))
    return _check_turn(bits.reader, field, step, start) if field.type == FieldType.ANGLE else step


def read_blob(reader: Reader, field: Field) -> bytes:
    if field.type == FieldType.STRING:
        return reader.string(f"field {field.name!r}", 0, field.max_bytes).encode("utf-8")
    return reader.bytes_(f"field {field.name!r}", 0, field.max_bytes)


def read_mask(reader: Reader, field_count: int) -> int:
    """A mask of fields: bit i is field i, at least one and none beyond the schema."""
    return reader.ranged(1, (1 << field_count) - 1, "mask")


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
