"""Time in which the server or the network stood still is nobody's fault: who played on through it is still there afterwards.

Servers that are stopped (SIGSTOP) and go on, and a network that holds all that players send, then delivers it at once. Judged
by the players' own eyes: who is still connected, whose inputs are acknowledged afterwards, what each was told of those that
were dropped. What they were told is compared with what the server counts as applied.

    python3 scripts/immunity/pauses.py [--quick] [--bin FOLDER] [--players N] [--pauses S ...] [--rates N ...] [--stalls S ...]
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "rigs"))

from checks import Checks  # noqa: E402
from players import Group, Relay, Report  # noqa: E402
from server import RigError, Server  # noqa: E402

PLAYERS_PER_ROOM = 50
READY_SECONDS = 60.0
# After the pause: until the backlog of a minute is taken in at the rate that one client may have.
CATCH_UP_SECONDS = 20.0
WARM_UP_SECONDS = 2.0


@dataclass
class Run:
    """A server, its players, and what happens between them."""

    name: str
    players: int
    rate: float
    event_rate: float
    processes: int
    # What stands still, and for how long.
    happens: Callable[["Run"], None]
    settings: list[str] = field(default_factory=list)
    relayed: bool = False
    # Whether all must keep the very connection that they had.
    stays: bool = True
    # Whether all that was raised must be seen.
    keeps_events: bool = True
    binary: Path = Path()
    folder: Path = Path()
    groups: list[Group] = field(default_factory=list)
    expected_resumes: int = 0

    def reports(self) -> list[Report]:
        return [report for group in self.groups for report in group.reports()]

    def wait(self, reached: Callable[[list[Report]], bool], seconds: float) -> list[Report]:
        deadline = time.monotonic() + seconds
        while not reached(reports := self.reports()) and time.monotonic() < deadline:
            time.sleep(0.25)
        return reports

    def play(self) -> tuple[list[Report], int, list[str]]:
        settings = [f"maxConnections={self.players + 50}", "log.level=debug", *self.settings]
        self.server = Server(self.binary, settings, self.folder / f"{re.sub(r'[^a-z0-9]+', '-', self.name)}.log")
        self.relay = Relay(("127.0.0.1", self.server.port)) if self.relayed else None
        try:
            address = self.relay.address if self.relay else ("127.0.0.1", self.server.port)
            plans = [
                {"name": f"p{index}", "room": f"r{index // PLAYERS_PER_ROOM}", "kind": "arena", "rate": self.rate,
                 "event_rate": self.event_rate}
                for index in range(self.players)
            ]
            self.groups = [Group(address, plans[start :: self.processes]) for start in range(self.processes)]
            ready = self.wait(lambda reports: all_in(reports) and min(r.acknowledged for r in reports) > 0, READY_SECONDS)
            if not all_in(ready):
                raise RigError(f"{self.name}: {sum(r.in_room for r in ready)} of {self.players} came in")
            time.sleep(WARM_UP_SECONDS)
            self.happens(self)
            time.sleep(2)
            # From here on nothing new is said: what was said is to be acknowledged.
            for group in self.groups:
                group.tell("quiet")
            self.wait(lambda reports: all(r.is_banned or r.is_done for r in reports), CATCH_UP_SECONDS)
            # What the last of them raised is on its way to the others.
            time.sleep(0.5)
            reports = self.reports()
            return reports, self.applied(), self.endings()
        finally:
            for group in self.groups:
                group.end()
            if self.relay:
                self.relay.end()
            self.server.kill()

    def applied(self) -> int:
        with urllib.request.urlopen(f"http://{self.server.admin}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        return sum(int(float(n)) for n in re.findall(r"^tickserver_inputs_total\{[^}]*\} (\S+)$", text, re.MULTILINE))

    def endings(self) -> list[str]:
        total = self.server.ledger()["total"]
        return [f"{name}={count}" for name, count in total["closed"].items()]


def all_in(reports: list[Report]) -> bool:
    return all(report.in_room for report in reports)


def paused(*seconds: float) -> Callable[[Run], None]:
    def happens(run: Run) -> None:
        for length in seconds:
            os.kill(run.server.pid, signal.SIGSTOP)
            try:
                time.sleep(length)
            finally:
                os.kill(run.server.pid, signal.SIGCONT)
            time.sleep(0.3)

    return happens


def paused_with_resumes(seconds: float, cut: int) -> Callable[[Run], None]:
    """Some lose their connection and come back while the server stands still."""

    def happens(run: Run) -> None:
        os.kill(run.server.pid, signal.SIGSTOP)
        try:
            time.sleep(seconds / 2)
            for group in run.groups:
                group.tell("cut", cut)
            time.sleep(seconds / 2)
        finally:
            os.kill(run.server.pid, signal.SIGCONT)
        run.expected_resumes = cut * len(run.groups)
        time.sleep(1)

    return happens


def stalled(seconds: float) -> Callable[[Run], None]:
    def happens(run: Run) -> None:
        assert run.relay is not None
        run.relay.hold(True)
        time.sleep(seconds)
        run.relay.hold(False)
        if not run.stays:
            run.wait(all_in, 20)

    return happens


def judge(run: Run, reports: list[Report], applied: int, endings: list[str], checks: Checks) -> None:
    count = len(reports)
    banned = sum(report.is_banned for report in reports)
    words = sorted({text for report in reports for text in report.texts})[:2]
    checks.demand(f"{run.name}: told never to come back", banned == 0, f"{banned} of {count} {words or ''}", "0")
    there = sum(report.in_room for report in reports)
    checks.demand(f"{run.name}: in the room afterwards", there == count, f"{there} of {count}", "all")
    if run.stays:
        losses = sum(report.losses for report in reports) - run.expected_resumes
        checks.demand(f"{run.name}: connections lost", losses == 0, f"{losses}; {' '.join(endings)}", "0")
        fresh = sum(report.fresh for report in reports) - count
        checks.demand(f"{run.name}: seats lost", fresh == 0, fresh, "0")
    answered = sum(report.acknowledged == report.sent for report in reports)
    checks.demand(f"{run.name}: last input acknowledged", answered == count, f"{answered} of {count}", "all")
    sent = sum(report.sent for report in reports)
    dropped = sum(report.dropped for report in reports)
    lost = sum(report.given_up for report in reports)
    if run.stays and not run.expected_resumes:
        told = applied + dropped
        checks.demand(f"{run.name}: inputs applied, and told as dropped", told == sent, f"{applied} + {dropped}", f"{sent} sent")
    else:
        checks.note(f"{run.name}: inputs", f"{sent} sent, {applied} applied, {dropped} dropped, {lost} with a lost seat")
    disorder = sum(report.disorder for report in reports)
    if run.keeps_events and run.event_rate:
        checks.demand(f"{run.name}: events twice, missing or out of order", disorder == 0, disorder, "0")
        raised = {report.name: report.events_sent for report in reports}
        short = [name for report in reports for name, last in report.seen.items() if last != raised[name]]
        checks.demand(f"{run.name}: events raised and not seen", not short, len(short), "0")
    checks.note(f"{run.name}: longest time without a frame", f"{max(report.silence for report in reports):.1f} s")


def quick(options: argparse.Namespace) -> list[Run]:
    few = {"players": 20, "processes": 1}
    short = ["idleDeadline=4s", "pingInterval=1s", "rooms.arena.limits.grace=3s", "rooms.arena.limits.stallDeadline=2s",
             "rooms.arena.limits.lagDeadline=3s", "handshakeDeadline=1s"]
    return [
        Run("pause of 3 s, 144 inputs/s", rate=144, event_rate=1, happens=paused(3), **few),
        Run("pause of 9 s, 30 inputs/s", rate=30, event_rate=1, happens=paused(9), **few),
        Run("pause of 6 s beyond all deadlines, 2 inputs/s", rate=2, event_rate=0, happens=paused(6), settings=short, **few),
        Run("three pauses of 3 s, 60 inputs/s", rate=60, event_rate=1, happens=paused(3, 3, 3), settings=short, **few),
        Run("pause of 6 s, cut within it, 10 inputs/s", rate=10, event_rate=0, happens=paused_with_resumes(6, 5),
            settings=short, keeps_events=False, **few),
        Run("uplink held for 3 s, 144 inputs/s", rate=144, event_rate=2, happens=stalled(3), relayed=True, **few),
        Run("uplink held for 6 s, beyond idleDeadline", rate=30, event_rate=0, happens=stalled(6), relayed=True, stays=False,
            settings=["idleDeadline=4s", "pingInterval=1s", "rooms.arena.limits.grace=3s"], keeps_events=False, **few),
    ]


def full(options: argparse.Namespace) -> list[Run]:
    many = {"players": options.players, "processes": 4}
    runs = [
        Run(f"pause of {pause:g} s, {rate:g} inputs/s", rate=rate, event_rate=0.5, happens=paused(pause), **many)
        for pause in options.pauses
        for rate in options.rates
    ]
    for stall in options.stalls:
        is_short = stall < 30
        runs += [
            Run(f"uplink held for {stall:g} s, {rate:g} inputs/s", rate=rate, event_rate=0.5, happens=stalled(stall),
                relayed=True, stays=is_short, keeps_events=is_short, **many)
            for rate in options.rates
        ]
    return runs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--bin", type=Path, default=ROOT / ".build" / "release")
    parser.add_argument("--players", type=int, default=200)
    parser.add_argument("--pauses", type=float, nargs="*", default=[3, 9, 33, 60], help="seconds")
    parser.add_argument("--stalls", type=float, nargs="*", default=[3, 9, 25, 60], help="seconds")
    parser.add_argument("--rates", type=float, nargs="*", default=[10, 30, 60, 144], help="inputs a second of each player")
    parser.add_argument("--only", default="", help="runs whose name has this in it")
    options = parser.parse_args()
    checks = Checks()
    runs = [run for run in (quick if options.quick else full)(options) if options.only in run.name]
    with tempfile.TemporaryDirectory() as folder:
        for run in runs:
            run.binary, run.folder = options.bin / "tickserver", Path(folder)
        # Small ones run side by side; hundreds of players need the machine to themselves.
        with ThreadPoolExecutor(len(runs) if options.quick else 1) as pool:
            for run, future in [(run, pool.submit(run.play)) for run in runs]:
                try:
                    judge(run, *future.result(), checks)
                except RigError as error:
                    print(f"error: {error}", file=sys.stderr)
                    return 2
    return checks.verdict("pauses")


if __name__ == "__main__":
    sys.exit(main())
