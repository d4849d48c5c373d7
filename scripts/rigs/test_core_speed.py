"""What a rig makes of looks at a core's speed."""

from __future__ import annotations

import unittest
from pathlib import Path

from core_speed import LOOK_SECONDS, SLOW_SHARE, parsed


def looks(slow: range) -> str:
    """Two seconds of looks; those of `slow` at a tenth of the speed."""
    return "".join(f"{5_000_000 * number} {100_000 if number in slow else 10_000}\n" for number in range(400))


class Speeds(unittest.TestCase):
    def test_without_a_slow_moment_all_is_steady(self) -> None:
        speeds = parsed(looks(range(0)))
        self.assertTrue(speeds.are_steady(0.5, 1.5))

    def test_a_slow_moment_spoils_its_window_and_those_after_it_until_all_is_served(self) -> None:
        # Slow from 1.00 s to 1.045 s.
        speeds = parsed(looks(range(200, 210)))
        self.assertTrue(speeds.are_steady(0.75, 0.99))
        self.assertFalse(speeds.are_steady(0.76, 1.01))
        self.assertFalse(speeds.are_steady(1.2, 1.4))
        self.assertTrue(speeds.are_steady(1.55, 1.8))

    def test_a_look_at_two_thirds_of_the_speed_is_not_slow(self) -> None:
        text = looks(range(0)).replace("500000000 10000", "500000000 15000")
        self.assertTrue(parsed(text).are_steady(0.4, 0.6))
        self.assertFalse(parsed(text.replace("500000000 15000", "500000000 17000")).are_steady(0.4, 0.6))

    def test_time_that_nobody_looked_at_is_not_steady(self) -> None:
        self.assertFalse(parsed(looks(range(0))).are_steady(1.8, 2.5))
        self.assertFalse(parsed("").are_steady(0, 1))

    def test_slow_means_the_same_to_the_client_of_the_comparison(self) -> None:
        header = (Path(__file__).resolve().parents[2] / "Benchmarks" / "Comparison" / "speed.h").read_text()
        self.assertIn(f"#define SLOW_SHARE {SLOW_SHARE}\n", header)
        self.assertIn(f"#define LOOK_NS {round(LOOK_SECONDS * 1e9)}ull\n", header)

    def test_a_line_cut_off_is_left_out(self) -> None:
        self.assertEqual(len(parsed("1000 5\n2000 5\n30").looks), 2)
        self.assertEqual(len(parsed("1000 5\n2000 5\n3000 1").looks), 2)


if __name__ == "__main__":
    unittest.main()
