"""Which entities of a section have changed, and which of their fields: ids and change masks (7)."""

from __future__ import annotations

from .primitives import Reader
from .values import read_mask


def read_changed_ids(reader: Reader, capacity: int) -> list[int]:
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


def read_masks(reader: Reader, count: int, field_count: int) -> list[int]:
    size = reader.ranged(0, 16, "mask dictionary size")
    if size == 0:
        return [read_mask(reader, field_count) for _ in range(count)]
    masks = [read_mask(reader, field_count) for _ in range(size)]
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
