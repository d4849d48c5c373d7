"""Percentiles of scraped histograms. Run: python3 -m unittest discover -s scripts/rigs"""

from __future__ import annotations

import unittest

from metrics import LATENESS, difference, histogram_of, percentile, total
from server import RigError

PAGE = """# TYPE tickserver_tick_lateness_seconds histogram
tickserver_tick_lateness_seconds_bucket{loop="0",le="0.001"} 90
tickserver_tick_lateness_seconds_bucket{loop="0",le="0.01"} 100
tickserver_tick_lateness_seconds_bucket{loop="0",le="+Inf"} 100
tickserver_tick_lateness_seconds_bucket{loop="1",le="0.001"} 10
tickserver_tick_lateness_seconds_bucket{loop="1",le="0.01"} 100
tickserver_tick_lateness_seconds_bucket{loop="1",le="+Inf"} 100
tickserver_tick_duration_seconds_bucket{loop="1",le="0.001"} 7
"""
INF = float("inf")


class HistogramTests(unittest.TestCase):
    def test_loops_are_added_and_other_series_left_out(self) -> None:
        self.assertEqual(histogram_of(PAGE, LATENESS), {0.001: 100, 0.01: 200, INF: 200})

    def test_a_page_without_the_series_is_an_error(self) -> None:
        with self.assertRaises(RigError):
            histogram_of("tickserver_up 1\n", LATENESS)

    def test_a_percentile_lies_within_its_bucket(self) -> None:
        counts = {0.001: 100, 0.01: 200, INF: 200}
        self.assertAlmostEqual(percentile(counts, 0.5), 0.001)
        self.assertAlmostEqual(percentile(counts, 0.75), 0.001 * 10**0.5)
        self.assertAlmostEqual(percentile(counts, 1), 0.01)

    def test_what_is_above_all_bounds_counts_as_the_last(self) -> None:
        self.assertAlmostEqual(percentile({0.001: 0, 0.01: 1, INF: 100}, 0.99), 0.01)

    def test_windows_are_differences_and_add_up(self) -> None:
        window = difference({0.001: 150, INF: 300}, {0.001: 100, INF: 200})
        self.assertEqual(window, {0.001: 50, INF: 100})
        self.assertEqual(total([window, window]), {0.001: 100, INF: 200})


if __name__ == "__main__":
    unittest.main()
