"""What runs come to: medians, ratios to the floor of the same round, the largest number of players."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import median
from typing import Callable

from .measure import Result, Task

ENOUGH_PER_SECOND = 29.5
# In the full job a frame alone is not enough: inputs that are not read leave frames short. Of what a player publishes, one in
# twenty may meet another of the same player in one tick, which has the later one.
ENOUGH_OF_PUBLISHED = 0.95


@dataclass
class Row:
    """A server at one task: medians over its rounds. `problem` when a run failed."""

    key: str
    task: Task
    cpu_microseconds: float
    # To the floor in the same round; None where either failed.
    ratio: float | None
    least_ratio: float | None
    greatest_ratio: float | None
    rate: float
    p99_milliseconds: float
    peak_bytes: float
    # Share of its core that the client took: near 1 it is the client that was measured.
    client_cores: float
    # Of the measured time, in which the machine was slow and CPU and latency did not count.
    slow_share: float
    problem: str


def row(runs: list[Result], floor: list[Result]) -> Row:
    """`floor` has the runs of the same rounds."""
    good = [run for run in runs if not run.problem]
    ratios = sorted(
        run.cpu_microseconds / base.cpu_microseconds
        for run, base in zip(runs, floor)
        if not run.problem and not base.problem
    )

    def middle(value: Callable[[Result], float]) -> float:
        return median(map(value, good)) if good else 0

    return Row(
        key=runs[0].key,
        task=runs[0].task,
        cpu_microseconds=middle(lambda run: run.cpu_microseconds),
        ratio=median(ratios) if ratios else None,
        least_ratio=ratios[0] if ratios else None,
        greatest_ratio=ratios[-1] if ratios else None,
        rate=middle(lambda run: run.rate),
        p99_milliseconds=middle(lambda run: run.p99_milliseconds),
        peak_bytes=middle(lambda run: run.peak_bytes),
        client_cores=middle(lambda run: run.counts["clientCores"]),
        slow_share=middle(lambda run: run.slow_share),
        problem=next((run.problem for run in runs if run.problem), ""),
    )


@dataclass
class Largest:
    """How many players every one of whom got enough. 0: not even the fewest that were tried."""

    key: str
    members: int
    # The run that held, the first one that did not.
    best: Result | None
    failed: Result | None
    # Of all searches, of which this is the middle one.
    all_members: list[int] = field(default_factory=list)

    @property
    def is_all_tried(self) -> bool:
        """No number that was tried was too many."""
        return self.failed is None


def largest(key: str, steps: list[int], attempt: Callable[[int], Result], tries: int = 2) -> Largest:
    """Upwards through `steps`, up to the first that fails. A disturbance of the machine is not a failure: it is tried again."""
    best = None
    for members in steps:
        for _ in range(tries):
            result = attempt(members)
            if held(result):
                break
        else:
            return Largest(key, best.task.members if best else 0, best, result)
        best = result
    return Largest(key, best.task.members if best else 0, best, None)


def middle(searches: list[Largest]) -> Largest:
    """The one with the median number of players, the lower of two; it knows what the others came to."""
    in_order = sorted(searches, key=lambda one: one.members)
    chosen = in_order[(len(in_order) - 1) // 2]
    return replace(chosen, all_members=[one.members for one in searches])


def held(result: Result) -> bool:
    if result.problem or result.rate < ENOUGH_PER_SECOND:
        return False
    published = result.published
    if published is None:
        return True
    # Where the client did not publish in time it is no full job, whoever serves it.
    if published < ENOUGH_PER_SECOND:
        return False
    return not result.has_tick or result.updates is None or result.updates >= ENOUGH_OF_PUBLISHED * published


@dataclass
class FullJobVerdict:
    players: int
    best_rival: int
    floor: int

    @property
    def times(self) -> float:
        return self.players / self.best_rival if self.best_rival else float("inf")

    @property
    def ok(self) -> bool:
        """Ten times the best of those that send by message, or as many as the floor."""
        return self.players > 0 and (self.times >= 10 or self.players >= self.floor > 0)
