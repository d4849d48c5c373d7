"""Run: python3 -m unittest discover -s Benchmarks/Scale/scale -t Benchmarks/Scale"""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts" / "rigs"))

from core_speed import Speeds
from scale.experiments import memory_of_each
from scale.load import Load, Measured, Moment, cores_in, lateness_in, seconds_of, steady_windows
from scale.search import attempt, in_turn, largest


class SearchTests(unittest.TestCase):
    def search(self, limit: int, first: int = 100, most: int = 10_000, flaky: bool = False) -> tuple[int | None, int]:
        runs: list[int] = []

        def run(count: int) -> Measured:
            runs.append(count)
            good = count <= limit and not (flaky and runs.count(count) == 1)
            return Measured(Load(count, 50), count * 30.0, 30.0 if good else 20.0, 0, 0, 1.0, is_correct=True)

        best, seen = largest(first, 1.5, most, run, lambda measured: measured.holds(29.5))
        self.assertEqual(len(seen), len(runs))
        return (best.load.bots if best is not None else None), len(runs)

    def test_it_climbs_to_the_limit_and_tries_half_way(self) -> None:
        self.assertEqual(self.search(300), (290, 6))
        self.assertEqual(self.search(250), (230, 7))
        self.assertEqual(self.search(290, first=200), (250, 4))

    def test_a_bad_second_is_forgiven(self) -> None:
        self.assertEqual(self.search(150, flaky=True)[0], 150)

    def test_nothing_holds(self) -> None:
        self.assertEqual(self.search(50), (None, 2))

    def test_it_stops_at_the_most(self) -> None:
        self.assertEqual(self.search(10_000, most=200), (200, 3))

    def in_turn(self, one: int, two: int, most: int = 10_000, bad: tuple[int, ...] = ()) -> tuple[int | None, int | None, list[tuple[int, int]]]:
        runs: list[tuple[int, int]] = []

        def run(loops: int, count: int) -> Measured:
            runs.append((loops, count))
            good = count <= {1: one, 2: two}[loops] and not (loops == 2 and count in bad)
            return Measured(Load(count, 50), count * 30.0, 30.0 if good else 20.0, 0, 0, 1.0, is_correct=True)

        found = in_turn(100, 1.5, 1.7, most, run, lambda measured: measured.holds(29.5))
        return *(measured.load.bots if measured is not None else None for measured in found), runs

    def test_one_and_two_loops_take_turns_and_two_climb_on(self) -> None:
        one, two, runs = self.in_turn(160, 400)
        self.assertEqual((one, two), (150, 390))
        self.assertEqual(runs[:4], [(1, 100), (2, 170), (1, 150), (2, 260)])

    def test_two_loops_that_fail_where_one_holds_are_asked_again_with_more(self) -> None:
        self.assertEqual(self.in_turn(160, 300, bad=(170,))[:2], (150, 260))
        self.assertEqual(self.in_turn(240, 300)[:2], (230, 260))

    def test_neither_climbs_beyond_the_most(self) -> None:
        self.assertEqual(self.in_turn(10_000, 10_000, most=200)[:2], (200, 340))
        self.assertEqual(self.in_turn(50, 10_000)[:2], (None, None))


class DisturbanceTests(unittest.TestCase):
    def tries(self, outcomes: list[tuple[float, float]]) -> tuple[bool, int]:
        """Of worst rates and shares of slow time, one for each run."""
        left = iter(outcomes)
        count = 0

        def run(players: int) -> Measured:
            nonlocal count
            count += 1
            worst, slow = next(left)
            return Measured(Load(players, 50), 3e3, worst, 0, 0, 1, steady_seconds=1 - slow, slow_seconds=slow, is_correct=True)

        return attempt(100, run, lambda measured: measured.holds(29.5)) is not None, count

    def test_a_run_in_which_the_machine_was_slow_is_no_failure_but_there_are_not_endless_ones(self) -> None:
        self.assertEqual(self.tries([(29, 0), (29, 0)]), (False, 2))
        self.assertEqual(self.tries([(29, 0.3), (29, 0), (29, 0.3), (30, 0.3)]), (True, 4))
        self.assertEqual(self.tries([(29, 0.3)] * 4), (False, 4))
        self.assertEqual(self.tries([(29, 0.1), (29, 0.1)]), (False, 2))

    def test_what_is_measured_is_that_of_steady_windows(self) -> None:
        # Ticks late by a millisecond at most, and by a tenth of a second in the window in which the machine was slow.
        counts = [{0.001: 0, 0.1: 0}, {0.001: 100, 0.1: 100}, {0.001: 100, 0.1: 200}, {0.001: 200, 0.1: 300}]
        cpu = [0.0, 0.1, 0.9, 1.0]
        moments = [Moment(10 + 0.5 * index, counts[index], [cpu[index], cpu[index] / 2]) for index in range(4)]
        looks = [(9.5 + 0.005 * index, 0.1 if 210 <= index < 220 else 1.0) for index in range(600)]
        steady = steady_windows(moments, Speeds(looks))
        self.assertEqual(seconds_of(steady), 0.5)
        self.assertEqual(cores_in(steady), [0.2, 0.1])
        self.assertLessEqual(lateness_in(steady), 0.001)
        whole = [(moments[0], moments[-1])]
        self.assertGreater(lateness_in(whole), 0.05)
        self.assertAlmostEqual(cores_in(whole)[0], 1.0 / 1.5)


class CurveTests(unittest.TestCase):
    def growth(self, kibibytes: list[tuple[int, int]]) -> float:
        points = [(float(x), Measured(Load(x, x), 1, 30, 0, 0, 1, resident_bytes=size << 10)) for x, size in kibibytes]
        before, last = memory_of_each(points)
        return last / before

    def test_what_the_first_members_find_free_does_not_make_those_after_them_dear(self) -> None:
        # As measured: 2.2 KiB a member, of which the first hundred show nothing.
        self.assertLess(self.growth([(10, 29_212), (50, 29_240), (100, 29_216), (300, 29_600), (1_000, 31_160)]), 1)

    def test_growth_with_the_square_of_members_is_found(self) -> None:
        self.assertGreater(self.growth([(x, 29_000 + 2 * x * x // 100) for x in (10, 50, 100, 300, 1_000)]), 2)


if __name__ == "__main__":
    unittest.main()
