"""The rig: clients, runs, limits, figures, charts.

python3 -m unittest discover -s Tests/Failures
"""

from __future__ import annotations

import unittest
import xml.etree.ElementTree as ElementTree

from programs import BIN

import memory_cgroup
from failures.charts import Chart, Line, round_step, sheet
from failures.figures import crowd_figures, cycle_figures, middle
from failures.runs import Contestant, Run, run
from failures.server import Sample, make_cgroup

NAIVE = Contestant("per-message", "naive", "naive", [str(BIN / "NaiveServer"), "--mode", "per-message"], "aborted")
OURS_COMMAND = [str(BIN / "tickserver"), "--listen", "127.0.0.1:any", "--set", "admin.port=off"]
OURS = Contestant("tickserver", "TickServer", "tickserver", OURS_COMMAND, "slowConsumer")
PROBE = make_cgroup(2**20)
if PROBE:
    memory_cgroup.remove(PROBE)


def crowd(*more: str) -> list[str]:
    return [str(BIN / "FailureClients"), "crowd", *more]


class RunTests(unittest.TestCase):
    def test_the_same_clients_hear_each_other_on_either_server(self) -> None:
        words = crowd("--clients", "6", "--seconds", "2", "--stalling", "1", "--stall-at", "1", "--pausing", "1")
        for contestant in (NAIVE, OURS):
            with self.subTest(contestant=contestant.title):
                found = run(contestant, words, None, 60)
                self.assertIsNone(found.problem)
                self.assertFalse(found.wasKilled)
                self.assertEqual(found.exitCode, 0)
                self.assertEqual([line["second"] for line in found.lines], [1, 2])
                self.assertGreater(len(found.samples), 5)
                last = found.lines[-1]
                self.assertEqual([last["openHealthy"], last["openPausing"], last["openStalling"]], [4, 1, 1])
                # At most what was sent by the five that count, to the four that are measured.
                self.assertGreater(last["updates"], 0)
                self.assertLessEqual(last["updates"], last["sent"] * 4)
                self.assertGreater(last["p50Microseconds"], 0)
                figures = crowd_figures(found, 4, 1, 1, 1)
                self.assertEqual([figures.healthyLost, figures.pausingLost, figures.stallingLost], [0, 0, 0])

    def test_cycles_leave_zombies_behind_and_nothing_on_tickserver(self) -> None:
        words = [str(BIN / "FailureClients"), "cycles", "--cycles", "2", "--subscribers", "4", "--rate", "800"]
        words += ["--receive-buffer-bytes", "16384", "--rest-milliseconds", "700"]
        zombie = [str(BIN / "NaiveServer"), "--mode", "zombie", "--queue-messages", "16", "--send-buffer-bytes", "16384"]
        limits = {"messageBurst": "2000", "messagesPerSecond": "2000", "eventLogBytes": "512KiB", "eventLogEvents": "4096"}
        ours = [*OURS.command, "--set", "sendBuffer=16KiB", "--set", "bytesPerSecond=1MiB", "--set", "byteBurst=1MiB"]
        for key, value in limits.items():
            ours += ["--set", f"rooms.arena.limits.{key}={value}"]
        for command, dialect, left in ((zombie, "naive", 8), (ours, "tickserver", 0)):
            with self.subTest(dialect=dialect):
                found = run(Contestant(dialect, dialect, dialect, command, "flagged client="), words, None, 60)
                self.assertIsNone(found.problem)
                figures = cycle_figures(found)
                self.assertEqual(figures.cycles, 2)
                self.assertEqual(figures.overflows, left)
                self.assertEqual(figures.descriptorsAfter - figures.descriptorsBefore, left)
                self.assertGreater(figures.heardPerCycle, 0)

    def test_a_server_that_does_not_start_says_why(self) -> None:
        broken = Contestant("x", "x", "naive", [str(BIN / "NaiveServer"), "--mode", "zombie", "--port", "0"], "x")
        with self.assertRaisesRegex(RuntimeError, "--port is 1 to 65535 or any"):
            run(broken, crowd(), None, 5)

    @unittest.skipUnless(PROBE, "memory cgroups can't be made here")
    def test_without_a_bound_the_memory_limit_ends_the_server(self) -> None:
        words = crowd("--clients", "30", "--seconds", "60", "--stalling", "10", "--stall-at", "1", "--rate", "200")
        found = run(NAIVE, words, 24 * 2**20, 90)
        self.assertIsNone(found.problem)
        self.assertTrue(found.wasKilled)
        self.assertEqual(found.exitCode, 137)


class FiguresTests(unittest.TestCase):
    def line(self, second: int, **changes: float) -> dict:
        line = {
            "second": second, "atSeconds": second, "messages": 100, "updates": 100, "meanRate": 30.0, "slowestRate": 29.0,
            "p99Microseconds": 2000, "openHealthy": 8, "openPausing": 1, "openStalling": 1,
        }  # fmt: skip
        return line | changes

    def sample(self, seconds: float, **changes: float) -> Sample:
        values = {"residentBytes": 10, "tcpBytes": 5, "kernelBytes": 5, "unownedBytes": 0, "descriptors": 20, "writes": 0, "writtenBytes": 0}
        return Sample(seconds=seconds, cpuSeconds=seconds / 2, **(values | changes))

    def test_a_killed_server_is_judged_by_the_seconds_before(self) -> None:
        killed = Run("x", 100, exitCode=137, wasKilled=True)
        killed.samples = [
            self.sample(0),
            self.sample(2, writes=400, writtenBytes=4000),
            self.sample(4, writes=800, residentBytes=90, writtenBytes=8000),
        ]
        killed.lines = [self.line(1), self.line(2), self.line(3, meanRate=20.0)]
        killed.lines += [self.line(5, meanRate=0, openHealthy=0)]
        figures = crowd_figures(killed, 8, 1, 1, 2)
        self.assertEqual((figures.writesPerSecond, figures.writtenBytesPerSecond), (200, 2000))
        self.assertEqual((figures.rateBeforeStall, figures.rateAfterStall), (30, 20))
        self.assertEqual((figures.memoryAtStallBytes, figures.memoryPeakBytes), (15, 95))
        self.assertEqual((figures.healthyLost, figures.writesPerUpdate), (0, 800 / 300))

    def test_cycles_are_counted_while_the_clients_that_stay_are_there(self) -> None:
        found = Run("x", None, samples=[self.sample(0), self.sample(1, descriptors=30), self.sample(3, descriptors=28)])
        found.lines = [{"atSeconds": 2.0, "cycle": 1, "publications": 7}]
        figures = cycle_figures(found)
        self.assertEqual((figures.descriptorsBefore, figures.descriptorsAfter, figures.heardPerCycle), (20, 30, 7))

    def test_rounds_come_to_their_median(self) -> None:
        runs = [Run("x", None, samples=[self.sample(0), self.sample(2, writes=count)]) for count in (20, 180, 40)]
        for found in runs:
            found.lines = [self.line(1), self.line(2)]
        self.assertEqual(middle([crowd_figures(found, 8, 1, 1, 1) for found in runs]).writesPerSecond, 20)


class ChartTests(unittest.TestCase):
    def test_charts_are_well_formed_and_stay_inside(self) -> None:
        lines = [Line("a < b", [(0, 0), (20, 1234.5)], 0), Line("flat", [(0, 3), (40, 3)], 1)]
        root = ElementTree.fromstring(sheet([Chart("one & two", lines, "{:,.0f}".format, ("limit", 256))] * 3))
        paths = root.findall(".//{http://www.w3.org/2000/svg}polyline")
        self.assertEqual(len(paths), 6)
        for path in paths:
            for point in path.attrib["points"].split():
                x, y = map(float, point.split(","))
                self.assertTrue(0 <= x <= 600 and 0 <= y <= 250, point)

    def test_axes_have_round_steps(self) -> None:
        self.assertEqual([round_step(raw) for raw in (0.3, 1, 1.1, 2.2, 30, 70, 74250)], [0.5, 1, 2, 2.5, 50, 100, 100000])


if __name__ == "__main__":
    unittest.main()
