"""Run: python3 -m unittest discover -s Benchmarks/Scale/scale -t Benchmarks/Scale"""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts" / "rigs"))

from scale.load import Load, Measured
from scale.search import largest


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


if __name__ == "__main__":
    unittest.main()
