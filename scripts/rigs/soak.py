"""Many connections held for long: what one costs in user space, and that nothing grows.

First COUNT connections in no room (said Hello, was welcomed), then as many players in rooms where nothing moves, held for
--seconds. Server and clients are separate processes: a process may have 20,000 descriptors on many machines.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import page
from checks import Checks
from sizes import mebibytes, size
from samples import Sampler, spread
from server import RigError, Server, is_empty
from swarm import Swarm

ROOM_SIZE = 50
# Bots of one process: two share the load on their source address's ports and on the loop of a swarm.
BOTS_A_SWARM = 5000
# The server closes who has not joined by then; it is as long as may be configured.
HANDSHAKE_SECONDS = 60
LOBBY_HELD_SECONDS = 10
GRACE_SECONDS = 2
# After the last client has left: grace and linger of seats and rooms.
EMPTYING_SECONDS = 60.0
# And then, until the allocator has given memory back.
GIVING_BACK_SECONDS = 30
SECONDS_A_JOIN = 1 / 500


def settings(connections: int) -> list[str]:
    return [
        f"maxConnections={connections + 200}",
        f"maxRooms={connections // ROOM_SIZE * 4 // 3 + 12}",
        f"handshakeDeadline={HANDSHAKE_SECONDS}s",
        "memoryLimit=unlimited",
        f"rooms.arena.limits.grace={GRACE_SECONDS}s",
        "rooms.arena.limits.linger=1s",
        # Otherwise a heartbeat a second and member is most of what both processes do.
        "rooms.arena.limits.heartbeat=10s",
        # At that pace the default of 64 frames a room fills for ten minutes, which is a bounded growth but hides any other.
        "rooms.arena.limits.frameLogFrames=4",
    ]


class Soak:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.checks = Checks()
        options.out.mkdir(parents=True, exist_ok=True)
        self.server = Server(options.bin / "tickserver", settings(options.connections), options.out / "soak-server.log")

    def run(self) -> int:
        try:
            with Sampler(self.server) as sampler:
                time.sleep(2)
                self.resident = self.server.resident_bytes()
                self.descriptors = self.server.most_descriptors_when_empty()
                self.checks.note("resident at start", mebibytes(self.resident))
                self._lobby()
                self._rooms(sampler)
            status = self.server.stop()
            self.checks.demand("server's exit status", status == 0, status, "0")
        finally:
            self.server.kill()
        lines = [("resident, MiB", [(s.seconds, s.resident_bytes / (1 << 20)) for s in sampler.samples])]
        intro = f"{self.options.connections} connections in no room, then in rooms where nothing moves."
        page.write(self.options.out / "soak.html", "Soak", intro, self.checks, [("Memory of the server", lines, "s")])
        print(f"report: {self.options.out / 'soak.html'}")
        return self.checks.verdict("soak")

    def _lobby(self) -> None:
        count = self.options.connections
        print(f"{count} connections in no room:", flush=True)
        halves = [count // 2, count - count // 2]
        script = str(Path(__file__).with_name("lobby.py"))
        guests = [
            subprocess.Popen(
                [sys.executable, script, self.server.address, str(half), str(LOBBY_HELD_SECONDS), f"127.0.0.{2 + index}"],
                stdout=subprocess.PIPE,
                text=True,
            )
            for index, half in enumerate(halves)
        ]
        try:
            welcomed = sum(int((guest.stdout.readline() if guest.stdout else "").split()[-1]) for guest in guests)
            self.checks.demand("welcomed", welcomed == count, welcomed, str(count))
            time.sleep(2)
            self._cost("in no room", count)
            held = sum(int((guest.stdout.readline() if guest.stdout else "").split()[-1]) for guest in guests)
            self.checks.demand("held", held == count, held, str(count))
        finally:
            for guest in guests:
                guest.kill() if guest.poll() is None and sys.exc_info()[0] else guest.wait()
        self._census("lobby")

    def _rooms(self, sampler: Sampler) -> None:
        count, seconds = self.options.connections, self.options.seconds
        print(f"{count} players in rooms of {ROOM_SIZE}, for {seconds} s:", flush=True)
        shares = [min(BOTS_A_SWARM, count - first) for first in range(0, count, BOTS_A_SWARM)]
        swarms = [self._swarm(index, share, seconds) for index, share in enumerate(shares)]
        try:
            ledger = self.server.wait(lambda ledger: ledger["total"]["seats"] >= count, 60 + count * SECONDS_A_JOIN)
            seats = ledger["total"]["seats"]
            self.checks.demand("seats", seats == count, seats, str(count))
            time.sleep(5)
            first = sampler.elapsed_seconds
            self._cost("in a room", count)
            time.sleep(max(0.0, seconds - 10))
            held = sampler.between(first, sampler.elapsed_seconds)
            self.checks.demand(
                "resident memory moved", spread(held) <= self.options.max_spread, f"{spread(held):.2%}",
                f"at most {self.options.max_spread:.0%} over {held[-1].seconds - held[0].seconds:.0f} s",
            )
            for swarm in swarms:
                report = swarm.finish(seconds + 120)
                self.checks.demand("swarm", report["exitStatus"] in (0, 3), report["verdict"], "no failed check")
        finally:
            for swarm in swarms:
                swarm.stop()
        self._census("rooms")

    def _swarm(self, index: int, bots: int, seconds: int) -> Swarm:
        arguments = ["--bots", str(bots), "--room-size", str(ROOM_SIZE), "--room-prefix", f"soak{index}"]
        arguments += ["--local-address", f"127.0.0.{2 + index}", "--duration", str(seconds), "--quiet"]
        arguments += ["--mix", "idle=1", "--input-rate", "0", "--event-interval", "off"]
        return Swarm(self.options.bin / "botswarm", self.server.address, self.options.out / f"soak-{index}", arguments)

    def _cost(self, where: str, count: int) -> None:
        cost = (self.server.resident_bytes() - self.resident) / count
        limit = self.options.max_bytes
        self.checks.demand(f"user space a connection {where}", cost <= limit, f"{cost:.0f} B", f"at most {limit} B")

    def _census(self, after: str) -> None:
        ledger = self.server.wait(is_empty, EMPTYING_SECONDS)
        self.checks.census(ledger, self.server.descriptors(), self.descriptors, self.server.port)
        deadline = time.monotonic() + GIVING_BACK_SECONDS
        while (growth := self.server.resident_bytes() / self.resident - 1) > self.options.max_after:
            if time.monotonic() > deadline:
                break
            time.sleep(0.5)
        most = f"at most {self.options.max_after:.0%} above the start within {GIVING_BACK_SECONDS} s"
        self.checks.demand(f"resident after {after}", growth <= self.options.max_after, f"{growth:+.0%}", most)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/soak.sh", description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=300, help="how long players are held; at least 20")
    parser.add_argument("--max-bytes", type=size, default=size("4KiB"), help="of user space a connection")
    parser.add_argument("--max-spread", type=float, default=0.02, help="movement of resident memory while held: 0.02 is 2%%")
    parser.add_argument("--max-after", type=float, default=0.2, help="growth of resident memory when all have left")
    parser.add_argument("--bin", type=Path, required=True, help="folder of tickserver and botswarm")
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()
    if options.seconds < 20:
        parser.error("--seconds is at least 20")
    try:
        return Soak(options).run()
    except RigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
