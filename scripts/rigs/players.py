"""Players without a game: they join a room, move their avatar and raise events at a steady rate, and come back by the rules of
docs/protocol.md when they are cut off. Many in a process: of what the server sends only the heads are read.

A `Group` is such a process. It plays until it is asked, and answers with a report for each of its players.
"""

from __future__ import annotations

import heapq
import multiprocessing
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests" / "Vectors"))

import tickwire as tw  # noqa: E402

EVENT_CODE = 20
# Not forked: rigs start them from threads.
PROCESSES = multiprocessing.get_context("spawn")
RETRY_SECONDS = 0.25
MOST_RETRY_SECONDS = 2.0


@dataclass
class Report:
    """What one player saw; all of it by its own eyes."""

    name: str = ""
    # Codes of the goodbyes that it was told, and how often it had to come back, with its ticket and without.
    goodbyes: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    resumes: int = 0
    fresh: int = 0
    losses: int = 0
    # Told not to come back.
    is_banned: bool = False
    in_room: bool = False
    sent: int = 0
    acknowledged: int = 0
    dropped: int = 0
    # Inputs of seats that it lost, which nobody acknowledges any more.
    given_up: int = 0
    frames: int = 0
    silence: float = 0.0
    events_sent: int = 0
    # Of each sender the numbers that it saw twice, or out of order, and the last one.
    disorder: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        return self.in_room and self.acknowledged == self.sent


def varint(value: int) -> bytes:
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def read_varint(data: Any, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


class Player:
    def __init__(self, group: "Play", name: str, room: str, kind: str, rate: float, event_rate: float, entries: int = 1):
        self.play = group
        self.name, self.room, self.kind = name, room, kind
        self.interval = 1 / rate if rate else None
        self.event_interval = 1 / event_rate if event_rate else None
        self.entries = entries
        self.report = Report(name)
        self.ticket: bytes | None = None
        self.attempts = 0
        self.state: tw.State | None = None
        self.connect()

    # The stream

    def connect(self) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect_ex(self.play.address)
        self.input = bytearray()
        self.output = bytearray()
        self.is_in_room = False
        if self.ticket is None:
            self.avatar: tuple[int, int] | None = None
            self.state, self.last_event, self.last_tick = None, 0, 0
            self.report.given_up += self.report.sent - self.report.acknowledged
            self.base = self.report.sent
            self.dropped_before = self.report.dropped
            self.say("Hello", {"version": 1, "capabilities": 0, "credential": 0})
        else:
            self.say("Hello", {"version": 1, "capabilities": 0, "credential": 2, "ticket": self.ticket,
                               "lastTick": self.last_tick, "lastEvent": self.last_event, "lastWhisper": 0})
        self.play.selector.register(self.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def say(self, name: str, fields: tw.Fields) -> None:
        self.output += tw.encode_message("client", name, fields)

    def cut(self) -> None:
        """The connection ends, as it does when a network ends it."""
        self.lost(None)

    def lost(self, goodbye: int | None, after: float | None = None) -> None:
        self.play.selector.unregister(self.socket)
        self.socket.close()
        self.is_in_room = self.report.in_room = False
        self.report.losses += 1
        if goodbye is not None and goodbye >= 128:
            self.report.is_banned = True
            return
        if goodbye is not None and goodbye >= 64:
            self.ticket = None
        delay = after if after is not None else min(RETRY_SECONDS * 2**self.attempts, MOST_RETRY_SECONDS)
        self.attempts += 1
        self.play.later(delay, self.connect)

    def ready(self, mask: int) -> None:
        if mask & selectors.EVENT_READ:
            try:
                data = self.socket.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                return self.lost(None)
            self.input += data
            if not self.take():
                return
        self.flush()

    def flush(self) -> None:
        if self.output:
            try:
                del self.output[: self.socket.send(self.output)]
            except BlockingIOError:
                pass
            except OSError:
                return self.lost(None)
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.output else 0)
        if self.play.selector.get_key(self.socket).events != wanted:
            self.play.selector.modify(self.socket, wanted, self)

    def take(self) -> bool:
        """Whether the connection goes on."""
        at, data = 0, self.input
        while at < len(data):
            try:
                length, start = read_varint(data, at)
            except IndexError:
                break
            if start + length > len(data):
                break
            at = start + length
            if not self.handle(data[start], bytes(data[start + 1 : at])):
                return False
        del data[:at]
        return True

    # Messages

    def handle(self, kind: int, body: bytes) -> bool:
        if kind == 0x13:
            self.on_frame(body)
        elif kind == 0x14:
            sequence, at = read_varint(body, 0)
            self.report.acknowledged = sequence
            if at < len(body):
                self.report.dropped = self.dropped_before + read_varint(body, at)[0]
        elif kind == 0x06:
            self.say("Pong", {"token": read_varint(body, 0)[0], "time": 0})
        elif kind == 0x17:
            first, at = read_varint(body, 0)
            count, at = read_varint(body, at)
            self.events(body, at, count)
            self.last_event = first + count - 1
        elif kind == 0x1A:
            goodbye = self.decode(kind, body)
            self.report.goodbyes.append(goodbye["reason"])
            self.report.texts.append(goodbye["text"])
            after = goodbye.get("retryAfterMilliseconds")
            self.lost(goodbye["reason"], after / 1000 if after is not None else None)
            return False
        elif kind == 0x11:
            self.on_welcome(self.decode(kind, body))
        elif kind == 0x12:
            self.on_joined(self.decode(kind, body))
        elif kind == 0x18:
            refused = self.decode(kind, body)
            self.report.texts.append(refused["text"])
            self.play.later(0.3, self.join)
        return True

    def decode(self, kind: int, body: bytes) -> tw.Message:
        message = tw.decode_message("server", tw.RawMessage(kind, body, 2))
        assert message is not None
        return message

    def on_welcome(self, welcome: tw.Message) -> None:
        if self.ticket is None:
            self.ticket = welcome["ticket"]
            self.join()

    def join(self) -> None:
        self.say("Join", {"flags": 0, "room": self.room, "roomKind": self.kind, "schemaHash": 0, "options": b""})
        self.flush()

    def on_joined(self, joined: tw.Message) -> None:
        self.attempts = 0
        if joined["flags"] & 1:
            self.report.resumes += 1
        else:
            self.report.fresh += 1
            self.player = joined["player"]
            self.last_event = joined["lastEvent"]
            self.state = tw.State(tw.Schema.decode(joined["schema"]))
        self.is_in_room = self.report.in_room = True
        self.heard = time.monotonic()
        self.play.begin(self)

    def on_frame(self, body: bytes) -> None:
        now = time.monotonic()
        self.report.frames += 1
        self.report.silence = max(self.report.silence, now - self.heard)
        self.heard = now
        flags = body[0]
        self.last_tick, at = read_varint(body, 1)
        number, at = read_varint(body, at)
        if flags & 1:
            self.owed = number
            if self.last_event == number or self.avatar is None:
                self.last_event = number
        if flags & 2:
            first, at = read_varint(body, at)
            count, at = read_varint(body, at)
            self.last_event = max(self.last_event, first - 1 + self.events(body, at, count))
        if self.avatar is None and flags & 1:
            message = self.decode(0x13, body)
            assert self.state is not None
            self.state.apply(message)
            own = [(kind, id) for kind, id, entity in self.state.entities() if entity.owner == self.player]
            self.avatar = own[0] if own else None

    def events(self, body: bytes, at: int, count: int) -> int:
        """How many of them are reliable."""
        reliable = 0
        for _ in range(count):
            flags = body[at]
            at += 1
            if flags & 2:
                _, at = read_varint(body, at)
            code, at = read_varint(body, at)
            length, at = read_varint(body, at)
            payload = body[at : at + length]
            at += length
            reliable += flags & 1
            if code == EVENT_CODE:
                sender, number = payload.decode().rsplit(" ", 1)
                last = self.report.seen.get(sender, 0)
                self.report.disorder += int(number) != last + 1 and last > 0
                self.report.seen[sender] = int(number)
        return reliable

    # What it does

    def move(self) -> None:
        if not self.is_in_room or self.avatar is None:
            return
        self.report.sent += 1
        kind, id = self.avatar
        step = self.report.sent % 1000
        # Field 0, a vector of three: absolute values as zigzags.
        entry = varint(kind) + varint(id) + b"\x01" + varint(2 * step) + varint(2) + varint(step)
        body = b"\x03" + varint(self.report.sent) + varint(self.entries) + entry * self.entries
        self.output += varint(len(body)) + body
        if len(self.output) < 1 << 20:
            self.flush()

    def raise_event(self) -> None:
        if self.is_in_room and self.avatar is not None:
            self.report.events_sent += 1
            payload = f"{self.name} {self.report.events_sent}".encode()
            self.say("Event", {"flags": 1, "target": 0, "code": EVENT_CODE, "payload": payload})
            self.flush()


class Play:
    """The players of one process."""

    def __init__(self, address: tuple[str, int], pipe: Pipe):
        self.address, self.pipe = address, pipe
        self.selector = selectors.DefaultSelector()
        self.due: list[tuple[float, int, Any]] = []
        self.count = 0
        self.players: list[Player] = []
        self.begun: set[str] = set()
        self.is_sending = True

    def later(self, delay: float, action: Any) -> None:
        self.at(time.monotonic() + delay, action)

    def at(self, when: float, action: Any) -> None:
        self.count += 1
        heapq.heappush(self.due, (when, self.count, action))

    def begin(self, player: Player) -> None:
        """Its rates run from its first seat on; while it has none nothing is sent."""
        if player.name in self.begun:
            return
        self.begun.add(player.name)
        for interval, action in ((player.interval, player.move), (player.event_interval, player.raise_event)):
            if interval is not None:
                self.repeat(time.monotonic() + interval * (1 + len(self.begun) % 7 / 7), interval, action)

    def repeat(self, when: float, interval: float, action: Any) -> None:
        if self.is_sending:
            action()
        self.at(when + interval, lambda: self.repeat(when + interval, interval, action))

    def run(self) -> None:
        self.selector.register(self.pipe, selectors.EVENT_READ, None)
        while True:
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                heapq.heappop(self.due)[2]()
            wait = self.due[0][0] - time.monotonic() if self.due else 0.1
            for key, mask in self.selector.select(max(0.0, min(wait, 0.1))):
                if key.data is not None:
                    # Another may have closed it in the same turn.
                    if key.fileobj.fileno() >= 0 and key.data.socket is key.fileobj:
                        key.data.ready(mask)
                elif not self.obey(self.pipe.recv()):
                    return

    def obey(self, order: tuple[str, Any]) -> bool:
        what, value = order
        if what == "report":
            self.pipe.send([asdict(player.report) for player in self.players])
        elif what == "quiet":
            self.is_sending = False
        elif what == "cut":
            for player in self.players[:value]:
                player.cut()
        return what != "end"


def _main(address: tuple[str, int], pipe: Pipe, players: list[dict[str, Any]]) -> None:
    play = Play(address, pipe)
    play.players = [Player(play, **player) for player in players]
    play.run()


class Group:
    def __init__(self, address: tuple[str, int], players: list[dict[str, Any]]):
        self.pipe, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=_main, args=(address, theirs, players), daemon=True)
        self.process.start()

    def tell(self, what: str, value: Any = None) -> None:
        self.pipe.send((what, value))

    def reports(self) -> list[Report]:
        self.tell("report")
        if not self.pipe.poll(60):
            raise RuntimeError("a process of players does not answer")
        return [Report(**report) for report in self.pipe.recv()]

    def end(self) -> None:
        if self.process.is_alive():
            self.process.terminate()
        self.process.join()


class Relay:
    """A network between players and server, in a process of its own: it can hold all that goes to the server, then deliver it."""

    def __init__(self, server: tuple[str, int]):
        self.pipe, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=_relay, args=(server, theirs), daemon=True)
        self.process.start()
        self.address = ("127.0.0.1", int(self.pipe.recv()))

    def hold(self, held: bool) -> None:
        self.pipe.send(held)

    def end(self) -> None:
        if self.process.is_alive():
            self.process.terminate()
        self.process.join()


class _Way:
    """One direction of a relayed connection."""

    def __init__(self, source: socket.socket, target: socket.socket, is_up: bool):
        self.source, self.target, self.is_up = source, target, is_up
        self.waiting = bytearray()
        self.has_ended = False

    def carry(self, held: bool) -> bool:
        """Whether the connection goes on."""
        if not self.has_ended:
            try:
                data = self.source.recv(1 << 18)
                self.waiting += data
                self.has_ended = not data
            except BlockingIOError:
                pass
            except OSError:
                return False
        if self.is_up and held:
            return True
        if self.waiting:
            try:
                del self.waiting[: self.target.send(self.waiting)]
            except BlockingIOError:
                pass
            except OSError:
                return False
        return not (self.has_ended and not self.waiting)


def _relay(server: tuple[str, int], pipe: Pipe) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setblocking(False)
    pipe.send(listener.getsockname()[1])
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(pipe, selectors.EVENT_READ)
    ways: dict[socket.socket, tuple[_Way, _Way]] = {}
    held = False

    def carry(pair: tuple[_Way, _Way]) -> None:
        if all([way.carry(held) for way in pair]):
            return
        for end in (pair[0].source, pair[1].source):
            if end in ways:
                del ways[end]
                selector.unregister(end)
                end.close()

    while True:
        for key, _ in selector.select(0.05):
            if key.fileobj is pipe:
                held = pipe.recv()
            elif key.fileobj is listener:
                client, _ = listener.accept()
                behind = socket.create_connection(server)
                for end in (client, behind):
                    end.setblocking(False)
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(end, selectors.EVENT_READ)
                ways[client] = ways[behind] = (_Way(client, behind, True), _Way(behind, client, False))
            elif key.fileobj in ways:
                carry(ways[key.fileobj])
        # What did not fit before, and what was held.
        for pair in {id(pair): pair for pair in ways.values()}.values():
            if any(way.waiting for way in pair):
                carry(pair)
