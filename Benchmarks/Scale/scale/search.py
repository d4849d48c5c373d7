"""The most players that a server holds."""

from __future__ import annotations

from typing import Callable

from scale.load import Measured

# A run that failed is repeated so often: machines have bad seconds.
ATTEMPTS = 2


def largest(
    first: int, factor: float, most: int, run: Callable[[int], Measured], holds: Callable[[Measured], bool]
) -> tuple[Measured | None, list[Measured]]:
    """Climbs from `first` by `factor`, in steps of ten, until a run fails; then tries once half way back.

    Gives the largest that held, and all that was measured. None when `first` did not hold.
    """
    best: Measured | None = None
    seen: list[Measured] = []

    def attempt(count: int) -> bool:
        nonlocal best
        for _ in range(ATTEMPTS):
            seen.append(run(count))
            if holds(seen[-1]):
                best = seen[-1]
                return True
        return False

    count = first
    while attempt(count):
        if count >= most:
            return best, seen
        count = min(most, round_to_ten(count * factor))
    if best is not None:
        between = round_to_ten((best.load.bots + count) / 2)
        if best.load.bots < between < count:
            attempt(between)
    return best, seen


def round_to_ten(count: float) -> int:
    return int(count / 10 + 0.5) * 10
