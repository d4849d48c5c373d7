"""Which memory limit is in force, whether what fills it is seen, and whether the plan's kernel lines are an upper bound.

A server in a memory cgroup; what is demanded is read from the cgroup, from `ss` and from /metrics. Needs root.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "rigs"))

import memory_cgroup
from checks import Checks
from crowd import Crowd
from memory_cgroup import CgroupError, MemoryCgroup
from server import RigError, Server
from sizes import mebibytes

MIB = 1 << 20
LIMIT = 64 * MIB
SMALL = ["loops=1", "maxConnections=100", "maxRooms=4", "sendBuffer=8KiB", "receiveBuffer=4KiB", "rooms.hungry.capacity=100"]
# Nobody is evicted for being slow, and no event is missed.
PATIENT = [
    "rooms.hungry.tickRate=10", "rooms.hungry.limits.stallDeadline=60s", "rooms.hungry.limits.lagDeadline=600s",
    "rooms.hungry.limits.skips=1000", "idleDeadline=600s", "pingInterval=300s",
]
LEVELS = ["normal", "high", "critical"]


class Rig:
    """A server in a cgroup, with the settings of one case."""

    def __init__(self, options: argparse.Namespace, stack: ExitStack):
        self.options = options
        self.stack = stack
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))

    def start(
        self, settings: list[str], limit: int, tcp: int, environment: dict[str, str] | None = None
    ) -> tuple[Server, MemoryCgroup]:
        cgroup = memory_cgroup.create(limit, tcp=tcp)
        self.stack.callback(memory_cgroup.remove, cgroup)
        log = self.folder / "server.log"
        server = Server(self.options.bin / "HungryGame", settings, log, cgroup, environment=environment)
        self.stack.callback(server.kill)
        return server, cgroup


def limits_in_force(options: argparse.Namespace, checks: Checks) -> None:
    for setting, expected in [("100MiB", 64), ("48MiB", 48), ("auto", 64), ("unlimited", 64)]:
        with ExitStack() as stack:
            rig = Rig(options, stack)
            server, _ = rig.start([*SMALL, f"memoryLimit={setting}"], LIMIT, LIMIT // 4)
            found = server.metrics()["tickserver_memory_limit_bytes"]
            checks.demand(f"memoryLimit={setting} in 64 MiB", found == expected * MIB, mebibytes(found), f"{expected} MiB")
            warned = "memoryLimit is 100MiB, above 64MiB" in server.log.read_text()
            checks.demand(f"memoryLimit={setting}: a warning", warned == (setting == "100MiB"), warned, "only above the container's")
            status = server.stop()
            checks.demand(f"memoryLimit={setting}: exit status", status == 0, status, "0")


def refused_start(options: argparse.Namespace, checks: Checks) -> None:
    """A plan that fits the setting and not the container."""
    with ExitStack() as stack:
        rig = Rig(options, stack)
        try:
            rig.start([*SMALL[:1], "maxConnections=2000", "sendBuffer=16KiB", "memoryLimit=1024MiB"], LIMIT, LIMIT // 4)
            text = "it started"
        except RigError as error:
            text = str(error)
        ok = "the limit 64MiB (cgroup" in text
        checks.demand("2,000 connections, memoryLimit=1024MiB in 64 MiB", ok, text.splitlines()[1] if ok else text, "refused")


def kernel_memory_is_seen(options: argparse.Namespace, checks: Checks) -> None:
    """Stuck clients fill what the container has for socket buffers; the process's own memory stays as it is."""
    for setting in ["auto", "60MiB"]:
        with ExitStack() as stack:
            rig = Rig(options, stack)
            tcp = 1 * MIB
            # Far smaller than the plan counts, which is told as a warning.
            settings = [*SMALL, *PATIENT, f"memoryLimit={setting}"]
            server, cgroup = rig.start(settings, LIMIT, tcp, {"HUNGRY_STATE": str(80 << 10)})
            crowd = Crowd(server.address)
            stack.callback(crowd.close)
            for _ in range(95):
                crowd.add("r", reads=False)
            seen, most = "normal", 0
            deadline = time.monotonic() + options.seconds
            while time.monotonic() < deadline and seen != "critical":
                crowd.turn(0.2)
                seen = max(seen, server.pressure(), key=LEVELS.index)
                most = max(most, cgroup.used()["tcpBytes"])
            checks.note(f"memoryLimit={setting}: socket buffers, most", f"{mebibytes(most)} of {mebibytes(tcp)}")
            checks.demand(
                f"memoryLimit={setting}: level while socket buffers fill the container", seen != "normal", seen, "high or critical"
            )
            series = server.metrics()
            evicted = series['tickserver_connections_closed_total{reason="overBudget"}']
            checks.note(f"memoryLimit={setting}: laggards evicted", f"{evicted:.0f}")
            closed = series["tickserver_rooms_closed_for_memory_total"]
            checks.demand(f"memoryLimit={setting}: rooms closed", closed == 0, f"{closed:.0f}", "none: laggards hold it")
            checks.demand(f"memoryLimit={setting}: server", server.runs(), server.runs(), "runs")


def plan_is_an_upper_bound(options: argparse.Namespace, checks: Checks) -> None:
    """Clients with default windows that take nothing, or a little now and then: keyframes above 64 KiB, frames bunched."""
    for buffer, members in [("4KiB", 150), ("8KiB", 150), ("64KiB", 60)]:
        with ExitStack() as stack:
            rig = Rig(options, stack)
            settings = [
                "loops=1", f"maxConnections={members}", "maxRooms=2", f"sendBuffer={buffer}", "receiveBuffer=4KiB",
                "rooms.hungry.capacity=200", "laggardBudget=64MiB", *PATIENT,
            ]
            environment = {"HUNGRY_STATE": str(80 << 10)}
            server, cgroup = rig.start(settings, 1024 * MIB, 512 * MIB, environment)
            plan = planned(options, settings, environment)
            crowd = Crowd(server.address)
            stack.callback(crowd.close)
            for member in range(members):
                crowd.add("r", reads=member % 3 == 0)
            most_each, most_all = 0, 0
            deadline = time.monotonic() + options.seconds
            while time.monotonic() < deadline:
                crowd.turn(0.1)
                # Readers stop for a while, so that frames pile up for them, and go on.
                crowd.turn(0.3 if int(deadline - time.monotonic()) % 3 else 0.0)
                held = charged(server.port)
                most_each = max(most_each, max(held, default=0))
                most_all = max(most_all, cgroup.used()["tcpBytes"])
                time.sleep(0.5)
            present = crowd.present
            checks.note(f"sendBuffer={buffer}: in the room at the end", f"{present} of {members}")
            checks.demand(
                f"sendBuffer={buffer}: send buffer of one connection", most_each <= plan["kernel: send"],
                f"{most_each:,} B", f"at most {plan['kernel: send']:,} B, as the plan counts",
            )
            if most_all:
                each = plan["kernel: send"] + plan["kernel: receive"]
                checks.demand(
                    f"sendBuffer={buffer}: charged to the container", most_all <= members * each,
                    mebibytes(most_all), f"at most {mebibytes(members * each)} for {members} connections",
                )
            checks.demand(f"sendBuffer={buffer}: enough were stuck", most_each > plan["kernel: send"] // 3, f"{most_each:,} B", "near it")


def charged(port: int) -> list[int]:
    """What the kernel charges for each connection's send buffer, with what it holds ready for it."""
    command = ["ss", "-tanmHO", "sport", "=", f":{port}"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    fields = [dict(re.findall(r"([a-z]+)(\d+)", line.split("skmem:", 1)[1])) for line in lines if "LISTEN" not in line]
    return [int(field["w"]) + int(field["f"]) for field in fields]


def planned(options: argparse.Namespace, settings: list[str], environment: dict[str, str]) -> dict[str, int]:
    """Bytes that the plan counts for each of a line, by its name."""
    command = [str(options.bin / "HungryGame"), "plan", "--json"]
    for setting in settings:
        command += ["--set", setting]
    output = subprocess.run(command, capture_output=True, text=True, env=environment).stdout
    return {line["name"]: line["eachBytes"] for line in json.loads(output)["lines"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--bin", type=Path, default=ROOT / ".build" / "release", help="folder of HungryGame")
    options = parser.parse_args()
    options.seconds = 5.0 if options.quick else 20.0
    checks = Checks()
    try:
        for part in (limits_in_force, refused_start, kernel_memory_is_seen, plan_is_an_upper_bound):
            part(options, checks)
    except (RigError, CgroupError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return checks.verdict("memory_limit")


if __name__ == "__main__":
    sys.exit(main())
