"""Quaternions as the smallest three of their components (5.2)."""

from __future__ import annotations

import math
from typing import Sequence


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
