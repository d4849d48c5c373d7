"""Run: python3 -m unittest discover -s Benchmarks/Scale/scale -t Benchmarks/Scale"""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts" / "rigs"))

from scale.load import Load, Measured
from scale.search import in_turn, largest


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


if __name__ == "__main__":
    unittest.main()
