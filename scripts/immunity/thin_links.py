"""How old is the state that members with thin links see, are they kept, and does every reliable event reach them?

One player feeds a room with 120 KB a second. Others read less than that: all of them read as much as their link gives
them, answer pings when they read them, and send inputs. What is measured is what they see.

    python3 scripts/immunity/thin_links.py [--quick] [--bin FOLDER] [--json FILE] [--only rates,networks,changing,crowd]
    python3 scripts/immunity/thin_links.py --chart FILE.svg BEFORE.json AFTER.json

A link is thin in one of two ways: its client reads slowly (`reader`: the kernel at its end acknowledges at once and keeps
what waits), or the network is slow (`network`: tbf between two namespaces, with delay and loss by a relay; needs root).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parents[1]
sys.path += [str(PROJECT / "scripts/rigs"), str(PROJECT / "Tests/Vectors")]

import tickwire as tw  # noqa: E402
from checks import Checks  # noqa: E402
from namespaces import Link, NamespaceError, enter  # noqa: E402
from tickwire.lists import EVENTS  # noqa: E402
from server import RigError, Server  # noqa: E402
from thin_chart import chart  # noqa: E402

KIND = "feed"
# 64 boxes of 64 bytes that all change in every tick: 4.2 KB a frame, 126 KB a second; the others only make keyframes longer.
MOVING, STILL, BOX_BYTES, TICK_RATE = 60, 20, 64, 30
EVENTS_PER_SECOND = 5
FEED_EVENT = 20
STEP_SECONDS, SAMPLE_SECONDS, INPUT_SECONDS = 0.004, 0.010, 0.2
# What is seen before is the join itself.
SETTLE_SECONDS = 1.0
KEYFRAMES_BEHIND, LEAST_BOUND_SECONDS = 2, 0.5

CONFIG = f"""
bytesPerSecond: 4MiB
byteBurst: 4MiB
rooms:
  {KIND}:
    tickRate: {TICK_RATE}
    capacity: 200
    entities:
      box:
        capacity: 400
        atJoin: 0
        most: 200
        fields:
          content: {{type: bytes, maxBytes: {BOX_BYTES}}}
      mark:
        capacity: 400
        atJoin: 1
        most: 1
        fields:
          x: {{type: unsigned, bits: 16}}
    limits: {{inboxBytes: 256KiB, admissionsPerTick: 200}}
"""


def microseconds() -> int:
    return time.monotonic_ns() // 1000


# What a link lets through, in bytes a second, by the seconds since it began; None: all.
Rate = Callable[[float], float]


@dataclass
class Seen:
    """What one member saw."""

    name: str
    bytes_per_second: float | None
    bound_seconds: float = 0
    median_seconds: float = 0
    p95_seconds: float = 0
    most_seconds: float = 0
    keyframe_bytes: int = 0
    kept_seconds: float = 0
    end: str | None = None
    received_bytes: int = 0
    frames: int = 0
    keyframes: int = 0
    events: int = 0
    last_event: int = 0
    acknowledged: int = 0
    faults: list[str] = field(default_factory=list)


class Member:
    """Reads at most what its link gives it, and looks at no more of what it reads than this rig asks about."""

    def __init__(self, name: str, address: tuple[str, int], rate: Rate | None, buffer: int | None, offset: int):
        self.seen = Seen(name, rate(0) if rate is not None else None)
        self.rate = rate
        self.offset = offset
        self.socket = socket.socket()
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(10)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.reader = tw.MessageReader(tw.DEFAULT_SERVER_LIMIT)
        self.out = bytearray(tw.encode_message("client", "Hello", {"version": 1, "capabilities": 0, "credential": 0}))
        self.began = self.stepped = time.monotonic()
        self.credit = 0.0
        self.joined: tw.Message | None = None
        self.schema: tw.Schema | None = None
        self.tick: int | None = None
        self.known_since = 0.0
        self.ages: list[float] = []
        self.next_sample = self.next_input = 0.0
        self.event = 0
        self.first_payload: int | None = None
        self.payload: int | None = None
        self.missed = 0
        self.replies = 0
        self.sequence = 0
        self.own: int | None = None

    @property
    def is_over(self) -> bool:
        return self.seen.end is not None

    def send(self, name: str, fields: dict[str, Any]) -> None:
        self.out += tw.encode_message("client", name, fields, self.schema)

    def step(self, now: float) -> None:
        if self.is_over:
            return
        try:
            self.read(now)
            self.flush()
        except OSError as error:
            self.finish(now, str(error))
        if self.joined is not None and self.tick is not None and now >= self.next_sample:
            self.next_sample = now + SAMPLE_SECONDS
            if now - self.known_since > SETTLE_SECONDS:
                due = self.joined["start"] + self.tick * 1_000_000 // TICK_RATE
                self.ages.append((microseconds() + self.offset - due) / 1e6)
        if self.joined is not None and self.seen.bytes_per_second is not None and now >= self.next_input and self.own is not None:
            self.next_input = now + INPUT_SECONDS
            self.sequence += 1
            entry = {"kind": 1, "id": self.own, "mask": 1, "values": [[self.sequence & 0xFFFF]]}
            self.send("Input", {"sequence": self.sequence, "entries": [entry]})

    def read(self, now: float) -> None:
        most = 1 << 18
        if self.rate is not None:
            rate = self.rate(now - self.began)
            # What a link did not carry in time is lost to it.
            self.credit = min(self.credit + rate * (now - self.stepped), max(64.0, rate * 0.1))
            most = int(self.credit)
        self.stepped = now
        if most < 1:
            return
        try:
            data = self.socket.recv(most)
        except BlockingIOError:
            return
        if not data:
            return self.finish(now, "the server closed the stream")
        self.credit -= len(data)
        self.seen.received_bytes += len(data)
        self.reader.feed(data)
        while (raw := self.reader.next()) is not None:
            self.take(raw, now)

    def flush(self) -> None:
        if self.out:
            try:
                del self.out[: self.socket.send(self.out)]
            except BlockingIOError:
                pass

    def finish(self, now: float, end: str) -> None:
        self.seen.end = self.seen.end or end
        self.seen.kept_seconds = now - self.began
        self.socket.close()

    def take(self, raw: tw.RawMessage, now: float) -> None:
        if self.missed and raw.type != 0x17:
            self.seen.faults.append(f"{raw.type:#x} where {self.missed} events had to come")
        if raw.type == 0x13:
            return self.take_frame(raw, now)
        message = tw.decode_message("server", raw, self.schema)
        assert message is not None
        if message.name == "Welcome":
            self.send("Join", {"flags": 0, "room": KIND, "roomKind": KIND, "schemaHash": 0, "options": b""})
        elif message.name == "Ping":
            self.send("Pong", {"token": message["token"], "time": microseconds()})
        elif message.name == "Joined":
            self.joined = message
            self.schema = tw.Schema.decode(message["schema"])
            self.event = message["lastEvent"]
            self.known_since = now
            self.own = 0
        elif message.name == "Events":
            if message["first"] != self.event - self.missed + 1 or len(message["events"]) != self.missed:
                self.seen.faults.append(f"{len(message['events'])} events from {message['first']}, missed {self.missed}")
            self.missed = 0
            self.take_events(message["events"])
        elif message.name == "InputAck":
            self.seen.acknowledged = message["sequence"]
        elif message.name == "Reply":
            self.replies += 1
        elif message.name == "Goodbye":
            self.finish(now, f"{message['reason']}: {message['text']}")

    def take_frame(self, raw: tw.RawMessage, now: float) -> None:
        reader = tw.Reader(raw.body, raw.header_size, self.schema)
        flags = reader.u8()
        tick, other = reader.varint(), reader.varint()
        self.seen.frames += 1
        if flags & 1:
            self.seen.keyframes += 1
            self.seen.keyframe_bytes = len(raw.body) + raw.header_size
            self.missed = other - self.event
            self.event = other
        else:
            if self.tick is not None and tick - other != self.tick:
                self.seen.faults.append(f"a frame of {tick - other} to {tick} at {self.tick}")
            if flags & 2:
                first = reader.varint()
                events = EVENTS.read(reader, "events")
                if first != self.event + 1:
                    self.seen.faults.append(f"events from {first} after {self.event}")
                self.event += sum(1 for event in events if event["flags"] & 1)
                self.take_events(events)
        self.tick = tick

    def take_events(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["code"] != FEED_EVENT:
                continue
            number = int.from_bytes(event["payload"], "little")
            if self.payload is not None and number != self.payload + 1:
                self.seen.faults.append(f"event {number} after {self.payload}")
            if self.first_payload is None:
                self.first_payload = number
            self.payload = number
            self.seen.events += 1

    def report(self, delay: float) -> Seen:
        seen, ages = self.seen, sorted(self.ages)
        if not self.is_over:
            seen.kept_seconds = time.monotonic() - self.began
        seen.last_event = self.payload or 0
        if ages:
            seen.median_seconds = ages[len(ages) // 2]
            seen.p95_seconds = ages[int(len(ages) * 0.95)]
            seen.most_seconds = ages[-1]
        seen.bound_seconds = bound(seen.bytes_per_second, seen.keyframe_bytes, delay)
        return seen


def bound(rate: float | None, keyframe: int, delay: float) -> float:
    """What is asked for: what is on the way cannot be younger than the way is long."""
    return max(LEAST_BOUND_SECONDS, KEYFRAMES_BEHIND * keyframe / rate if rate else 0) + delay


@dataclass
class Plan:
    """A link to be measured."""

    name: str
    rate: float | None
    buffer: int | None = None
    # With `rate`, by turns.
    second_rate: float | None = None
    # What the network lets through, where that is what is slow.
    network_rate: float | None = None

    def at(self) -> Rate | None:
        if self.rate is None:
            return None
        first, second = self.rate, self.second_rate
        if second is None:
            return lambda _: first
        return lambda seconds: first if int(seconds / 5) % 2 == 0 else second


def run_members(address: tuple[str, int], plans: list[Plan], seconds: float, offset: int, delay: float) -> list[Seen]:
    members = [Member(plan.name, address, plan.at(), plan.buffer, offset) for plan in plans]
    for member, plan in zip(members, plans, strict=True):
        member.seen.bytes_per_second = plan.network_rate or member.seen.bytes_per_second
    deadline = time.monotonic() + seconds
    while (now := time.monotonic()) < deadline and not all(member.is_over for member in members):
        for member in members:
            member.step(time.monotonic())
        time.sleep(max(0.0, STEP_SECONDS - (time.monotonic() - now)))
    return [member.report(delay) for member in members]


def members_process(namespace: str | None, arguments: tuple[Any, ...], results: multiprocessing.SimpleQueue[list[Seen]]) -> None:
    if namespace is not None:
        enter(namespace)
    results.put(run_members(*arguments))


def feed(namespace: str | None, address: tuple[str, int], ready: Any, stop: Any) -> None:
    """The player whose boxes are the room's state: all moving ones change thirty times a second."""
    if namespace is not None:
        enter(namespace)
    member = Member("feeder", address, None, None, 0)
    deadline = time.monotonic() + 10
    asked = 0
    while member.replies < MOVING + STILL:
        if time.monotonic() > deadline:
            return
        if member.tick is not None and asked - member.replies < 8 and asked < MOVING + STILL:
            asked += 1
            member.send("Call", {"id": asked, "method": 1, "payload": bytes([0])})
        member.step(time.monotonic())
        time.sleep(0.002)
    heads = [bytes([0, number, 1, BOX_BYTES]) for number in range(MOVING + STILL)]
    due, sent, sequence, events = time.monotonic(), 0, 0, 0
    while not stop.is_set() and not member.is_over:
        sequence += 1
        count = MOVING + STILL if sequence == 1 else MOVING
        body = tw.Writer()
        body.u8(3)
        body.varint(sequence)
        body.varint(count)
        content = os.urandom(count * BOX_BYTES)
        for index in range(count):
            body.data += heads[index] + content[index * BOX_BYTES : (index + 1) * BOX_BYTES]
        head = tw.Writer()
        head.varint(len(body.data))
        member.out += head.data + body.data
        if sequence % (TICK_RATE // EVENTS_PER_SECOND) == 0:
            events += 1
            payload = events.to_bytes(8, "little")
            member.send("Event", {"flags": 1, "target": 0, "code": FEED_EVENT, "payload": payload})
        if sequence == 5:
            ready.set()
        due += 1 / TICK_RATE
        while (left := due - time.monotonic()) > 0:
            member.step(time.monotonic())
            select.select([member.socket] if not member.is_over else [], [], [], left)
        sent += 1
    member.finish(time.monotonic(), "done")


def tell_offset(namespace: str | None, address: tuple[str, int], results: multiprocessing.SimpleQueue[int]) -> None:
    if namespace is not None:
        enter(namespace)
    results.put(clock_offset(address))


def clock_offset(address: tuple[str, int]) -> int:
    """What to add to this machine's clock for the server's: both are of the same machine."""
    with socket.create_connection(address, 5) as connection:
        connection.sendall(tw.encode_message("client", "Hello", {"version": 1, "capabilities": 0, "credential": 0}))
        reader = tw.MessageReader(tw.DEFAULT_SERVER_LIMIT)
        best = (1 << 60, 0)
        for turn in range(8):
            asked = microseconds()
            connection.sendall(tw.encode_message("client", "Ping", {"token": turn}))
            while True:
                reader.feed(connection.recv(4096))
                messages = []
                while (raw := reader.next()) is not None:
                    messages.append(tw.decode_message("server", raw))
                now = microseconds()
                pongs = [m for m in messages if m is not None and m.name == "Pong"]
                for message in messages:
                    if message is not None and message.name == "Ping":
                        connection.sendall(tw.encode_message("client", "Pong", {"token": message["token"], "time": now}))
                if pongs:
                    best = min(best, (now - asked, pongs[0]["time"] - (asked + now) // 2))
                    break
        return best[1]


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Rig:
    """A server with a fed room, for one scenario."""

    def __init__(self, binary: Path, stack: ExitStack, link: Link | None = None):
        self.link = link
        host = link.server_host if link else "127.0.0.1"
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "feed.yaml").write_text(CONFIG)
        config, prefix = folder / "feed.yaml", link.server_prefix if link else None
        self.server = Server(binary, [], folder / "log", config=config, prefix=prefix, host=host)
        stack.callback(self.server.kill)
        self.address = (host, self.server.port)
        # Whose way to the server is short tells its clock, and feeds it.
        near = link.server if link else None
        offsets: multiprocessing.SimpleQueue[int] = multiprocessing.SimpleQueue()
        multiprocessing.Process(target=tell_offset, args=(near, self.address, offsets), daemon=True).start()
        self.offset = offsets.get()
        ready, self.stop = multiprocessing.Event(), multiprocessing.Event()
        feeder = multiprocessing.Process(target=feed, args=(near, self.address, ready, self.stop), daemon=True)
        feeder.start()
        stack.callback(feeder.join, 5)
        stack.callback(self.stop.set)
        if not ready.wait(15):
            raise RigError("the room could not be fed")

    def run(self, groups: list[list[Plan]], seconds: float, delay: float = 0.0) -> tuple[list[Seen], float]:
        """Each group in a process of its own. Returns what all saw, and the server's CPU seconds a second."""
        queue: multiprocessing.SimpleQueue[list[Seen]] = multiprocessing.SimpleQueue()
        before, began = cpu_seconds(self.server.pid), time.monotonic()
        far = self.link.client if self.link else None
        arguments = [(self.address, plans, seconds, self.offset, delay) for plans in groups]
        processes = [multiprocessing.Process(target=members_process, args=(far, each, queue), daemon=True) for each in arguments]
        for process in processes:
            process.start()
        seen = [each for _ in processes for each in queue.get()]
        cpu = (cpu_seconds(self.server.pid) - before) / (time.monotonic() - began)
        for process in processes:
            process.join(5)
        if not self.server.runs():
            raise RigError("the server is gone")
        return seen, cpu


def judge(checks: Checks, seen: Seen, seconds: float) -> None:
    kept = seen.end is None
    name = seen.name
    checks.demand(f"{name}: kept", kept, "kept" if kept else f"{seen.kept_seconds:.0f} s, {seen.end}", f"for {seconds:.0f} s")
    age = f"{seen.p95_seconds:.3f} s (median {seen.median_seconds:.3f}, most {seen.most_seconds:.2f})"
    checks.demand(f"{name}: age p95", seen.frames > 0 and seen.p95_seconds <= seen.bound_seconds, age, f"at most {seen.bound_seconds:.3f} s")
    checks.demand(f"{name}: events", not seen.faults and seen.events > 0, seen.faults[:2] or f"{seen.events} in order", "every one, once, in order")
    if seen.bytes_per_second is not None:
        checks.demand(f"{name}: inputs", seen.acknowledged > 0, seen.acknowledged, "acknowledged")
    used = seen.received_bytes / max(0.1, seen.kept_seconds) / 1000
    checks.note(f"{name}: took", f"{used:.0f} KB/s, {seen.frames} frames, {seen.keyframes} of them keyframes of {seen.keyframe_bytes} B")


def kilobytes(value: float) -> str:
    return f"{value / 1000:.0f} KB/s"


def rates(options: argparse.Namespace, checks: Checks) -> list[Seen]:
    """Clients that read slowly; with the receive buffer of the system and with a small one."""
    seconds = 14.0 if options.quick else options.seconds
    wanted = (16e3, 64e3) if options.quick else (8e3, 16e3, 32e3, 64e3, 100e3, 256e3)
    groups = [[Plan(f"reader {kilobytes(rate)}, {text}", rate, buffer) for rate in wanted] for text, buffer in BUFFERS]
    groups += [[Plan("unhindered", None)]]
    with ExitStack() as stack:
        seen, cpu = Rig(options.server, stack).run(groups, seconds)
    checks.note("server CPU", f"{cpu * 100:.1f}% of a core")
    for each in seen:
        judge(checks, each, seconds)
    return seen


BUFFERS = (("own buffer", None), ("16 KiB buffer", 8192))


def changing(options: argparse.Namespace, checks: Checks) -> list[Seen]:
    """A link whose rate changes every 5 s."""
    seconds = 12.0 if options.quick else 60.0
    plans = [Plan("changing 32 and 256 KB/s", 32e3, None, 256e3), Plan("changing 16 and 64 KB/s", 16e3, None, 64e3)]
    with ExitStack() as stack:
        seen, _ = Rig(options.server, stack).run([plans], seconds)
    for each in seen:
        judge(checks, each, seconds)
    return seen


def crowd(options: argparse.Namespace, checks: Checks) -> dict[str, Any]:
    """50 thin members among 50 that are not: what it changes for those, and for the server."""
    seconds, count = (8.0, 20) if options.quick else (40.0, 50)
    fast = [[Plan("fast", None) for _ in range(count)]]
    others = [[Plan("other", None) for _ in range(count)]]
    thin = [[Plan("thin", (16e3, 32e3, 64e3)[index % 3]) for index in range(count)]]
    result = {}
    for name, more in (("all fast", others), ("half thin", thin)):
        with ExitStack() as stack:
            seen, cpu = Rig(options.server, stack).run(fast + more, seconds)
        own = [each for each in seen if each.name == "fast"]
        result[name] = {
            "cpu": cpu,
            "p95": sorted(each.p95_seconds for each in own)[-1],
            "median": sorted(each.median_seconds for each in own)[-1],
            "frames": min(each.frames for each in own),
            "keptThin": sum(each.end is None for each in seen if each.name != "fast"),
            "overBound": sum(each.p95_seconds > each.bound_seconds for each in seen if each.name == "thin"),
            "faults": [fault for each in seen for fault in each.faults][:5],
        }
        checks.note(name, result[name])
    alone, mixed = result["all fast"], result["half thin"]
    checks.demand("crowd: thin members kept", mixed["keptThin"] == count, mixed["keptThin"], f"all {count}")
    checks.demand("crowd: thin members' age", mixed["overBound"] == 0, mixed["overBound"], "nobody over the bound")
    checks.demand("crowd: fast members' frames", mixed["frames"] >= 0.97 * alone["frames"], mixed["frames"], f"as {alone['frames']} among fast ones")
    checks.demand("crowd: server CPU", mixed["cpu"] <= 1.1 * alone["cpu"], f"{mixed['cpu'] * 100:.1f}%", f"as {alone['cpu'] * 100:.1f}% among fast ones")
    checks.demand("crowd: events", not mixed["faults"], mixed["faults"] or "in order", "every one, once, in order")
    return result


def networks(options: argparse.Namespace, checks: Checks) -> list[Seen]:
    """Slow networks: a queue of a second at the bottleneck, with delay and loss behind it."""
    seconds = 12.0 if options.quick else 60.0
    cells = [(32e3, 0.0, 0.0)] if options.quick else NETWORK_CELLS
    all_seen = []
    for rate, round_trip, loss in cells:
        name = f"network {kilobytes(rate)}, {round_trip * 1000:.0f} ms, {loss:.0f}% loss"
        with ExitStack() as stack:
            link = stack.enter_context(Link(rate, round_trip, loss))
            seen, _ = Rig(options.server, stack, link).run([[Plan(name, None, None, None, rate)]], seconds, round_trip / 2)
        for each in seen:
            judge(checks, each, seconds)
        all_seen += seen
    return all_seen


# Bytes a second, round trip in seconds, percent lost.
NETWORK_CELLS = [
    (rate, round_trip, loss)
    for rate in (8e3, 16e3, 32e3, 64e3, 100e3, 256e3)
    for round_trip, loss in ((0.0, 0.0), (0.05, 0.0), (0.3, 0.0), (0.05, 2.0))
]

SCENARIOS: dict[str, Callable[[argparse.Namespace, Checks], Any]] = {
    "rates": rates, "changing": changing, "networks": networks, "crowd": crowd,
}


def plain(result: Any) -> Any:
    return [asdict(each) for each in result] if isinstance(result, list) else result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--bin", type=Path, default=PROJECT / ".build/release")
    parser.add_argument("--server", type=Path, help="the program itself, in the place of --bin")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long `rates` lasts")
    parser.add_argument("--only", default=None, help=f"of {','.join(SCENARIOS)}")
    parser.add_argument("--chart", nargs=3, type=Path, metavar=("SVG", "BEFORE", "AFTER"))
    options = parser.parse_args()
    if options.chart:
        svg, before, after = options.chart
        svg.write_text(chart(json.loads(before.read_text()), json.loads(after.read_text())))
        return 0
    options.server = options.server or options.bin / "tickserver"
    names = options.only.split(",") if options.only else ["rates"] if options.quick else list(SCENARIOS)
    checks, results = Checks(), {}
    try:
        for name in names:
            print(f"-- {name}", flush=True)
            results[name] = plain(SCENARIOS[name](options, checks))
    except (RigError, NamespaceError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(results, indent=1))
    return checks.verdict("thin links")


if __name__ == "__main__":
    sys.exit(main())
