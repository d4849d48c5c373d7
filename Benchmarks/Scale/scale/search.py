"""The most players that a server holds."""

from __future__ import annotations

from math import ceil, sqrt
from typing import Callable

from scale.load import Measured

# A number of players is given up after so many runs that failed; those in which the machine was slow for more than a tenth of
# the time do not count, up to so many runs.
ATTEMPTS, MOST_ATTEMPTS, DISTURBED_SHARE = 2, 4, 0.1


def largest(
    first: int, factor: float, most: int, run: Callable[[int], Measured], holds: Callable[[Measured], bool]
) -> tuple[Measured | None, list[Measured]]:
    """Climbs from `first` by `factor`, in steps of ten, until a run fails; then tries once half way back.

    Gives the largest that held, and all that was measured. None when `first` did not hold.
    """
    best: Measured | None = None
    seen: list[Measured] = []

    def watched(count: int) -> Measured:
        seen.append(run(count))
        return seen[-1]

    count = first
    while (held := attempt(count, watched, holds)) is not None:
        best = held
        if count >= most:
            return best, seen
        count = min(most, round_to_ten(count * factor))
    if best is not None:
        between = round_to_ten((best.load.bots + count) / 2)
        if best.load.bots < between < count:
            best = attempt(between, watched, holds) or best
    return best, seen


def in_turn(
    first: int, factor: float, growth: float, most: int,
    run: Callable[[int, int], Measured], holds: Callable[[Measured], bool],
) -> tuple[Measured | None, Measured | None]:  # fmt: skip
    """The most players that one loop and two loops hold, found in turn: `run` takes the number of loops and of players.

    After each number that one loop holds, two loops are asked for `growth` times as many. Once one loop has failed, two climb
    on alone in smaller steps, unless they had failed at the last.
    """
    one: Measured | None = None
    two: Measured | None = None
    count, two_hold = first, False
    while (held := attempt(count, lambda players: run(1, players), holds)) is not None:
        one = held
        answer = attempt(ceil(growth * count / 10) * 10, lambda players: run(2, players), holds)
        two, two_hold = answer or two, answer is not None
        if count >= most:
            break
        count = min(most, round_to_ten(count * factor))
    while two is not None and two_hold and two.load.bots < most:
        answer = attempt(min(most, round_to_ten(two.load.bots * sqrt(factor))), lambda players: run(2, players), holds)
        two, two_hold = answer or two, answer is not None
    return one, two


def attempt(count: int, run: Callable[[int], Measured], holds: Callable[[Measured], bool]) -> Measured | None:
    """A run that held, of a few; None when all failed."""
    failures = 0
    for _ in range(MOST_ATTEMPTS):
        measured = run(count)
        if holds(measured):
            return measured
        failures += measured.slow_share <= DISTURBED_SHARE
        if failures == ATTEMPTS:
            return None
    return None


def round_to_ten(count: float) -> int:
    return int(count / 10 + 0.5) * 10
