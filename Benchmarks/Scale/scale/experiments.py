"""What is asked of scale, one experiment each. All give what was measured, for the report."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from statistics import median

from checks import Checks
from scale.load import Load, Measured, Placed, Throttle, measure, show
from scale.search import in_turn, largest

HELD_FPS = 29.5
SERVER_CORE, SWARM_CORE = {0}, {1}
ALONE = Placed(SERVER_CORE, SWARM_CORE)
# Rooms of 100 are the ones of the comparison with other servers.
ROOM_SIZE = 100
# Of the server's core for each loop: two of them do not fill it, and the swarm has the other core for itself.
LOOP_SHARE, LOOPS_ROOM_SIZE = 0.2, 50
LEAST_GROWTH = 1.7
ESTIMATED_PLAYERS = 100_000
# Heap that a server which has just started has touched and not in use: the first hundred members fill it, and nothing grows.
FREE_HEAP_BYTES = 256 << 10
# Longer than others: the machine is to keep its speed for most of a p99's worth of ticks.
LATENESS_RUNS, LATENESS_SECONDS = 3, 20
MOST_LATE_HALF_SECONDS, MOST_LATE_FULL_SECONDS = 1e-3, 3e-3


@dataclass
class Result:
    title: str
    # What stands on the x axis.
    axis: str
    points: list[tuple[float, Measured]] = field(default_factory=list)
    remark: str = ""


class Bench:
    def __init__(self, programs: Path, core_speed: Path, out: Path, checks: Checks):
        self.programs, self.core_speed, self.out, self.checks = programs, core_speed, out, checks

    def run(self, load: Load, placed: Placed = Placed()) -> Measured:
        measured = measure(load, self.programs, self.out, self.core_speed, placed)
        print(f"  {load.bots} players, rooms of {load.room_size}: {show(measured)}", flush=True)
        return measured

    def climb(self, load: Load, factor: float, most: int, placed: Placed, one_room: bool = False) -> tuple[Measured | None, Result]:
        def run(count: int) -> Measured:
            return self.run(replace(load, bots=count, room_size=count if one_room else load.room_size), placed)

        best, seen = largest(load.bots, factor, most, run, lambda measured: measured.holds(HELD_FPS))
        return best, Result("", "players", [(float(one.load.bots), one) for one in seen])

    def lateness(self) -> list[Result]:
        """The largest number of players of one loop on one core, and how late its ticks start there and at half of it."""
        print("one loop on a core of its own, players on the other:", flush=True)
        best, result = self.climb(Load(1_000, ROOM_SIZE), 1.25, 6_000, ALONE)
        result.title = f"One loop on one core, rooms of {ROOM_SIZE}, 30 inputs a second and player"
        self.checks.demand("largest number of players", best is not None, best.load.bots if best else "none", "at least 1,000")
        if best is None:
            return [result]
        half = replace(best.load, bots=max(ROOM_SIZE, best.load.bots // 2))
        self._late("half load", half, MOST_LATE_HALF_SECONDS, result)
        self._late("the largest load", best.load, MOST_LATE_FULL_SECONDS, result)
        return [result]

    def _late(self, where: str, load: Load, most: float, result: Result) -> None:
        """The median of a few runs: on a shared machine the p99 of a single one is its worst moment."""
        runs = [self.run(replace(load, seconds=LATENESS_SECONDS), ALONE) for _ in range(LATENESS_RUNS)]
        result.points += [(float(load.bots), one) for one in runs]
        # A run that does not tell counts as one that missed it.
        found = sorted(inf if one.lateness_p99_seconds is None else 1e3 * one.lateness_p99_seconds for one in runs)
        late = median(found)
        name = f"tick start lateness p99 at {where} ({load.bots} players)"
        value = f"{late:.2f} ms ({found[0]:.2f} to {found[-1]:.2f})"
        self.checks.demand(name, late <= 1e3 * most, value, f"at most {1e3 * most:.0f} ms, median of {LATENESS_RUNS}")

    def loops(self) -> list[Result]:
        """Two loops against one, each with the same small share of a core, so that the client side has the rest.

        They take turns, as machines have slower minutes: whatever one loop holds, two are then asked for 1.7 times as many.
        """
        print(f"one and two loops with {LOOP_SHARE:.0%} of a core each:", flush=True)
        if not Throttle.is_possible():
            self.checks.demand("two loops", False, "not measured", "root and the cpu controller of cgroup version 1")
            return []
        seen: dict[int, list[Measured]] = {1: [], 2: []}

        def run(loops: int, count: int) -> Measured:
            load = Load(count, LOOPS_ROOM_SIZE, loops=loops)
            seen[loops].append(self.run(load, Placed(SERVER_CORE, SWARM_CORE, Throttle(LOOP_SHARE))))
            return seen[loops][-1]

        one, two = in_turn(400, 1.1, LEAST_GROWTH, 4_000, run, lambda measured: measured.holds(HELD_FPS))
        results = [
            Result(f"{loops} loop{'s' if loops > 1 else ''} with {LOOP_SHARE:.0%} of a core each", "players",
                   [(float(each.load.bots), each) for each in measured])
            for loops, measured in seen.items()
        ]
        if one is None or two is None:
            self.checks.demand("two loops", False, "the smallest load did not hold", "players to compare")
            return results
        growth = two.load.bots / one.load.bots
        self.checks.note("players that one and two loops hold", f"{one.load.bots} and {two.load.bots}")
        self.checks.note("the swarm's busiest loop then", f"{two.swarm_busy:.0%}")
        self.checks.demand("growth from one loop to two", growth >= LEAST_GROWTH, f"{growth:.2f}x", f"at least {LEAST_GROWTH}x")
        return results

    def room(self) -> list[Result]:
        """One room: everybody moves and sees everybody."""
        print("one room, all moving:", flush=True)
        best, result = self.climb(Load(500, 500), 1.26, 4_000, ALONE, one_room=True)
        result.title = "One room, all moving, 30 inputs a second and player"
        held = best.load.bots if best is not None else 0
        self.checks.note("bytes a frame there", f"{best.bytes_a_frame:.0f}" if best is not None else "-")
        self.checks.demand("players in one room", held >= 1_000, held, "at least 1,000")
        return [result]

    def curves(self) -> list[Result]:
        """What more connections, rooms and members cost."""
        curves = [
            ("CPU and memory by connections (5 ticks and 1 input a second, rooms of 50)", "connections",
             [Load(count, 50, input_rate=1, tick_rate=5) for count in (100, 1_000, 3_000, 10_000)]),
            ("CPU and memory by players (30 ticks and 10 inputs a second, rooms of 50)", "players",
             [Load(count, 50, input_rate=10) for count in (100, 500, 1_000, 2_000)]),
            ("CPU and memory by rooms of two (30 ticks and 10 inputs a second)", "rooms",
             [Load(2 * count, 2, input_rate=10) for count in (1, 10, 100, 300, 1_000)]),
            ("CPU and memory by members of one room (30 ticks and 10 inputs a second)", "members",
             [Load(count, count, input_rate=10) for count in (10, 50, 100, 300, 1_000)]),
        ]
        results = []
        for title, axis, loads in curves:
            print(f"{title}:", flush=True)
            rooms = axis == "rooms"
            points = [(load.bots / load.room_size if rooms else load.bots, self.run(load, ALONE)) for load in loads]
            results.append(Result(title, axis, points, remark=self._judge(title, axis, points)))
            if axis == "players":
                self._estimate(points)
        return results

    def _estimate(self, points: list[tuple[float, Measured]]) -> None:
        """What the largest point comes to for many more; docs/benchmarks.md says what that assumes."""
        good = [(x, one) for x, one in points if one.frames_a_second]
        if len(good) < 2:
            return
        (first_x, first), (last_x, last) = good[0], good[-1]
        cores = last.cores / last_x * ESTIMATED_PLAYERS
        memory = (last.resident_bytes - first.resident_bytes) / (last_x - first_x) * ESTIMATED_PLAYERS / (1 << 20)
        network = last.bytes_a_frame * last.load.tick_rate * ESTIMATED_PLAYERS * 8 / 1e9
        self.checks.note(
            f"{ESTIMATED_PLAYERS:,} players at what one of {last_x:,.0f} takes",
            f"{cores:.1f} cores like this one, {memory:,.0f} MiB of user space, {network:.1f} Gbit/s of frames",
        )

    def _judge(self, title: str, axis: str, points: list[tuple[float, Measured]]) -> str:
        """Linear or better: the last step costs no more for each unit than the steps before, within the noise."""
        good = [(x, one) for x, one in points if one.frames_a_second]
        correct = len(good) == len(points) and all(one.is_correct for _, one in good)
        self.checks.demand(f"{axis}: all runs correct", correct, f"{len(good)} of {len(points)}", "all")
        if len(good) < 3:
            return ""
        # Small loads are mostly what an idle server takes, so the middle is the base.
        (base_x, base), (last_x, last) = good[len(good) // 2], good[-1]
        cpu = (last.cores / last_x) / (base.cores / base_x)
        grown = memory_of_each(good)
        memory = grown[1] / grown[0]
        limit = 1.15
        demand = f"at most {limit} of that at {base_x:.0f} {axis}"
        self.checks.demand(f"CPU for each of {last_x:.0f} {axis}", cpu <= limit, f"{cpu:.2f}", demand)
        of_before = f"at most {limit} of that at {good[-2][0]:.0f} {axis}"
        self.checks.demand(f"memory for each of {last_x:.0f} {axis}", memory <= limit, f"{memory:.2f}", of_before)
        return f"{1e6 * last.cores / last_x:.0f} us of CPU a second and {grown[1] / 1024:.1f} KiB for each of the {axis}"


def memory_of_each(points: list[tuple[float, Measured]]) -> tuple[float, float]:
    """Bytes for each unit above the first point, at the last point but one and at the last."""
    first_x, first = points[0]
    (base_x, base), (last_x, last) = points[-2:]
    before = (base.resident_bytes - first.resident_bytes + FREE_HEAP_BYTES) / (base_x - first_x)
    return before, (last.resident_bytes - first.resident_bytes) / (last_x - first_x)
