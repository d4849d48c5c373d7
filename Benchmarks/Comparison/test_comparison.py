"""What the comparison makes of runs, without running anything."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from comparison import report
from comparison.bars import Bar, bars
from comparison.contestants import all_contestants
from comparison.figures import FullJobVerdict, Largest, largest, middle, row
from comparison.measure import Result, Task

TASK = Task(1000, 1024)


def result(cpu: float, rate: float = 30, key: str = "tickserver", task: Task = TASK, **more: float) -> Result:
    """One of a million frames, so that CPU seconds are microseconds a frame; two seconds of 30 publications for each."""
    counts = {"serverCPUSeconds": cpu, "frames": 1_000_000, "minFramesPerSecond": rate, "clientCores": 0.5}
    counts |= {"seconds": 2.0, "published": 60 * task.members} | more
    return Result(key, task, key in ("floor", "tickserver", "uv"), peak_bytes=1 << 20, counts=counts)


def disturbed(run: Result, seconds: float = 2, slow: float = 1, cpu: float = 1) -> Result:
    """The same with half of its frames in `seconds` of steady time."""
    run.counts["steady"] = {
        "seconds": seconds, "slowSeconds": slow, "frames": 500_000, "serverCPUSeconds": cpu, "frameP99Microseconds": 1_500,
        "minFramesPerSecond": 29.9,
    }  # fmt: skip
    return run


def failed(problem: str = "the server ended") -> Result:
    return Result("tickserver", TASK, True, problem)


class Rows(unittest.TestCase):
    def test_a_ratio_is_to_the_floor_of_the_same_round(self) -> None:
        # The machine was twice as slow in the second round.
        found = row([result(8), result(17), result(9)], [result(8), result(16), result(8)])
        self.assertEqual((found.least_ratio, found.ratio, found.greatest_ratio), (1.0, 1.0625, 1.125))
        self.assertEqual(found.cpu_microseconds, 9)

    def test_a_round_in_which_one_failed_has_no_ratio(self) -> None:
        found = row([failed(), result(9), result(8)], [result(1), failed(), result(4)])
        self.assertEqual((found.ratio, found.problem), (2.0, "the server ended"))

    def test_what_failed_always_has_neither_ratio_nor_cpu(self) -> None:
        found = row([failed()], [result(1)])
        self.assertIsNone(found.ratio)
        self.assertIn("failed: the server ended", report.rows_table([found], {"tickserver": "TickServer"})[1])

    def test_more_rounds_than_the_floor_had_do_not_count(self) -> None:
        self.assertEqual(row([result(8), result(80)], [result(8)]).ratio, 1.0)

    def test_a_busy_client_is_told(self) -> None:
        found = row([result(8, clientCores=0.97)], [result(8)])
        self.assertEqual(report.rows_table([found], {"tickserver": "TickServer"})[1][-2], "97% (full)")

    def test_cpu_and_latency_count_while_the_machine_kept_its_speed(self) -> None:
        run = disturbed(result(40, 28, frameP99Microseconds=90_000), seconds=3, slow=1, cpu=2.5)
        self.assertEqual((run.cpu_microseconds, run.p99_milliseconds, run.rate, run.slow_share), (5, 1.5, 29.9, 0.25))
        self.assertEqual(row([run], [result(5)]).ratio, 1)
        self.assertEqual(report.rows_table([row([run], [result(5)])], {"tickserver": "TickServer"})[1][-1], "25%")
        self.assertEqual((result(8).slow_share, result(8).cpu_microseconds), (0, 8))

    def test_where_it_was_never_slow_the_whole_counts(self) -> None:
        run = disturbed(result(8, 28), slow=0)
        self.assertEqual((run.cpu_microseconds, run.rate), (8, 28))

    def test_where_it_was_slow_nearly_all_the_time_the_whole_counts(self) -> None:
        run = disturbed(result(40, frameP99Microseconds=90_000), seconds=0.4, slow=3.6, cpu=2.5)
        self.assertEqual((run.cpu_microseconds, run.p99_milliseconds, run.slow_share), (40, 90, 0.9))


class Rates(unittest.TestCase):
    def test_frames_count_for_a_server_with_ticks_publications_for_the_others(self) -> None:
        task = Task(50, full_job=True)
        self.assertEqual(result(8, 30, task=task, minUpdatesPerSecond=28).rate, 30)
        self.assertEqual(result(8, 2970, key="redis", task=task, minUpdatesPerSecond=28).rate, 28)
        self.assertEqual(failed().rate, 0)

    def test_latency_is_of_frames_where_there_are_some(self) -> None:
        self.assertEqual(result(8, frameP99Microseconds=2500, updateP99Microseconds=9000).p99_milliseconds, 2.5)
        self.assertEqual(result(8, updateP99Microseconds=9000).p99_milliseconds, 9)

    def test_latency_in_the_full_job_is_of_publications_for_all(self) -> None:
        task = Task(50, full_job=True)
        self.assertEqual(result(8, task=task, frameP99Microseconds=2500, updateP99Microseconds=9000).p99_milliseconds, 9)
        # The floor has no publications.
        self.assertEqual(result(8, task=task, frameP99Microseconds=2500).p99_milliseconds, 2.5)


class LargestNumber(unittest.TestCase):
    def test_it_stops_at_the_first_number_that_fails_twice(self) -> None:
        tried: list[int] = []

        def attempt(members: int) -> Result:
            tried.append(members)
            return result(8, 30 if members < 1500 else 29.4, task=Task(members))

        found = largest("tickserver", [500, 1000, 1500, 2000], attempt)
        self.assertEqual((found.members, tried), (1000, [500, 1000, 1500, 1500]))
        self.assertIn("1,500: 29.4 a second", report.failure(found))

    def test_frames_without_what_the_others_did_are_not_the_full_job(self) -> None:
        outcomes = iter([29.4, 18.0, 18.0])

        def attempt(members: int) -> Result:
            return result(8, 30, task=Task(members, full_job=True), minUpdatesPerSecond=next(outcomes))

        found = largest("tickserver", [500, 1000], attempt)
        self.assertEqual(found.members, 500)
        self.assertIn("1,000: 30.0 a second, 18.0 updates of each other", report.failure(found))
        # The floor tells nobody anything; in a fan-out there is one who publishes.
        floor = largest("floor", [500], lambda members: result(8, 30, key="floor", task=Task(members, full_job=True)))
        fan_out = largest("tickserver", [500], lambda members: result(8, 30, task=Task(members), minUpdatesPerSecond=3))
        self.assertEqual((floor.members, fan_out.members), (500, 500))

    def test_updates_are_counted_against_what_the_client_published_which_has_to_be_enough(self) -> None:
        def held_at(published: float, updates: float, key: str = "tickserver") -> int:
            task = Task(500, full_job=True)
            counts = {"published": published * 2 * 500, "minUpdatesPerSecond": updates}
            return largest(key, [500], lambda _: result(8, 30, key=key, task=task, **counts)).members

        self.assertEqual((held_at(29.6, 28.2), held_at(29.6, 28.0)), (500, 0))
        # The client's core was full: nobody was given the full job.
        self.assertEqual((held_at(29.4, 29.4), held_at(29.4, 0, "floor")), (0, 0))
        task = Task(500, full_job=True)
        slow = largest("floor", [500], lambda _: result(8, 30, key="floor", task=task, published=29.4 * 1000))
        self.assertIn("500: 30.0 a second, 29.4 sent", report.failure(slow))

    def test_of_several_searches_the_middle_one_counts(self) -> None:
        searches = [Largest("tickserver", members, None, failed()) for members in (3000, 2000, 3500)]
        self.assertEqual(middle(searches).members, 3000)
        self.assertEqual(report.members(middle(searches)), "3,000 (2,000 to 3,500)")
        self.assertEqual(middle(searches[:2]).members, 2000)
        self.assertEqual(report.members(middle(searches[:1])), "3,000")

    def test_a_single_disturbance_is_forgiven(self) -> None:
        outcomes = iter([29.0, 30.0, 30.0])
        found = largest("tickserver", [500, 1000], lambda n: result(8, next(outcomes), task=Task(n)))
        self.assertEqual((found.members, found.is_all_tried), (1000, True))
        self.assertEqual(report.members(found), "1,000 or more")

    def test_rates_and_publications_count_while_the_machine_kept_its_speed(self) -> None:
        task = Task(500, full_job=True)

        def held_at(rate: float, updates: float, published: float) -> int:
            run = disturbed(result(8, 28, task=task, minUpdatesPerSecond=20, published=20 * 2 * 500))
            run.counts["steady"] |= {"minFramesPerSecond": rate, "minUpdatesPerSecond": updates, "published": published * 2 * 500}
            return largest("tickserver", [500], lambda _: run).members

        self.assertEqual([held_at(*rates) for rates in ((29.9, 29, 30), (29.4, 29, 30), (29.9, 28, 30), (29.9, 29, 29.4))], [500, 0, 0, 0])

    def test_nothing_holds(self) -> None:
        found = largest("tickserver", [500], lambda _: failed())
        self.assertEqual((found.members, found.best), (0, None))


class Verdicts(unittest.TestCase):
    def test_ten_times_the_best_rival_or_as_many_as_the_floor(self) -> None:
        self.assertTrue(FullJobVerdict(600, 60, 4000).ok)
        self.assertTrue(FullJobVerdict(2000, 300, 2000).ok)
        self.assertFalse(FullJobVerdict(590, 60, 4000).ok)
        self.assertFalse(FullJobVerdict(0, 0, 0).ok)


class Drawn(unittest.TestCase):
    def test_bars_are_as_long_as_their_values(self) -> None:
        drawn = bars([Bar("a <b>", 2, "2.00"), Bar("c", 1, "1.00")], ("the floor", 1))
        self.assertIn("a &lt;b&gt;", drawn)
        self.assertIn('width="560.0"', drawn)
        self.assertIn('width="280.0"', drawn)


class Starting(unittest.TestCase):
    def test_every_server_listens_on_the_port_it_is_given(self) -> None:
        for contestant in all_contestants(Path("/ts/tickserver"), Path("/programs")):
            with self.subTest(contestant.key), tempfile.TemporaryDirectory() as name:
                command = contestant.command(Path(name), 45678, 2048)
                texts = command + [path.read_text() for path in Path(name).iterdir()]
                self.assertEqual(any("45678" in text for text in texts), not contestant.tells_port)


if __name__ == "__main__":
    unittest.main()
