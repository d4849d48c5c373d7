"""Which entities of a section have changed (7), and which of them have a field (7.1)."""

from __future__ import annotations

from collections.abc import Collection

from .bits import BitReader
from .primitives import Reader


def read_changed_ids(reader: Reader, existing: Collection[int], capacity: int) -> list[int]:
    at = reader.position
    head = reader.varint("changed head")
    count, form = head >> 2, head & 3
    if form == 3 or (count < 1 and form != 2) or count > capacity:
        raise reader.error("outOfRange", f"changed count {count} in form {form}", at)
    ids = _read_bitmap(reader, count, capacity) if form == 1 else reader.ascending(count, "changed id", capacity - 1)
    for identifier in ids:
        if identifier not in existing:
            raise reader.error("inconsistent", f"changed entity {identifier} does not exist", at)
    if form != 2:
        return ids
    unchanged = set(ids)
    ids = [identifier for identifier in sorted(existing) if identifier not in unchanged]
    if not ids:
        raise reader.error("inconsistent", "all but all entities changed", at)
    return ids


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


def read_presence(bits: BitReader, ids: list[int]) -> list[int]:
    """Those of `ids` that have the field."""
    form = bits.number(2, "presence")
    if form == 0:
        return []
    if form == 1:
        return ids
    if form == 2:
        return [identifier for identifier in ids if bits.number(1, "presence map")]
    width = len(ids).bit_length()
    count = bits.number(width, "presence count")
    bits.check_range(count, 1, len(ids), "presence count")
    previous = -1
    found = []
    for _ in range(count):
        place = bits.number(width, "place")
        bits.check_range(place, 0, len(ids) - 1, "place")
        if place <= previous:
            raise bits.error("inconsistent", f"place {place} after {previous}")
        found.append(ids[place])
        previous = place
    return found
