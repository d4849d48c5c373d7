"""The guard behind the memory plan, when the plan is wrong: a game that allocates what it never declared, in a container of
64 MiB. The server must never be killed: it admits nobody any more, sheds laggards, and at last closes the newest rooms.

Needs root and a writable memory cgroup. `--quick`: one short run of each; otherwise 10 runs of 60 s of each.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "rigs"))

import memory_cgroup
from checks import Checks
from crowd import Crowd
from cpu_quota import CpuQuota
from memory_cgroup import CgroupError
from server import RigError, Server
from sizes import mebibytes

LIMIT = 64 << 20
# The plan fits: it counts nothing of what the game eats.
SETTINGS = ["loops=2", "sendBuffer=4KiB", "receiveBuffer=4KiB"]
ROOM_LIMITS = {
    "frameLogFrames": "16", "frameLogBytes": "16KiB", "eventLogEvents": "32", "eventLogBytes": "4KiB",
    "eventBytesPerTick": "2KiB", "linger": "60s", "grace": "2s",
}


@dataclass
class Case:
    """What the game eats, and who comes."""

    name: str
    environment: dict[str, str]
    # Rooms, members of each, and how many of the first come before the others do.
    rooms: int
    members: int
    # Newcomers a second, once the first are in; each asks for a seat in one of the rooms, or opens one.
    newcomers: int = 0
    new_rooms: bool = False
    stuck: int = 0
    cores: float | None = None
    seats: int = 20
    most_rooms: int = 16
    most_connections: int = 400
    # What must come of it.
    refused: bool = False
    closed: bool = False


CASES = [
    # Undeclared, with each player and each room: 64 MiB are 500 players, or 40 rooms.
    Case("players", {"HUNGRY_PLAYER": str(64 << 10)}, 8, 5, newcomers=100, refused=True, seats=100, most_rooms=8, most_connections=600),
    Case("rooms", {"HUNGRY_ROOM": str(1 << 20), "HUNGRY_PLAYER": str(64 << 10)}, 1, 5, newcomers=20, new_rooms=True, refused=True, most_rooms=60),
    # All at once: more come in one turn of the loop than there is room for.
    Case("crowd", {"HUNGRY_PLAYER": str(256 << 10)}, 4, 90, refused=True, seats=100, most_rooms=8),
    # Grows without anybody: newest rooms close.
    Case("slow growth", {"HUNGRY_SECOND": str(256 << 10)}, 12, 8, closed=True),
    Case("growth of 10 MiB/s", {"HUNGRY_SECOND": str(1 << 20)}, 10, 8, closed=True),
    Case("growth of 50 MiB/s", {"HUNGRY_SECOND": str(5 << 20)}, 10, 4, closed=True),
    Case("growth and laggards", {"HUNGRY_SECOND": str(512 << 10)}, 8, 8, stuck=40, closed=True),
    Case("half a core", {"HUNGRY_SECOND": str(512 << 10)}, 8, 6, cores=0.5, closed=True),
    Case("one core, crowd", {"HUNGRY_PLAYER": str(128 << 10)}, 4, 20, newcomers=100, cores=1.0, refused=True, seats=100, most_rooms=8, most_connections=600),
]
QUICK = ["players", "growth of 10 MiB/s"]
# The two of the demand, ten times each; the others once.
REPEATED = ["players", "rooms", "slow growth", "growth of 10 MiB/s"]


def run(case: Case, seconds: float, options: argparse.Namespace, checks: Checks) -> None:
    print(f"{case.name}: {case.environment}, {seconds:.0f} s", flush=True)
    settings = [
        *SETTINGS, f"maxConnections={case.most_connections}", f"maxRooms={case.most_rooms}",
        f"rooms.hungry.capacity={case.seats}",
    ] + [f"rooms.hungry.limits.{name}={value}" for name, value in ROOM_LIMITS.items()]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cgroup = memory_cgroup.create(LIMIT, tcp=LIMIT // 4)
        stack.callback(memory_cgroup.remove, cgroup)
        quota = stack.enter_context(CpuQuota(case.cores)) if case.cores else None
        log = folder / "server.log"
        server = Server(options.bin / "HungryGame", settings, log, cgroup, environment=case.environment, quota=quota)
        stack.callback(server.kill)
        crowd = Crowd(server.address)
        stack.callback(crowd.close)
        play(case, seconds, server, crowd)
        text = log.read_text()
        judge(case, server, crowd, cgroup, text, checks)
        if not checks.ok and options.keep_log:
            Path(options.keep_log).write_text(text)


def play(case: Case, seconds: float, server: Server, crowd: Crowd) -> None:
    for room in range(case.rooms):
        for member in range(case.members):
            crowd.add(f"r{room}", reads=not (room == 0 and member < case.stuck))
        crowd.turn(0.05)
    for member in range(case.stuck):
        crowd.add(f"r{member % case.rooms}", reads=False)
    deadline = time.monotonic() + seconds
    count = 0
    while time.monotonic() < deadline and server.runs():
        for _ in range(case.newcomers // 10):
            count += 1
            crowd.add(f"n{count}" if case.new_rooms else f"r{count % case.rooms}")
        crowd.turn(0.1)


def judge(case: Case, server: Server, crowd: Crowd, cgroup: memory_cgroup.MemoryCgroup, text: str, checks: Checks) -> None:
    name = case.name
    runs = server.runs()
    checks.demand(f"{name}: server", runs, "runs" if runs else "gone", "runs")
    report = cgroup.report()
    checks.demand(f"{name}: killed at the limit", report["killed"] == 0, report["killed"], "0")
    peak = f"{mebibytes(report['memoryPeakBytes'])} of {mebibytes(report['memoryLimitBytes'])}"
    checks.note(f"{name}: memory, peak", f"{peak}; {report['memoryAtLimit']} times at the limit")
    checks.note(f"{name}: what became of the clients", dict(crowd.fates()))
    if not runs:
        return
    series = server.metrics()
    refused = series["tickserver_joins_refused_for_memory_total"]
    ended = series['tickserver_connections_closed_total{reason="overBudget"}']
    closed = series["tickserver_rooms_closed_for_memory_total"]
    checks.note(f"{name}: by the server", f"{refused:.0f} joins refused, {ended:.0f} ended over budget, {closed:.0f} rooms closed")
    # Of those with a declared end: refused at the door, or at a seat.
    told = sum(count for fate, count in crowd.fates().items() if fate in ("refused overBudget", "ended overBudget"))
    if case.refused:
        checks.demand(f"{name}: newcomers told overBudget", told > 0, told, "some")
        checks.demand(f"{name}: rooms closed", closed == 0, f"{closed:.0f}", "none: refusing is enough")
        checks.demand(f"{name}: players in a room", crowd.present >= 20, crowd.present, "at least 20")
    if case.closed:
        lines = re.findall(r"closing the newest room.*", text)
        checks.demand(f"{name}: rooms closed", closed >= 1, f"{closed:.0f}", "at least one")
        checks.demand(
            f"{name}: each logged with room, kind and figures",
            len(lines) >= closed and all(re.search(r"kind=hungry.*limit=.*room=.*used=", line) for line in lines),
            len(lines), f"{closed:.0f} lines",
        )
        rooms = re.findall(r"closing the newest room.*?room=(\S+)", text)
        checks.note(f"{name}: closed, in order", " ".join(rooms))
        checks.demand(f"{name}: members of closed rooms told overBudget", told > 0, told, "some")
    ledger = server.ledger()
    checks.demand(f"{name}: ledger", ledger["balanced"], ledger["faults"] or "balanced", "balanced")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short run of each kind of guard")
    parser.add_argument("--bin", type=Path, default=ROOT / ".build" / "release", help="folder of HungryGame")
    parser.add_argument("--case", action="append", help=f"of {', '.join(case.name for case in CASES)}")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--times", type=int)
    parser.add_argument("--keep-log", help="where the server's log goes when a demand was missed")
    options = parser.parse_args()
    checks = Checks()
    try:
        for case in CASES:
            if case.name not in (options.case or (QUICK if options.quick else [each.name for each in CASES])):
                continue
            times = options.times or (1 if options.quick or case.name not in REPEATED else 10)
            for _ in range(times):
                run(case, options.seconds or (8 if options.quick else 60), options, checks)
    except (RigError, CgroupError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return checks.verdict("memory_guard")


if __name__ == "__main__":
    sys.exit(main())
