#!/usr/bin/env python3
"""The two failures, side by side: runs all servers under the same clients and compares them.

    make bench-failures
    python3 Benchmarks/Failures/run.py --rounds 3

Needs the release builds of tickserver, NaiveServer and FailureClients. As root on Linux the servers run in a memory
cgroup of --limit-mib; elsewhere without a limit, which the report says.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts" / "immunity"))

from failures import charts, report
from failures.figures import MEBIBYTE, crowd_figures, cycle_figures, middle
from failures.runs import Contestant, Run, run
from tables import as_text

REPOSITORY = Path(__file__).resolve().parents[2]

CLIENTS, STALLING, PAUSING, STALL_AT = 100, 10, 5, 5
CYCLES, SUBSCRIBERS = 20, 50
# The same for all servers of a failure, so that none is favoured: SO_SNDBUF and SO_RCVBUF of the server's sockets,
# SO_RCVBUF of the clients'.
CROWD_BUFFERS = {"send": 64 * 1024, "receive": 16 * 1024, "client": 64 * 1024}
CYCLE_BUFFERS = {"send": 16 * 1024, "receive": 16 * 1024, "client": 16 * 1024}
QUEUE_MESSAGES = 256


def naive(folder: Path, mode: str, title: str, overflow: str, buffers: dict[str, int], *more: str) -> Contestant:
    sizes = ["--send-buffer-bytes", str(buffers["send"]), "--receive-buffer-bytes", str(buffers["receive"])]
    command = [str(folder / "NaiveServer"), "--mode", mode, "--port", "any", *sizes, *more]
    return Contestant(mode, title, "naive", command, overflow)


def tickserver(folder: Path, buffers: dict[str, int], **settings: str) -> Contestant:
    command = [str(folder / "tickserver"), "--listen", "127.0.0.1:any", "--loops", "1"]
    settings |= {"admin.port": "off", "maxConnections": "200", "maxRooms": "4"}
    settings |= {"sendBuffer": f"{buffers['send']}B", "receiveBuffer": f"{buffers['receive']}B"}
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    return Contestant("tickserver", "TickServer", "tickserver", command, "reason=slowConsumer")


def crowd_contestants(folder: Path) -> list[Contestant]:
    return [
        naive(folder, "per-message", "(i) unbounded", "aborted client=", CROWD_BUFFERS),
        naive(folder, "bounded", "(ii) bound, abort", "aborted client=", CROWD_BUFFERS),
        tickserver(folder, CROWD_BUFFERS),
    ]


def cycle_contestants(folder: Path) -> list[Contestant]:
    zombie = naive(
        folder, "zombie", "full queue sets a flag", "flagged client=", CYCLE_BUFFERS,
        "--queue-messages", str(QUEUE_MESSAGES),
    )  # fmt: skip
    # A cycle must see the end of those before it: deadlines and grace shorter than the defaults. A publisher of 800
    # messages a second is over them too.
    limits = {"stallDeadline": "500ms", "grace": "500ms", "messagesPerSecond": "2000", "messageBurst": "4000"}
    limits |= {"eventLogEvents": "4096", "eventLogBytes": "512KiB"}
    settings = {f"rooms.arena.limits.{key}": value for key, value in limits.items()}
    settings |= {"rooms.arena.capacity": "200", "bytesPerSecond": "1MiB", "byteBurst": "2MiB"}
    return [zombie, tickserver(folder, CYCLE_BUFFERS, **settings)]


def half_close_contestants(folder: Path) -> list[Contestant]:
    """The same subscribers half-close and keep their sockets: what is "closed" then is up to the kernel."""
    usual = naive(folder, "per-message", "close(2)", "aborted client=", CYCLE_BUFFERS)
    return [usual, cycle_contestants(folder)[-1]]


def crowd_command(folder: Path, seconds: int) -> list[str]:
    words = [str(folder / "FailureClients"), "crowd", "--clients", str(CLIENTS), "--seconds", str(seconds)]
    words += ["--stalling", str(STALLING), "--stall-at", str(STALL_AT), "--pausing", str(PAUSING)]
    return words + ["--receive-buffer-bytes", str(CROWD_BUFFERS["client"])]


def cycles_command(folder: Path, *more: str) -> list[str]:
    words = [str(folder / "FailureClients"), "cycles", "--cycles", str(CYCLES), "--subscribers", str(SUBSCRIBERS), *more]
    return words + ["--receive-buffer-bytes", str(CYCLE_BUFFERS["client"])]


class Progress:
    """What is under way, on one line of a terminal, else a line a run."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.isTerminal = sys.stderr.isatty()
        if not self.isTerminal:
            print(what, file=sys.stderr, flush=True)

    def __call__(self, status: str) -> None:
        if self.isTerminal:
            print(f"\r\033[K{self.what}, {status}", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        if self.isTerminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def measure(contestants: list[Contestant], clients: Any, limit: int, seconds: Any, round_: int) -> dict[str, Run]:
    """One run of each, in an order that changes with the round."""
    found = {}
    turn = round_ % len(contestants)
    for contestant in contestants[turn:] + contestants[:turn]:
        progress = Progress(f"round {round_ + 1}, {contestant.title}")
        found[contestant.key] = run(contestant, clients(contestant), limit, seconds(contestant) + 30, progress)
        progress.done()
        problem = found[contestant.key].problem
        if problem:
            raise SystemExit(f"error: {contestant.title}: {problem}")
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=REPOSITORY / ".build/release", help="where the programs are")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "out/failures", help="where the report goes")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each server; figures are medians")
    parser.add_argument("--limit-mib", type=int, default=256, help="the memory limit of each server")
    parser.add_argument("--seconds", type=int, default=40, help="how long servers of (a) run that live")
    parser.add_argument("--until-killed-seconds", type=int, default=120, help="how long (i) may take to be killed")
    chosen = parser.parse_args()
    for name in ("rounds", "limit_mib", "seconds", "until_killed_seconds"):
        if getattr(chosen, name) < 1:
            parser.error(f"--{name.replace('_', '-')} is at least 1, not {getattr(chosen, name)}")
    for program in ("tickserver", "NaiveServer", "FailureClients"):
        if not os.access(chosen.bin / program, os.X_OK):
            parser.error(f"no {program} in {chosen.bin}: run `make bench-failures`, which builds it")
    return chosen


def main() -> None:
    options = arguments()
    crowd, cycles = crowd_contestants(options.bin), cycle_contestants(options.bin)
    half_close = half_close_contestants(options.bin)
    limit = options.limit_mib * MEBIBYTE

    def seconds(contestant: Contestant) -> int:
        return options.until_killed_seconds if contestant.key == "per-message" else options.seconds

    crowd_runs, cycle_runs, half_close_runs = [], [], []
    for round_ in range(options.rounds):
        crowd_runs.append(
            measure(crowd, lambda c: crowd_command(options.bin, seconds(c)), limit, seconds, round_)
        )
        cycle_runs.append(measure(cycles, lambda _: cycles_command(options.bin), limit, lambda _: 60, round_))
        half_closing = cycles_command(options.bin, "--half-close")
        half_close_runs.append(measure(half_close, lambda _: half_closing, limit, lambda _: 60, round_))

    healthy = CLIENTS - STALLING - PAUSING
    crowd_middle = {
        c.key: middle([crowd_figures(runs[c.key], healthy, PAUSING, STALLING, STALL_AT) for runs in crowd_runs])
        for c in crowd
    }
    cycle_middle = {c.key: middle([cycle_figures(runs[c.key]) for runs in cycle_runs]) for c in cycles}
    half_close_middle = {c.key: middle([cycle_figures(runs[c.key]) for runs in half_close_runs]) for c in half_close}
    limits = {key: value.limitBytes for key, value in crowd_runs[0].items()}
    notes = [
        f"{CLIENTS} clients send 30 updates a second each; after {STALL_AT} s {STALLING} of them stop reading, after "
        f"10 s {PAUSING} others do so for one second. Memory limit of each server: {options.limit_mib} MiB.",
    ]
    if None in limits.values():
        notes.append("Memory cgroups could not be made here: the servers ran WITHOUT a memory limit.")

    crowd_part = report.crowd_table(crowd, crowd_middle, limits), report.crowd_charts(crowd, crowd_runs[0])
    cycle_part = report.cycles_table(cycles, cycle_middle), report.cycles_charts(cycles, cycle_runs[0])
    half_close_part = (
        report.half_close_table(half_close, half_close_middle), report.half_close_charts(half_close, half_close_runs[0])
    )  # fmt: skip
    parts = [
        (report.CROWD_TITLE, *crowd_part),
        (report.CYCLES_TITLE, *cycle_part),
        (report.HALF_CLOSE_TITLE, *half_close_part),
    ]
    write(options.out, notes, parts)
    raw = {
        "notes": notes,
        "crowd": {key: asdict(value) for key, value in crowd_middle.items()},
        "cycles": {key: asdict(value) for key, value in cycle_middle.items()},
        "halfClose": {key: asdict(value) for key, value in half_close_middle.items()},
        "crowdRuns": [{key: value.as_json() for key, value in runs.items()} for runs in crowd_runs],
        "cycleRuns": [{key: value.as_json() for key, value in runs.items()} for runs in cycle_runs],
        "halfCloseRuns": [{key: value.as_json() for key, value in runs.items()} for runs in half_close_runs],
    }
    (options.out / "failures.json").write_text(json.dumps(raw))
    for title, table, _ in parts:
        print(f"\n{title}\n\n{as_text(table)}")
    print("\n" + "\n".join(notes) + f"\n\nreport: {options.out / 'failures.html'}")


def write(out: Path, notes: list[str], parts: list[tuple[str, Any, Any]]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "failures.html").write_text(report.as_page(notes, parts))
    (out / "failures.svg").write_text(charts.sheet([chart for _, _, drawn in parts for chart in drawn]))


if __name__ == "__main__":
    main()
