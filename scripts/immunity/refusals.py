"""Everyone who is turned away, or sent away, is told: many at once, from one address and from many, whether they speak first or
listen, and whether or not they read. A stopping server spreads when they come back.
"""

from __future__ import annotations

import argparse
import socket
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parents[1]
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "rigs")]

import kernel
from checks import Checks
from peers import TINY_BUFFER_BYTES, Peer, PeerError, tw
from server import RigError, Server, is_empty

PLACES = 20
MARGIN_SECONDS = 3.0
DRAIN_SECONDS = 5.0
CONNECTION_LIMIT, DRAINING = 68, 1


def crowd(address: str, count: int, sources: int) -> list[socket.socket]:
    """As many connections at once as a thread can begin."""
    host, port = address.rsplit(":", 1)
    sockets = []
    for index in range(count):
        one = socket.socket()
        one.bind((f"127.0.3.{index % sources + 1}", 0))
        one.setblocking(False)
        one.connect_ex((host, int(port)))
        sockets.append(one)
    for one in sockets:
        one.settimeout(10)
    return sockets


def goodbye(one: socket.socket, speaks: bool) -> str:
    """What a client hears that says Hello first, as it should, or only listens."""
    reader = tw.MessageReader(tw.DEFAULT_SERVER_LIMIT)
    hello = tw.encode_message("client", "Hello", {"version": tw.PROTOCOL_VERSION, "capabilities": 0, "credential": 0})
    try:
        if speaks:
            one.sendall(hello)
    except OSError as error:
        return f"no word sent: {type(error).__name__}"
    try:
        while data := one.recv(1 << 16):
            reader.feed(data)
            if (raw := reader.next()) is not None:
                message = tw.decode_message("server", raw)
                return f"goodbye {message['reason']}" if message is not None else "something else"
    except OSError as error:
        return type(error).__name__
    return "end of stream"


def tally(answers: list[str]) -> str:
    return ", ".join(f"{answers.count(answer)} {answer}" for answer in sorted(set(answers)))


def turned_away(options: argparse.Namespace, checks: Checks) -> None:
    server = Server(
        options.bin / "tickserver",
        [f"maxConnections={PLACES}", "loops=2", "handshakeDeadline=60s", f"drain={DRAIN_SECONDS:.0f}s", "memoryLimit=unlimited"],
        options.out / "refusals.log",
    )
    try:
        descriptors = server.most_descriptors_when_empty()
        inside = [Peer(server.address) for _ in range(PLACES)]
        for peer in inside:
            peer.hello()
            peer.until("Welcome")
        right = f"goodbye {CONNECTION_LIMIT}"
        for count in options.counts:
            for sources in (1, 50):
                for speaks in (False, True):
                    name = f"{count} at once from {sources} address(es), " + ("say Hello first" if speaks else "only listen")
                    sockets = crowd(server.address, count, sources)
                    answers = [goodbye(one, speaks) for one in sockets]
                    checks.demand(f"told: {name}", set(answers) == {right}, tally(answers), f"all {right}")
                    most = server.descriptors()
                    checks.demand("descriptors meanwhile", most <= descriptors + PLACES + 40, most, "bounded")
                    for one in sockets:
                        one.close()
        deaf(server, checks, right)
        inside[0].say("Ping", token=7)
        checks.demand("those inside", inside[0].until("Pong")["token"] == 7, "served", "served")
        for peer in inside:
            peer.close()
        checks.census(server.wait(is_empty, 20), server.descriptors(), descriptors, server.port)
        checks.demand("server's exit status", (status := server.stop()) == 0, status, "0")
    finally:
        server.kill()


def deaf(server: Server, checks: Checks, right: str) -> None:
    """Those who take every place and neither read nor end keep nobody else from being told."""
    squatters = [Peer(server.address, TINY_BUFFER_BYTES) for _ in range(100)]
    answers = []
    for _ in range(20):
        one = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        answers.append(goodbye(one, speaks=True))
        one.close()
    checks.demand("told: beside 100 who do not end", set(answers) == {right}, tally(answers), f"all {right}")
    deadline = time.monotonic() + MARGIN_SECONDS + 2
    names = {peer.name for peer in squatters}
    while (left := [s for s in kernel.sockets(server.port) if s.peer in names]) and time.monotonic() < deadline:
        time.sleep(0.2)
    states = sorted({socket.state for socket in left})
    checks.demand("kernel, those who do not end", not left, f"{len(left)} sockets {' '.join(states)}", "0 after 5 s")
    for peer in squatters:
        peer.reset()


def sent_away(options: argparse.Namespace, checks: Checks) -> None:
    """What a drain tells: when to come back is spread over its window."""
    count = options.players
    settings = [f"maxConnections={count + 10}", "handshakeDeadline=60s", f"drain={DRAIN_SECONDS:.0f}s", "memoryLimit=unlimited"]
    server = Server(options.bin / "tickserver", settings, options.out / "refusals-drain.log")
    try:
        peers = [Peer(server.address) for _ in range(count)]
        for peer in peers:
            peer.hello()
        for peer in peers:
            peer.until("Welcome")
        server.process.terminate()
        goodbyes = [peer.until("Goodbye") for peer in peers]
        for peer in peers:
            peer.close()
        checks.demand("drain: told", all(g["reason"] == DRAINING for g in goodbyes), f"{len(goodbyes)} goodbyes", "all, draining")
        times = sorted(g["retryAfterMilliseconds"] for g in goodbyes)
        first, middle, last = (times[int(len(times) * share)] for share in (0.05, 0.5, 0.95))
        window = DRAIN_SECONDS * 1000
        spread = first < 500 + 0.15 * window and 0.35 * window < middle < 0.85 * window and last > 0.85 * window
        shown = f"p5 {first} ms, p50 {middle} ms, p95 {last} ms, {len(set(times))} different"
        checks.demand("drain: when they come back", spread and times[-1] <= 500 + window, shown, f"over {window:.0f} ms")
        tenth = max(sum(1 for t in times if low <= t < low + window / 10) for low in range(0, 6000, 100))
        checks.demand("drain: most within a tenth of it", tenth <= len(times) / 4, tenth, f"a quarter of {len(times)}")
        checks.demand("server's exit status", (status := server.process.wait(20)) == 0, status, "0")
    finally:
        server.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer at once")
    parser.add_argument("--bin", type=Path, default=REPOSITORY / ".build/release", help="folder of tickserver")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "out")
    options = parser.parse_args()
    options.counts = (60, 500) if options.quick else (60, 500, 2000)
    options.players = 300 if options.quick else 1000
    options.out.mkdir(parents=True, exist_ok=True)
    checks = Checks()
    try:
        turned_away(options, checks)
        sent_away(options, checks)
    except (RigError, PeerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return checks.verdict("refusals")


if __name__ == "__main__":
    sys.exit(main())
