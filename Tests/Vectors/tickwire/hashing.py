"""The state hash (5.3): a sum of terms, so that it can be kept while the state changes."""

from __future__ import annotations

from .primitives import MASK32, MASK64, fnv1a64
from .schema import Column


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
