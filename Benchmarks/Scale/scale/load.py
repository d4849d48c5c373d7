"""One run: a server, players on it, and what both took while all played."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

from core_speed import CoreSpeed, Speeds
from cores import stay_on
from metrics import Histogram, Scraper, difference, percentile, total
from samples import Sampler
from server import Server
from swarm import Swarm

CONFIGURATION = Path(__file__).resolve().parents[1] / "walk.yaml"
SETTLING_SECONDS = 2
# Quiet, leaving and the swarm's own report.
ENDING_SECONDS = 60
JOIN_RATE = 500
# A process has 20,000 descriptors on many machines, and a loop of the swarm a core.
BOTS_A_SWARM = 10_000
# What the server takes, and how late its ticks are, counts in windows in which the machine kept its speed.
WINDOW_SECONDS = 0.25
# Less of a run says nothing about the server.
LEAST_STEADY_SECONDS = 2.0


@dataclass(frozen=True)
class Load:
    bots: int
    room_size: int
    # Of each bot; the same as the tick rate unless said.
    input_rate: int = 30
    tick_rate: int = 30
    loops: int = 1
    seconds: int = 10
    mix: str = "walk=1"


@dataclass(frozen=True)
class Placed:
    """Which cores may run whom; None: any."""

    server: set[int] | None = None
    swarm: set[int] | None = None
    # A share of a core for each loop of the server, by the kernel's CPU controller.
    throttle: "Throttle | None" = None


@dataclass(frozen=True)
class Measured:
    load: Load
    frames_a_second: float
    worst_bot: float
    frame_p99_seconds: float
    # While the machine kept its speed; None where that was not for long enough to tell.
    lateness_p99_seconds: float | None
    # Of the server while all played and the machine kept its speed, in cores.
    cores: float
    loop_cores: list[float] = field(default_factory=list)
    # Of the run: for how long the machine kept its speed, and for how long it did not.
    steady_seconds: float = 0
    slow_seconds: float = 0
    # Of the whole run, slow moments of the machine and all.
    whole_lateness_p99_seconds: float = 0
    resident_bytes: int = 0
    bytes_a_frame: float = 0
    bytes_an_update: float | None = None
    swarm_busy: float = 0
    is_correct: bool = False
    faults: str = ""

    def holds(self, worst: float) -> bool:
        return self.is_correct and self.worst_bot >= worst

    @property
    def slow_share(self) -> float:
        """Of the time, in which the machine did not keep its speed, or what had piled up was being served."""
        return self.slow_seconds / max(1e-9, self.slow_seconds + self.steady_seconds)

    @property
    def micros_a_frame(self) -> float:
        return 1e6 * self.cores / max(1.0, self.frames_a_second)


class Throttle:
    """Gives each loop thread of a server the same share of a core. Needs root and version 1 of the cpu controller."""

    ROOT = Path("/sys/fs/cgroup/cpu")
    # Short, so that a loop waits little for its next share.
    PERIOD_MICROSECONDS = 5_000

    def __init__(self, share: float):
        self.share = share
        self.folders: list[Path] = []

    @classmethod
    def is_possible(cls) -> bool:
        return os.geteuid() == 0 and cls.ROOT.is_dir()

    def limit(self, pid: int) -> None:
        for index, thread in enumerate(loop_threads(pid)):
            folder = self.ROOT / f"tickserver-bench-{pid}-{index}"
            folder.mkdir()
            self.folders.append(folder)
            (folder / "cpu.cfs_period_us").write_text(str(self.PERIOD_MICROSECONDS))
            (folder / "cpu.cfs_quota_us").write_text(str(int(self.PERIOD_MICROSECONDS * self.share)))
            (folder / "tasks").write_text(str(thread))

    def remove(self) -> None:
        """When the threads have ended."""
        for folder in self.folders:
            folder.rmdir()
        self.folders.clear()


def loop_threads(pid: int) -> list[int]:
    """Threads that turn a game loop, by their name."""
    tasks = sorted(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir())
    return [task for task in tasks if Path(f"/proc/{pid}/task/{task}/comm").read_text().startswith("tick-")]


def leave_to_loops(pid: int, placed: Placed) -> None:
    """Moves the server's other threads to the swarm's cores: a look at /metrics is a millisecond on the admin port's thread."""
    if placed.server is None or placed.swarm is None:
        return
    loops = loop_threads(pid)
    for task in Path(f"/proc/{pid}/task").iterdir():
        if int(task.name) not in loops:
            os.sched_setaffinity(int(task.name), placed.swarm)


def cpu_seconds(tasks: list[Path]) -> float:
    """CPU time of threads, exact."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def measure(load: Load, programs: Path, out: Path, core_speed: Path, placed: Placed = Placed()) -> Measured:
    rooms = -(-load.bots // load.room_size)
    # All bots have one address, which gets three quarters of the rooms.
    settings = [
        f"loops={load.loops}", f"maxConnections={load.bots + 100}", f"maxRooms={rooms * 4 // 3 + 12}", "memoryLimit=unlimited",
        f"rooms.walk.capacity={max(2, load.room_size)}", f"rooms.walk.tickRate={load.tick_rate}",
    ]
    server = Server(programs / "tickserver", settings, out / "scale-server.log", config=CONFIGURATION, cores=placed.server)
    swarms: list[Swarm] = []
    try:
        leave_to_loops(server.pid, placed)
        if placed.throttle is not None:
            placed.throttle.limit(server.pid)
        counts = [min(BOTS_A_SWARM, load.bots - first) for first in range(0, load.bots, BOTS_A_SWARM)]
        for index, count in enumerate(counts):
            arguments = [
                "--bots", str(count), "--room-size", str(load.room_size), "--room-kind", "walk", "--room-prefix", f"s{index}",
                "--join-rate", str(JOIN_RATE), "--input-rate", str(load.input_rate), "--mix", load.mix,
                "--decode", "shared", "--event-interval", "off", "--duration", str(load.seconds + SETTLING_SECONDS), "--quiet",
            ]
            report = out / f"scale-{index}"
            swarms.append(Swarm(programs / "botswarm", server.address, report, arguments, quiet=True, cores=placed.swarm))
        with beside(placed.swarm):
            return observe(load, server, swarms, CoreSpeed(core_speed, placed.swarm))
    finally:
        for swarm in swarms:
            swarm.stop()
        server.stop()
        server.kill()
        if placed.throttle is not None:
            placed.throttle.remove()


@contextmanager
def beside(cores: set[int] | None) -> Iterator[None]:
    """This thread and those that it starts keep to the swarm's cores: a few milliseconds on the server's are its ticks' delay."""
    before = os.sched_getaffinity(0)
    try:
        stay_on(cores)
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True)
class Moment:
    """What had been counted by then."""

    seconds: float
    ticks: Histogram
    # Of the process, and of each game loop.
    cpu: list[float]


def watch(server: Server, seconds: float) -> list[Moment]:
    """A look at the server at the end of each window."""
    scraper = Scraper(server.admin)
    loops = [[Path(f"/proc/{server.pid}/task/{thread}")] for thread in loop_threads(server.pid)]
    moments: list[Moment] = []
    end = time.monotonic() + seconds
    while True:
        every = list(Path(f"/proc/{server.pid}/task").iterdir())
        cpu = [cpu_seconds(tasks) for tasks in [every, *loops]]
        moments.append(Moment(time.monotonic(), scraper.histogram(), cpu))
        if moments[-1].seconds >= end:
            return moments
        time.sleep(WINDOW_SECONDS)


def steady_windows(moments: list[Moment], speeds: Speeds) -> list[tuple[Moment, Moment]]:
    windows = zip(moments, moments[1:])
    return [(first, last) for first, last in windows if speeds.are_steady(first.seconds, last.seconds)]


def observe(load: Load, server: Server, swarms: list[Swarm], speed: CoreSpeed) -> Measured:
    joining = 30 + 2 * load.bots / JOIN_RATE
    ledger = server.wait(lambda ledger: ledger["total"]["seats"] >= load.bots, joining)
    if (seats := ledger["total"]["seats"]) < load.bots:
        return unable(load, f"{seats} of {load.bots} players had joined after {joining:.0f} s")
    time.sleep(SETTLING_SECONDS)
    with Sampler(server) as sampler, speed:
        moments = watch(server, max(1.0, load.seconds - SETTLING_SECONDS))
    reports = [swarm.finish(load.seconds + ENDING_SECONDS) for swarm in swarms]
    whole = [(moments[0], moments[-1])]
    steady = steady_windows(moments, speed.speeds)
    steady_seconds = seconds_of(steady)
    is_told = steady_seconds >= LEAST_STEADY_SECONDS
    cores = cores_in(steady if is_told else whole)
    wrong = [check for report in reports for check in report["checks"] if not check["ok"]]
    return Measured(
        load,
        frames_a_second=sum(report["frames"]["deliveredPerSecond"] for report in reports),
        worst_bot=min(report["frames"]["perBotMin"] or 0 for report in reports),
        frame_p99_seconds=max(report["latency"]["frame"]["p99Microseconds"] for report in reports) / 1e6,
        lateness_p99_seconds=lateness_in(steady) if is_told else None,
        cores=cores[0],
        loop_cores=cores[1:],
        steady_seconds=steady_seconds,
        slow_seconds=seconds_of(whole) - steady_seconds,
        whole_lateness_p99_seconds=lateness_in(whole),
        resident_bytes=max((sample.resident_bytes for sample in sampler.samples), default=0),
        bytes_a_frame=max(report["bytes"]["perFrame"] or 0 for report in reports),
        bytes_an_update=reports[0]["bytes"]["perEntityUpdate"],
        swarm_busy=max(report["loopBusy"] for report in reports),
        is_correct=not wrong,
        faults=", ".join(f"{check['name']}: {check['value']}" for check in wrong),
    )


def seconds_of(windows: list[tuple[Moment, Moment]]) -> float:
    return sum(last.seconds - first.seconds for first, last in windows)


def cores_in(windows: list[tuple[Moment, Moment]]) -> list[float]:
    spent = [[later - earlier for earlier, later in zip(first.cpu, last.cpu)] for first, last in windows]
    return [sum(each) / seconds_of(windows) for each in zip(*spent)]


def lateness_in(windows: list[tuple[Moment, Moment]]) -> float:
    return percentile(total([difference(last.ticks, first.ticks) for first, last in windows]), 0.99)


def unable(load: Load, why: str) -> Measured:
    return Measured(load, 0, 0, 0, None, 0, faults=why)


def milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1e3 * seconds:.2f}"


def show(measured: Measured) -> str:
    if not measured.frames_a_second:
        return measured.faults
    late = f"{milliseconds(measured.lateness_p99_seconds)} ms late (p99)"
    if measured.slow_seconds:
        late += f" ({milliseconds(measured.whole_lateness_p99_seconds)} with the {measured.slow_share:.0%} in which the machine was slow)"
    return (
        f"worst bot {measured.worst_bot:.2f} frames/s, {measured.cores:.2f} cores, "
        f"{measured.micros_a_frame:.1f} us a frame, {late}, {measured.resident_bytes / (1 << 20):.0f} MiB, "
        f"swarm {measured.swarm_busy:.0%} busy" + (f", {measured.faults}" if measured.faults else "")
    )
