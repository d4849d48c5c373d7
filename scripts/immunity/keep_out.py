"""Twenty addresses with five connections each try to keep others out, by valid messages alone.

    python3 scripts/immunity/keep_out.py [--quick] [--bin FOLDER] [--seconds N]

They open rooms and vanish, hold rooms, take seats and vanish, come and go, make and remove entities, raise events, send
inputs of 256 entries, and resume in a loop; each keeps to the rates that the server allows. Meanwhile newcomers from
other addresses open rooms and join the full one, members play, and one of them loses its connection and comes back.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import selectors
import socket
import struct
import sys
import tempfile
import time
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "rigs"), str(ROOT / "Tests" / "Vectors")]

import tickwire as tw  # noqa: E402
from checks import Checks  # noqa: E402
from server import RigError, Server, is_empty  # noqa: E402

Address = tuple[str, int]

ATTACKERS = [f"127.0.0.{number}" for number in range(2, 22)]
# Everybody wants to be in the hall. In the den nobody raises events, whose log reaches back only so far.
HALL, DEN = "hall", "den"
# Entities may be asked for by call; two of each member leave one to despawn and spawn again.
SETTINGS = ["rooms.arena.entities.avatar.most=2"]
MEMBERS = 5
MOST_JOIN_SECONDS = 1.0
MOST_ACK_TICKS = 2
REFILL = 100

HELLO = tw.encode_message("client", "Hello", {"version": tw.PROTOCOL_VERSION, "capabilities": 0, "credential": 0})
LEAVE = tw.encode_message("client", "Leave", {})
WELCOME, JOINED, FRAME, ACK, REPLY, EVENTS, REFUSED, LEFT, GOODBYE = 0x11, 0x12, 0x13, 0x14, 0x15, 0x17, 0x18, 0x19, 0x1A
PING = 0x06


def join(room: str) -> bytes:
    fields = {"flags": 0, "room": room, "roomKind": "arena", "schemaHash": 0, "options": b""}
    return tw.encode_message("client", "Join", fields)


class Peer:
    """One connection that does not block; `heard` is called with every message but pings, which are answered."""

    def __init__(self, server: Address, source: str, hello: bytes, heard: Callable[[tw.RawMessage], None]):
        self.heard = heard
        self.reader = tw.MessageReader(tw.DEFAULT_SERVER_LIMIT)
        self.socket = socket.create_connection(server, 5, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.is_open = True
        self.send(hello)

    def send(self, data: bytes) -> bool:
        try:
            # What is not taken at once ends the connection: half a message would be malformed.
            if self.socket.send(data) != len(data):
                self.close()
        except BlockingIOError:
            return False
        except OSError:
            self.close()
        return self.is_open

    def read(self) -> None:
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self.close()
        self.reader.feed(data)
        while self.is_open and (raw := self.reader.next()) is not None:
            if raw.type == PING:
                token = tw.decode_message("server", raw)["token"]
                self.send(tw.encode_message("client", "Pong", {"token": token, "time": time.monotonic_ns() // 1000}))
            else:
                self.heard(raw)

    def close(self, reset: bool = False) -> None:
        if self.is_open and reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.is_open = False
        self.socket.close()


# Attackers


class Attacker:
    """One of the connections of an address: begins again whenever it was ended. Subclasses say what for."""

    def __init__(self, crowd: Crowd, source: str, number: int):
        self.crowd = crowd
        self.source = source
        self.number = number
        self.rounds = 0
        self.ends: dict[str, int] = {}
        self.peer: Peer | None = None
        self.is_joined = False
        self.next_round = 0.0
        self.ticket: bytes | None = None
        self.schema: tw.Schema | None = None

    def room(self) -> str:
        return HALL

    def hello(self) -> bytes:
        return HELLO

    def joined(self) -> None: ...

    def frame(self) -> None: ...

    def reply(self, message: tw.Message) -> None: ...

    def turn(self, now: float) -> None: ...

    def begin(self) -> None:
        self.rounds += 1
        self.is_joined = False
        try:
            self.peer = Peer(self.crowd.server, self.source, self.hello(), self.heard)
        except OSError:
            self.note("no connection")
            return self.again(0.2)
        self.crowd.add(self)

    def again(self, seconds: float = 0.0, reset: bool = False) -> None:
        if self.peer is not None:
            self.crowd.remove(self)
            self.peer.close(reset)
        self.peer = None
        self.next_round = time.monotonic() + seconds

    def note(self, end: str) -> None:
        self.ends[end] = self.ends.get(end, 0) + 1

    def heard(self, raw: tw.RawMessage) -> None:
        if raw.type == FRAME:
            return self.frame() if self.is_joined else None
        if raw.type not in (WELCOME, JOINED, REPLY, REFUSED, LEFT, GOODBYE):
            return
        message = tw.decode_message("server", raw)
        if raw.type == WELCOME:
            if self.ticket is None or message["ticket"] != self.ticket:
                self.ticket = message["ticket"]
                self.peer.send(join(self.room()))
        elif raw.type == JOINED:
            self.is_joined = True
            if message.get("schema"):
                self.schema = tw.Schema.decode(message["schema"])
            self.joined()
        elif raw.type == REPLY:
            self.reply(message)
        elif raw.type == REFUSED:
            self.note(f"refused {message['refusal']}")
            self.ticket = None
            self.again(0.05)
        elif raw.type == LEFT:
            self.left()
        else:
            self.note(f"goodbye {message['reason']} {message['text']}")
            self.ticket = None
            self.again(0.05)

    def left(self) -> None: ...

    def pump(self, now: float) -> None:
        if self.peer is None:
            if now >= self.next_round:
                self.begin()
        elif not self.peer.is_open:
            self.note("closed")
            self.ticket = None
            self.again(0.05)
        elif self.is_joined:
            self.turn(now)


class RoomTaker(Attacker):
    """Opens a room and vanishes, again and again."""

    def room(self) -> str:
        return f"taken-{self.number}-{self.rounds}"

    def frame(self) -> None:
        self.ticket = None
        self.again(0.03, reset=self.rounds % 2 == 0)


class RoomHolder(Attacker):
    """Opens a room and stays, as a player would; then opens the next one on the same connection."""

    rooms = 0

    def room(self) -> str:
        self.rooms += 1
        return f"held-{self.number}-{self.rooms}"

    def joined(self) -> None:
        self.since = time.monotonic()

    def turn(self, now: float) -> None:
        if now - self.since > 0.3:
            self.since = now + 3600
            self.peer.send(LEAVE)

    def left(self) -> None:
        self.peer.send(join(self.room()))


class SeatTaker(Attacker):
    """Takes a seat of the hall or the den and vanishes, again and again."""

    def room(self) -> str:
        return HALL if self.number // 10 % 2 else DEN

    def frame(self) -> None:
        self.ticket = None
        self.again(0.03, reset=self.rounds % 2 == 0)


class Churner(Attacker):
    """Comes and goes at the rate that joins may have."""

    def joined(self) -> None:
        self.due = time.monotonic() + 0.22

    def turn(self, now: float) -> None:
        if now >= self.due:
            self.due = now + 3600
            self.peer.send(LEAVE)

    def left(self) -> None:
        self.peer.send(join(HALL))


class Paced(Attacker):
    """Says something so often."""

    rate = 100.0

    def joined(self) -> None:
        self.due = time.monotonic()

    def turn(self, now: float) -> None:
        while self.is_joined and now >= self.due and self.peer is not None and self.peer.is_open:
            self.due += 1 / self.rate
            if not self.say():
                self.due = now + 0.05

    def say(self) -> bool:
        raise NotImplementedError


class Spawner(Paced):
    """Has an entity removed and another one made, in pairs."""

    rate = 55.0
    entity = b""
    calls = 0

    def joined(self) -> None:
        super().joined()
        self.entity = b""
        self.call(1, b"\0")

    def call(self, method: int, payload: bytes) -> bool:
        self.calls += 1
        fields = {"id": self.calls, "method": method, "payload": payload}
        return self.peer.send(tw.encode_message("client", "Call", fields))

    def reply(self, message: tw.Message) -> None:
        if message["status"] == 0 and len(message["payload"]) == 2:
            self.entity = bytes(message["payload"])
        elif message["status"] != 0 and self.is_joined:
            # Refused for want of an id: it tries again.
            self.call(1, b"\0")

    def say(self) -> bool:
        if not self.entity:
            return True
        gone, self.entity = self.entity, b""
        return self.call(2, b"\0" + gone) and self.call(1, b"\0")


class Shouter(Paced):
    """Raises reliable events of the largest size, as many bytes as are allowed."""

    rate = 58.0
    event = tw.encode_message("client", "Event", {"flags": 1, "target": 0, "code": 20, "payload": b"x" * 1000})

    def say(self) -> bool:
        return self.peer.send(self.event)


class Stuffer(Paced):
    """Sends inputs of 256 entries for entities that are not its own."""

    rate = 45.0
    sequence = 0

    def say(self) -> bool:
        self.sequence += 1
        entries = [{"kind": 0, "id": number % 100, "mask": 8, "values": [(number % 16,)]} for number in range(256)]
        if not hasattr(self, "body"):
            whole = tw.encode_message("client", "Input", {"sequence": 1, "entries": entries}, self.schema)
            reader = tw.MessageReader(1 << 20)
            reader.feed(whole)
            self.body = reader.next().body[1:]
        sequence = tw.Writer()
        sequence.varint(self.sequence, 32)
        body = b"\x03" + bytes(sequence.data) + self.body
        length = tw.Writer()
        length.varint(len(body), 32)
        return self.peer.send(bytes(length.data) + body)

    def joined(self) -> None:
        super().joined()
        self.sequence = 0


class Resumer(Attacker):
    """Loses its connection as soon as it has its state, and comes back with its ticket, asking for all of it anew."""

    def hello(self) -> bytes:
        if self.ticket is None:
            return HELLO
        fields = {"version": 1, "capabilities": 0, "credential": 2, "ticket": self.ticket}
        return tw.encode_message("client", "Hello", {**fields, "lastTick": 0, "lastEvent": self.event, "lastWhisper": 0})

    def heard(self, raw: tw.RawMessage) -> None:
        if raw.type == JOINED:
            self.event = tw.decode_message("server", raw)["lastEvent"]
        super().heard(raw)

    def frame(self) -> None:
        self.again(0, reset=self.rounds % 2 == 0)


class Crowd:
    """All attackers, on one selector."""

    def __init__(self, server: Address):
        self.server = server
        self.selector = selectors.DefaultSelector()
        self.attackers: list[Attacker] = []
        others = [Spawner, Shouter, Resumer, Stuffer, Churner]
        for index, source in enumerate(ATTACKERS):
            kinds = [RoomTaker, RoomHolder, SeatTaker, others[index % 5], others[(index + 2) % 5]]
            self.attackers += [kind(self, source, 10 * index + slot) for slot, kind in enumerate(kinds)]
        random.shuffle(self.attackers)

    def add(self, attacker: Attacker) -> None:
        self.selector.register(attacker.peer.socket, selectors.EVENT_READ, attacker.peer)

    def remove(self, attacker: Attacker) -> None:
        try:
            self.selector.unregister(attacker.peer.socket)
        except (KeyError, ValueError):
            pass

    def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            for attacker in self.attackers:
                attacker.pump(now)
            for key, _ in self.selector.select(0.005):
                if key.data.is_open:
                    key.data.read()

    def report(self) -> dict[str, tuple[int, dict[str, int]]]:
        report: dict[str, tuple[int, dict[str, int]]] = {}
        for attacker in self.attackers:
            rounds, ends = report.setdefault(type(attacker).__name__, (0, {}))
            for end, count in attacker.ends.items():
                ends[end] = ends.get(end, 0) + count
            report[type(attacker).__name__] = (rounds + attacker.rounds, ends)
        return report


def attack(server: Address, seconds: float, pipe: Connection) -> None:
    crowd = Crowd(server)
    crowd.run(seconds)
    pipe.send(crowd.report())


# Those who must not be harmed


class Guest:
    """An honest client that waits for what it asked for."""

    def __init__(self, server: Address, source: str, hello: bytes = HELLO):
        self.inbox: list[tw.RawMessage] = []
        self.event = 0
        self.ticket = b""
        self.peer = Peer(server, source, hello, self.heard)

    def heard(self, raw: tw.RawMessage) -> None:
        if raw.type == FRAME:
            self.note_events(tw.decode_message("server", raw))
        elif raw.type == EVENTS:
            message = tw.decode_message("server", raw)
            self.event = message["first"] + len(message["events"]) - 1
        self.inbox.append(raw)

    def note_events(self, frame: tw.Message) -> None:
        """The last reliable event that this client has: a keyframe is followed by those it missed."""
        if not frame["flags"] & tw.FRAME_KEYFRAME and "events" in frame.fields:
            reliable = sum(1 for event in frame["events"] if event["flags"] & tw.EVENT_RELIABLE)
            self.event = frame["firstReliable"] + reliable - 1

    def until(self, types: set[int], seconds: float) -> tw.RawMessage | None:
        deadline = time.monotonic() + seconds
        while True:
            for index, raw in enumerate(self.inbox):
                if raw.type in types or raw.type == GOODBYE:
                    del self.inbox[: index + 1]
                    return raw
            self.inbox.clear()
            if not self.peer.is_open or (left := deadline - time.monotonic()) <= 0:
                return None
            selectors_ready([self.peer.socket], left)
            self.peer.read()

    def enter(self, room: str, seconds: float) -> str:
        """Empty when it is in the room, else what it was told."""
        if (welcome := self.until({WELCOME}, seconds)) is None or welcome.type != WELCOME:
            return told(welcome)
        self.ticket = tw.decode_message("server", welcome)["ticket"]
        return self.join(room, seconds)

    def join(self, room: str, seconds: float) -> str:
        self.peer.send(join(room))
        joined = self.until({JOINED, REFUSED}, seconds)
        if joined is None or joined.type != JOINED:
            return told(joined)
        self.event = max(self.event, tw.decode_message("server", joined)["lastEvent"])
        return "" if (raw := self.until({FRAME}, seconds)) is not None and raw.type == FRAME else told(raw)

    def leave(self) -> None:
        self.peer.send(LEAVE)
        self.until({LEFT}, 1)
        self.peer.close()


def selectors_ready(sockets: list[socket.socket], seconds: float) -> None:
    with selectors.DefaultSelector() as selector:
        for each in sockets:
            selector.register(each, selectors.EVENT_READ)
        selector.select(max(0.0, seconds))


def told(raw: tw.RawMessage | None) -> str:
    if raw is None:
        return "nothing in time"
    message = tw.decode_message("server", raw)
    return f"{message.name}: {message['text']}" if "text" in message.fields else message.name


class Member:
    """Sends an input a tick and counts in ticks how long each waits for its acknowledgement."""

    def __init__(self, server: Address, source: str):
        self.waits: list[int] = []
        self.end = ""
        self.sent: dict[int, int] = {}
        self.sequence = 0
        self.tick = 0
        self.base = float("inf")
        self.peer = Peer(server, source, HELLO, self.heard)

    def heard(self, raw: tw.RawMessage) -> None:
        if raw.type == WELCOME:
            self.peer.send(join(HALL))
        elif raw.type == FRAME:
            reader = tw.Reader(raw.body, 2)
            reader.u8("flags")
            self.tick = reader.varint("tick")
            # When tick 0 was due, on this clock: the earliest that any frame says.
            self.base = min(self.base, time.monotonic() - self.tick / 30)
            self.say()
        elif raw.type == ACK:
            sequence = tw.decode_message("server", raw)["sequence"]
            for number in [number for number in self.sent if number <= sequence]:
                self.waits.append(self.tick - self.sent.pop(number))
        elif raw.type in (GOODBYE, REFUSED):
            self.end = told(raw)

    def say(self) -> None:
        self.sequence += 1
        # The ticks that have begun; one of them may be running still.
        self.sent[self.sequence] = int((time.monotonic() - self.base) * 30)
        self.peer.send(tw.encode_message("client", "Input", {"sequence": self.sequence, "entries": []}))


def play(server: Address, seconds: float, pipe: Connection) -> None:
    members = [Member(server, f"127.0.0.{200 + index}") for index in range(MEMBERS)]
    selector = selectors.DefaultSelector()
    for member in members:
        selector.register(member.peer.socket, selectors.EVENT_READ, member)
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        for key, _ in selector.select(until - now):
            if key.data.peer.is_open:
                key.data.peer.read()
            else:
                selector.unregister(key.fileobj)
    pipe.send([(member.waits, len(member.sent), member.end, member.peer.is_open) for member in members])


class Newcomers:
    """One after the other, each from an address that nobody else has."""

    def __init__(self, server: Address):
        self.server = server
        self.took: dict[str, list[float]] = {"opens a room": [], "joins the hall": []}
        self.refused: dict[str, int] = {}

    def run(self, until: float) -> Iterator[None]:
        number = 0
        while time.monotonic() < until:
            number += 1
            self.come("opens a room", f"127.0.1.{1 + number % 40}", f"new-{number}")
            self.come("joins the hall", f"127.0.1.{101 + number % 40}", HALL)
            yield
            time.sleep(0.3)

    def come(self, what: str, source: str, room: str) -> None:
        started = time.monotonic()
        try:
            guest = Guest(self.server, source)
            refusal = guest.enter(room, 3)
        except OSError as error:
            refusal, guest = str(error), None
        self.took[what].append(time.monotonic() - started if not refusal else float("inf"))
        if refusal:
            self.refused[refusal] = self.refused.get(refusal, 0) + 1
        if guest is not None:
            guest.leave() if not refusal else guest.peer.close()


class Returner:
    """Has played for some seconds, loses its connection, and comes back within its grace."""

    def __init__(self, server: Address):
        self.server = server
        self.source = "127.0.0.240"
        self.guest = Guest(server, self.source)
        self.refusal = self.guest.enter(DEN, 5)
        self.cut_at = time.monotonic() + 4
        self.back_at = 0.0
        self.returns = 0

    def turn(self) -> None:
        now = time.monotonic()
        if self.refusal:
            return
        if self.back_at == 0:
            self.guest.peer.read()
            if now >= self.cut_at:
                self.guest.peer.close(reset=True)
                self.back_at = now + 1
        elif now >= self.back_at:
            fields = {"version": 1, "capabilities": 0, "credential": 2, "ticket": self.guest.ticket}
            fields |= {"lastTick": 0, "lastEvent": self.guest.event, "lastWhisper": 0}
            self.guest = again = Guest(self.server, self.source, tw.encode_message("client", "Hello", fields))
            answer = again.until({JOINED}, 3)
            if answer is None or answer.type != JOINED:
                self.refusal = f"resume {self.returns + 1}: {told(answer)}"
            else:
                self.returns += 1
                again.ticket = fields["ticket"]
                again.event = fields["lastEvent"]
            self.cut_at, self.back_at = now + 3, 0.0


def refill(server: Address, checks: Checks) -> None:
    """A full room empties and is filled again at once."""
    guests = [Guest(server, "127.0.0.1") for _ in range(REFILL)]
    refusals = [refusal for guest in guests if (refusal := guest.enter("refilled", 10))]
    checks.demand("a room is filled", not refusals, refusals[:1] or REFILL, f"{REFILL} seats")
    for guest in guests:
        guest.peer.send(LEAVE)
    for guest in guests:
        guest.until({LEFT}, 5)
        guest.peer.send(join("refilled"))
    refusals = []
    for guest in guests:
        answer = guest.until({JOINED, REFUSED}, 5)
        if answer is None or answer.type != JOINED:
            refusals.append(told(answer))
    checks.demand("and again, at once", not refusals, f"{len(refusals)} refused {refusals[:1]}", "nobody is refused")
    for guest in guests:
        guest.peer.close()


def measure(options: argparse.Namespace, checks: Checks) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plain = Server(options.bin / "tickserver", options.set, folder / "plain.log")
        stack.callback(plain.kill)
        refill(("127.0.0.1", plain.port), checks)
        plain.stop()
        server = Server(options.bin / "tickserver", SETTINGS + options.set, folder / "server.log")
        stack.callback(server.kill)
        before = server.most_descriptors_when_empty()
        siege(server, ("127.0.0.1", server.port), options.seconds, checks)
        checks.census(server.wait(is_empty, 60), server.descriptors(), before, server.port)
        checks.demand("server's exit status", (status := server.stop()) == 0, status, "0")


def siege(server: Server, address: Address, seconds: float, checks: Checks) -> None:
    here, there = multiprocessing.Pipe()
    players = multiprocessing.Process(target=play, args=(address, seconds + 4, there))
    players.start()
    time.sleep(1)
    newcomers, returner = Newcomers(address), Returner(address)
    attackers_here, attackers_there = multiprocessing.Pipe()
    attackers = multiprocessing.Process(target=attack, args=(address, seconds + 2, attackers_there))
    attackers.start()
    time.sleep(2)
    most = {"rooms": 0, "seats": 0, "open": 0}
    for _ in newcomers.run(time.monotonic() + seconds):
        returner.turn()
        total = server.ledger()["total"]
        most = {name: max(most[name], total[name]) for name in most}
    report, members = attackers_here.recv(), here.recv()
    attackers.join()
    players.join()
    returner.guest.peer.close()
    for name, (rounds, ends) in sorted(report.items()):
        checks.note(f"{name}, {rounds} rounds", ends)
    checks.note("most at once", most)
    for what, took in newcomers.took.items():
        worst = max(took)
        text = f"{len(took)} times, {sum(1 for t in took if t == float('inf'))} refused, slowest {worst:.2f} s"
        checks.demand(f"a newcomer {what}", worst < MOST_JOIN_SECONDS, text, f"under {MOST_JOIN_SECONDS:.0f} s, always")
    if newcomers.refused:
        checks.note("newcomers were told", newcomers.refused)
    waits = sorted(wait for member in members for wait in member[0])
    stay = [member[2] or ("open" if member[3] else "closed") for member in members]
    checks.demand("members stay", all(member[3] and not member[2] for member in members), stay, "open")
    p99 = waits[len(waits) * 99 // 100] if waits else float("inf")
    text = f"{len(waits)} inputs, p99 {p99} ticks, slowest {waits[-1] if waits else '-'}"
    checks.demand("members' inputs are acknowledged", bool(waits) and p99 <= MOST_ACK_TICKS, text, f"within {MOST_ACK_TICKS} ticks")
    text = returner.refusal or f"{returner.returns} times"
    checks.demand("a member that was cut comes back", not returner.refusal and returner.returns > 0, text, "never refused")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="12 s of it")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--bin", type=Path, default=ROOT / ".build" / "release", help="folder of tickserver")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the server")
    options = parser.parse_args()
    if options.quick:
        options.seconds = min(options.seconds, 12)
    checks = Checks()
    try:
        measure(options, checks)
    except RigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return checks.verdict("keep_out")


if __name__ == "__main__":
    sys.exit(main())
