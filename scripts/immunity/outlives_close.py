"""What outlives a close: nothing. Clients stall, half-close, vanish, are sent away, and keep their sockets; the kernel must not
hold their bytes for longer than the stall deadline, nor a moment without a descriptor of the server.

The ledger is not believed: `ss` tells what the kernel holds.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parents[1]
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "rigs")]

import kernel
from checks import Checks
from peers import TINY_BUFFER_BYTES, Peer, PeerError
from server import RigError, Server, is_empty
from swarm import Swarm

STALL_SECONDS = 2.0
# What the server adds: its sweep, and the time that a peer may take to end after it has taken everything.
MARGIN_SECONDS = 2.0
ROOM_SIZE = 40
EMPTYING_SECONDS = 20.0
FILLING_SECONDS = 15.0
EVENT = {"flags": 0, "target": 0, "code": 16}
SETTINGS = [
    "maxConnections=6000", "maxRooms=200", "loops=2", "memoryLimit=unlimited", "idleDeadline=60s", "handshakeDeadline=30s",
    "rooms.arena.limits.messagesPerSecond=2000", "rooms.arena.limits.messageBurst=4000", "bytesPerSecond=4MiB",
    "byteBurst=4MiB", f"rooms.arena.limits.stallDeadline={STALL_SECONDS:.0f}s", "rooms.arena.limits.grace=1s",
    "rooms.arena.limits.linger=1s", "drain=1s",
]


@dataclass(frozen=True)
class Form:
    """A way to leave bytes behind."""

    name: str
    # What it does once enough waits for it.
    act: Callable[[Peer], None]
    receive_bytes: int | None = TINY_BUFFER_BYTES
    # Waits until the server's socket is full, else until a few KiB are in it: then no write of the server is in flight.
    fills: bool = False
    # Stays in no room and asks for Pongs.
    in_lobby: bool = False
    # Acts when it has joined; what the room sends comes after.
    at_once: bool = False

    def is_ready(self, unsent: int, before: int) -> bool:
        """With so many bytes in the server's socket, and so many at the look before."""
        if self.fills:
            return unsent > 30_000 and unsent == before
        return self.at_once or unsent >= (1 if self.in_lobby else 2000)


def half_close(peer: Peer) -> None:
    peer.half_close()


def leave(peer: Peer) -> None:
    peer.say("Leave")
    peer.half_close()


def offend(peer: Peer) -> None:
    """A required message that nobody knows: a Goodbye is said."""
    peer.socket.sendall(b"\x01\x7f")


def offend_and_half_close(peer: Peer) -> None:
    offend(peer)
    time.sleep(0.005)
    peer.half_close()


def vanish(peer: Peer) -> None:
    """Half-closes, and its machine is gone: nothing is acknowledged any more."""
    peer.half_close()
    peer.deafen()


FORMS = [
    Form("half-close, server's socket full", half_close, fills=True),
    Form("half-close, default window", half_close, receive_bytes=None, fills=True),
    Form("half-close, bytes in the kernel alone", half_close),
    Form("half-close on arrival", half_close, at_once=True),
    Form("Leave and half-close", leave),
    Form("half-close in the lobby", half_close, in_lobby=True),
    Form("half-close, then deaf", vanish),
    Form("sent away, then half-close", offend_and_half_close),
    Form("sent away, stays", offend),
]


class Feeders:
    """One member of each room that sends events to all, and reads everything itself."""

    EVENTS_A_SECOND = 60

    def __init__(self, address: str):
        self.address = address
        self.peers: list[Peer] = []
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._feed), threading.Thread(target=self._read)]
        for thread in self._threads:
            thread.start()

    def add(self, room: str) -> None:
        peer = Peer(self.address)
        peer.hello()
        peer.join(room)
        peer.until("Joined")
        with self._lock:
            self.peers.append(peer)

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        for peer in self.peers:
            peer.close()

    def _feed(self) -> None:
        while not self._stopped.wait(2 / self.EVENTS_A_SECOND):
            with self._lock:
                peers = list(self.peers)
            for peer in peers:
                try:
                    for _ in range(2):
                        peer.say("Event", **EVENT, payload=bytes(1000))
                except OSError:
                    pass  # the server is gone, which is told elsewhere

    def _read(self) -> None:
        while not self._stopped.wait(0.02):
            with self._lock:
                peers = list(self.peers)
            for peer in peers:
                try:
                    peer.socket.setblocking(False)
                    while peer.socket.recv(1 << 16):
                        pass
                except OSError:
                    pass
                finally:
                    peer.socket.settimeout(5)


class Zombies:
    """The clients of all forms on one server."""

    def __init__(self, server: Server, each: int, forms: list[Form], feeders: Feeders):
        self.server = server
        self.peers: dict[Form, list[Peer]] = {}
        self.by_name: dict[str, Form] = {}
        # When the last client of each form had left.
        self.acted: dict[Form, float] = {}
        self.number = 0
        self.feeders = feeders
        for form in forms:
            self.enter(form, each)

    def enter(self, form: Form, each: int) -> None:
        self.peers[form] = self._enter(form, self.number, each, self.feeders)
        self.number += 1

    def _enter(self, form: Form, number: int, each: int, feeders: Feeders) -> list[Peer]:
        peers = [Peer(self.server.address, form.receive_bytes, source=f"127.0.2.{number + 1}") for _ in range(each)]
        for index, peer in enumerate(peers):
            peer.hello()
            if not form.in_lobby:
                peer.join(f"zombies-{number}-{index // ROOM_SIZE}")
        for peer in peers:
            peer.until("Welcome" if form.in_lobby else "Joined")
            # Not before: until the server accepts it, its socket is nobody's.
            self.by_name[peer.name] = form
        if not form.in_lobby and not form.at_once:
            for room in range((each + ROOM_SIZE - 1) // ROOM_SIZE):
                feeders.add(f"zombies-{number}-{room}")
        return peers

    def leave(self) -> list[str]:
        """Each client leaves in its way once it has what it needs in the server's socket; names forms that some never had."""
        waiting = {form: set(peers) for form, peers in self.peers.items() if form not in self.acted}
        for form, peers in waiting.items():
            for peer in peers if form.in_lobby else []:
                for token in range(400):
                    peer.say("Ping", token=token)
        before: dict[str, int] = {}
        deadline = time.monotonic() + FILLING_SECONDS
        while waiting and time.monotonic() < deadline:
            held = self.unsent()
            for form, peers in list(waiting.items()):
                for peer in [peer for peer in peers if form.is_ready(held.get(peer.name, 0), before.get(peer.name, 0))]:
                    peers.discard(peer)
                    try:
                        form.act(peer)
                    except OSError:
                        pass  # ended before: seen as what the kernel holds of it
                if not peers:
                    self.acted[form] = time.monotonic()
                    del waiting[form]
            before = held
            time.sleep(0.1)
        return [f"{form.name}: {len(peers)}" for form, peers in waiting.items()]

    def sockets(self) -> list[kernel.Socket]:
        return [socket for socket in kernel.sockets(self.server.port) if socket.peer in self.by_name]

    def unsent(self) -> dict[str, int]:
        return {socket.peer: socket.unsent_bytes for socket in self.sockets()}

    def close(self) -> None:
        for peers in self.peers.values():
            for peer in peers:
                peer.reset()


@dataclass
class Watched:
    """What was seen while zombies were there."""

    # Seconds from when a form acted to when the kernel held nothing of it.
    gone_after: dict[Form, float]
    most_held: dict[Form, int]
    most_unowned_bytes: int = 0
    most_unowned: int = 0
    most_closing: int = 0
    most_told_bytes: int = 0


class Watch(threading.Thread):
    """Looks at the kernel and the ledger, again and again."""

    def __init__(self, zombies: Zombies):
        super().__init__()
        self.zombies = zombies
        self.seen = Watched({}, {})
        self._unowned: set[str] = set()
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(0.1):
            self.look()

    def look(self) -> None:
        now = time.monotonic()
        sockets = self.zombies.sockets()
        unowned = [socket for socket in sockets if not socket.is_owned]
        seen = self.seen
        # `ss` reads sockets and descriptors one after the other: what is closed in between is nobody's in one look.
        still = [socket for socket in unowned if socket.peer in self._unowned]
        self._unowned = {socket.peer for socket in unowned}
        seen.most_unowned = max(seen.most_unowned, len(still))
        seen.most_unowned_bytes = max(seen.most_unowned_bytes, sum(s.unsent_bytes for s in still))
        held: dict[Form, int] = {}
        for socket in sockets:
            form = self.zombies.by_name[socket.peer]
            held[form] = held.get(form, 0) + socket.send_memory_bytes + socket.received_bytes
        for form, bytes_held in held.items():
            seen.most_held[form] = max(seen.most_held.get(form, 0), bytes_held)
        for form, at in list(self.zombies.acted.items()):
            if form in held:
                seen.gone_after.pop(form, None)
            elif at < now:
                seen.gone_after.setdefault(form, now - at)
        total = self.zombies.server.ledger()["total"]
        seen.most_closing = max(seen.most_closing, total["closing"])
        seen.most_told_bytes = max(seen.most_told_bytes, total.get("closingUnsentBytes", 0))

    def finish(self, seconds: float) -> Watched:
        deadline = time.monotonic() + seconds
        while len(self.seen.gone_after) < len(self.zombies.acted) and time.monotonic() < deadline:
            time.sleep(0.1)
        self._stopped.set()
        self.join()
        return self.seen


def zombies_beside_players(options: argparse.Namespace, checks: Checks) -> None:
    server = Server(options.bin / "tickserver", SETTINGS, options.out / "outlives-close.log")
    feeders = Feeders(server.address)
    swarm: Swarm | None = None
    try:
        descriptors = server.most_descriptors_when_empty()
        words = ["--bots", "20", "--room-size", "10", "--duration", str(options.swarm_seconds), "--admin", server.admin]
        swarm = Swarm(options.bin / "botswarm", server.address, options.out / "outlives-close-players", words, quiet=True)
        zombies = Zombies(server, options.each, [], feeders)
        watch = Watch(zombies)
        watch.start()
        for form in FORMS:
            zombies.enter(form, options.each)
            for name in zombies.leave():
                checks.demand(f"bytes wait for {name}", False, "never", "every client can be shown")
        seen = watch.finish(STALL_SECONDS + MARGIN_SECONDS + 3)
        for form in FORMS:
            after = seen.gone_after.get(form)
            value = f"{seen.most_held.get(form, 0):,} B at most, " + (f"gone after {after:.1f} s" if after else "still held")
            limit = STALL_SECONDS + MARGIN_SECONDS
            checks.demand(f"kernel, {form.name}", after is not None and after <= limit + 0.5, value, f"gone after {limit:.0f} s")
        checks.demand("bytes without a descriptor", seen.most_unowned_bytes == 0, f"{seen.most_unowned_bytes:,}", "0 at any time")
        checks.demand("sockets without a descriptor", seen.most_unowned == 0, seen.most_unowned, "0 at any time")
        told = f"{seen.most_closing} connections, {seen.most_told_bytes:,} B"
        checks.demand("ledger's closing meanwhile", seen.most_told_bytes > 2000 * options.each, told, "with their bytes")
        honest(server, feeders, checks)
        admin(server, checks, options.each)
        feeders.stop()
        report = swarm.finish(options.swarm_seconds + 60)
        rightly = report["exitStatus"] in (0, 3)
        checks.demand("players beside them", rightly, report["verdict"], "no fault")
        checks.census(server.wait(is_empty, EMPTYING_SECONDS), server.descriptors(), descriptors, port=server.port)
        zombies.close()
        checks.demand("server's exit status", (status := server.stop()) == 0, status, "0")
    finally:
        feeders.stop()
        if swarm is not None:
            swarm.stop()
        server.kill()


def honest(server: Server, feeders: Feeders, checks: Checks) -> None:
    """Half-closes with bytes on the way, then reads slowly to the end: it gets them all, and an end of stream."""
    feeders.add("honest")
    results = []
    for _ in range(5):
        peer = Peer(server.address, 4 * TINY_BUFFER_BYTES)
        peer.hello()
        peer.join("honest")
        peer.until("Joined")
        waiting = 0
        while waiting < 2000:
            waiting = max((s.unsent_bytes for s in kernel.sockets(server.port) if s.peer == peer.name), default=0)
        leave(peer)
        before = peer.bytes_read
        try:
            deadline = time.monotonic() + STALL_SECONDS
            while peer.read(deadline):
                while peer.reader.next() is not None:
                    pass
                time.sleep(0.002)
            peer.reader.finish()
            results.append(peer.bytes_read - before >= waiting)
        except (OSError, PeerError, ValueError):
            results.append(False)
        peer.close()
    checks.demand("a client that reads to the end", all(results), results, "gets whole messages and an end of stream")


def admin(server: Server, checks: Checks, each: int) -> None:
    """Watchers that half-close and read nothing."""
    port = int(server.admin.rsplit(":", 1)[1])
    peers = []
    names = set()
    for index in range(min(each, 60)):
        peer = Peer(server.admin, TINY_BUFFER_BYTES)
        names.add(peer.name)
        peer.socket.sendall(b"GET /metrics HTTP/1.1\r\nHost: rig\r\n\r\n")
        time.sleep(0.02)
        if index % 2 == 0:
            peer.half_close()
        peers.append(peer)
    most, started, gone = 0, time.monotonic(), None
    while gone is None and time.monotonic() < started + 10:
        held = [socket for socket in kernel.sockets(port) if socket.peer in names]
        most = max(most, sum(socket.send_memory_bytes for socket in held))
        gone = time.monotonic() - started if not held else None
        time.sleep(0.2)
    value = f"{most:,} B at most, " + (f"gone after {gone:.1f} s" if gone else "still held")
    checks.demand("kernel, watchers of the admin port", gone is not None and gone <= 7.5, value, "gone after 7 s")
    for peer in peers:
        peer.reset()


def end_of_process(options: argparse.Namespace, checks: Checks, name: str, end: Callable[[Server], Any]) -> None:
    """A server that ends while peers hold its bytes: nothing outlives it."""
    server = Server(options.bin / "tickserver", SETTINGS, options.out / "outlives-close-end.log")
    feeders = Feeders(server.address)
    try:
        forms = [form for form in FORMS if not form.at_once and form.act is not vanish][:5]
        zombies = Zombies(server, min(options.each, 40), forms, feeders)
        zombies.leave()
        end(server)
        server.process.wait(20)
        left = [socket for socket in zombies.sockets() if socket.unsent_bytes > 0]
        held = sum(socket.send_memory_bytes for socket in left)
        checks.demand(f"kernel after {name}", held == 0, f"{held:,} B of {len(left)} sockets", "0 B")
        zombies.close()
    finally:
        feeders.stop()
        server.kill()


def terminate(server: Server) -> None:
    server.process.send_signal(signal.SIGTERM)


def terminate_twice(server: Server) -> None:
    terminate(server)
    time.sleep(0.1)
    terminate(server)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="30 clients of each form, not 500")
    parser.add_argument("--each", type=int, help="clients of each form")
    parser.add_argument("--bin", type=Path, default=REPOSITORY / ".build/release", help="folder of tickserver and botswarm")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "out")
    options = parser.parse_args()
    options.each = options.each or (30 if options.quick else 500)
    options.swarm_seconds = 10 if options.quick else 40
    options.out.mkdir(parents=True, exist_ok=True)
    checks = Checks()
    try:
        zombies_beside_players(options, checks)
        end_of_process(options, checks, "SIGTERM and the drain", terminate)
        end_of_process(options, checks, "a second SIGTERM", terminate_twice)
    except (RigError, PeerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return checks.verdict("outlives_close")


if __name__ == "__main__":
    sys.exit(main())
