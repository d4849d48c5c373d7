"""A client of the SDK costs its machine no more than it says, whatever its reader and its server do.

Three clients in rooms of bots that move and talk: one never reads its notices, one is always late, one reads at once. The
server is stopped for 5 s while they raise events as fast as they can, and goes on. Resident memory is read from /proc.
"""

from __future__ import annotations

import argparse
import os
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "rigs"))

from checks import Checks  # noqa: E402
from server import RigError, Server  # noqa: E402
from swarm import Swarm  # noqa: E402

MEBIBYTE = 1 << 20
ANSWER_SECONDS = 15.0
# 1,024 notices of at most 1 KiB, half a MiB of output, as much again for what holds them, and what a heap wastes.
MOST_GROWTH = 8 * MEBIBYTE


class Client:
    def __init__(self, program: Path, port: int, room: str, mode: str):
        self.mode = mode
        command = [str(program), str(port), room, mode]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        if self._line() != "joined":
            raise RigError(f"the client that reads {mode} did not join")

    def _line(self) -> str:
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], ANSWER_SECONDS)[0]:
            raise RigError(f"the client that reads {self.mode} does not answer")
        return self.process.stdout.readline().strip()

    def order(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def tell(self) -> dict[str, int]:
        self.order("tell")
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", self._line())}

    def resident_bytes(self) -> int:
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        match = re.search(r"^Rss:\s+(\d+) kB$", text, re.MULTILINE)
        return int(match[1]) * 1024 if match else 0

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def watch(clients: list[Client], seconds: float, peaks: dict[str, int]) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for client in clients:
            peaks[client.mode] = max(peaks.get(client.mode, 0), client.resident_bytes())
        time.sleep(0.1)


def run(options: argparse.Namespace, checks: Checks) -> None:
    program = options.client or options.bin / "SleepyClient"
    if not program.exists():
        raise RigError(f"{program} does not exist: run `swift build -c release --product SleepyClient`")
    with ExitStack() as stack:
        server = Server(options.bin / "tickserver", [], options.out / "sdk-memory.log")
        stack.callback(server.kill)
        modes = ("never", "behind", "reads")
        # A room each, with bots that talk: a sleeper must not be ended because another one floods.
        arguments = ["--bots", "60", "--room-size", "20", "--room-prefix", "sdk", "--event-interval", "1s", "--duration", "60"]
        swarm = Swarm(options.bin / "botswarm", server.address, options.out / "sdk-memory", arguments, quiet=True)
        stack.callback(swarm.stop)
        server.wait(lambda ledger: ledger["total"]["seats"] >= 60, 20)
        clients = [Client(program, server.port, f"sdk-{number}", mode) for number, mode in enumerate(modes)]
        for client in clients:
            stack.callback(client.end)
        time.sleep(3)
        before = {client.mode: client.resident_bytes() for client in clients}
        told = {client.mode: client.tell() for client in clients}
        peaks: dict[str, int] = {}

        os.kill(server.pid, signal.SIGSTOP)
        for client in clients:
            client.order("flood")
        watch(clients, 5, peaks)
        for client in clients:
            client.order("calm")
        time.sleep(0.2)
        flooded = {client.mode: client.tell() for client in clients}
        os.kill(server.pid, signal.SIGCONT)
        watch(clients, 5 if options.quick else 30, peaks)
        after = {client.mode: client.tell() for client in clients}

    for mode in modes:
        growth = peaks[mode] - before[mode]
        value = f"{before[mode] / MEBIBYTE:.1f} MiB, then {growth / MEBIBYTE:+.1f} MiB at its peak"
        checks.demand(f"{mode}: memory", growth <= MOST_GROWTH, value, f"at most {MOST_GROWTH // MEBIBYTE} MiB more")
        refused = flooded[mode].get("refused", 0)
        value = f"{flooded[mode].get('raised')} raised, {refused} refused"
        checks.demand(f"{mode}: what a server that stands still does not take", refused > 0, value, "refused with an error")
        checks.note(f"{mode}: at the end", after[mode])
    for mode in ("behind", "reads"):
        frames = told[mode].get("frames", 0)
        checks.demand(f"{mode}: frames told", frames > 0, f"{frames} in 3 s", "some")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="5 s after the pause instead of 30")
    parser.add_argument("--bin", type=Path, default=ROOT / ".build" / "release", help="folder of tickserver and botswarm")
    parser.add_argument("--client", type=Path, help="the program SleepyClient; by default that beside the server")
    parser.add_argument("--out", type=Path, default=ROOT / "out")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    checks = Checks()
    try:
        run(options, checks)
    except (RigError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return checks.verdict("sdk_memory")


if __name__ == "__main__":
    sys.exit(main())
