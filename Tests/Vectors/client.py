"""A TickServer client that distrusts the server: it joins a room, plays, and checks what docs/protocol.md promises.

    python3 client.py --host 127.0.0.1 --port 7777 --room r1 --room-kind arena --seconds 10 [--resume-after 4] [--json]

Prints a JSON report. Exit code: 0 it ran to the end, 1 the server broke the protocol (`violation` says how), 2 the
server could not be reached, refused the join or ended the connection early with a Goodbye.

`Conversation` is the protocol: bytes in, bytes out, time in microseconds as an argument. `Shell` is the socket and the timers.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import struct
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Callable

import tickwire as tw

HASHES_KEPT = 64
INPUTS_PER_SECOND = 10
ENTITIES_PER_INPUT = 32  # keeps an Input far below any sensible maxClientMessage
WALK_STEPS = 200  # inputs from one end of a field's range to the other
LEAVE_SECONDS = 3.0
CONNECT_SECONDS = 5.0
EVENT_CODE = 16
EVENT_JOINED, EVENT_LEFT = 1, 2


class Violation(Exception):
    """The server did not do what the protocol says."""


class Phase(Enum):
    HELLO = "waiting for Welcome"
    JOIN = "waiting for Joined"
    ROOM = "in the room"
    LEAVING = "waiting for Left"
    LEFT = "left"
    ENDED = "ended"


@dataclass
class Counts:
    frames: int = 0
    keyframes: int = 0
    gaps: int = 0
    heartbeats: int = 0
    events: int = 0
    reliableEvents: int = 0
    eventsMessages: int = 0
    whispers: int = 0
    inputs: int = 0
    acks: int = 0
    pings: int = 0
    pongs: int = 0
    ownEventsSent: int = 0
    ownEventsSeen: int = 0
    connections: int = 0
    bytes: int = 0


@dataclass
class Clock:
    """Follows the server clock (6): the offset of the sample with the shortest round trip of the last few."""

    samples: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=8))
    pending: set[int] = field(default_factory=set)
    last_time: int = 0

    def sample(self, token: int, server_time: int, now: int) -> None:
        if token not in self.pending:
            raise Violation(f"Pong with token {token}, which is not that of an unanswered Ping")
        self.pending.discard(token)
        self.check_time(server_time)
        round_trip = now - token
        self.samples.append((round_trip, server_time + round_trip // 2 - now))

    def check_time(self, server_time: int) -> None:
        if server_time < self.last_time:
            raise Violation(f"the server clock went back from {self.last_time} to {server_time}")
        self.last_time = server_time

    @property
    def best(self) -> tuple[int, int] | None:
        return min(self.samples, default=None)


class Walker:
    """Moves entities to and fro through the range of every fixed and vector field they have."""

    def __init__(self) -> None:
        self.backward: set[tuple[int, int, int, int]] = set()

    def entries(self, state: tw.State, player: int) -> list[tw.Fields]:
        owned = ((kind, number) for kind, number, entity in state.entities() if entity.owner == player)
        entries = (self._entry(state, kind, number) for kind, number in owned)
        return [entry for entry in entries if entry["mask"]][:ENTITIES_PER_INPUT]

    def _entry(self, state: tw.State, kind: int, number: int) -> tw.Fields:
        mask, values = 0, []
        for index, each in enumerate(state.schema.kinds[kind].fields):
            if each.type in (tw.FieldType.FIXED, tw.FieldType.VECTOR):
                mask |= 1 << index
                columns = state.field_columns(kind, number, index)
                values.append([self._step(each, (kind, number, index, c), int(v)) for c, v in enumerate(columns)])
        return {"kind": kind, "id": number, "mask": mask, "values": values}

    def _step(self, each: tw.Field, key: tuple[int, int, int, int], value: int) -> int:
        stride = max(1, (each.high - each.low) // WALK_STEPS)
        if value + stride > each.high:
            self.backward.add(key)
        elif value - stride < each.low:
            self.backward.discard(key)
        value += -stride if key in self.backward else stride
        return min(each.high, max(each.low, value))


class Conversation:
    """One session, over one connection after another. Every check raises Violation."""

    def __init__(self, room: str, room_kind: str, token: bytes | None = None):
        self.room = room
        self.room_kind = room_kind
        self.token = token
        self.counts = Counts()
        self.clock = Clock()
        self.walker = Walker()
        self.notes: list[str] = []
        self.phase = Phase.HELLO
        self.resuming = False
        self.reader = tw.MessageReader(tw.DEFAULT_SERVER_LIMIT)
        self.outgoing = bytearray()
        self.welcome: tw.Message | None = None
        self.joined: tw.Message | None = None
        self.refused: tw.Message | None = None
        self.goodbye: tw.Message | None = None
        self.state: tw.State | None = None
        self.players: set[int] = set()
        self.last_event = 0
        self.last_whisper = 0
        self.missed_events = 0  # what the next message, Events, must bring
        self.needs_keyframe = False
        self.frame_since_joined = False
        self.sequence = 0
        self.acknowledged = 0
        self.own_event_seen = 0
        self.hashes: deque[tuple[int, int]] = deque(maxlen=HASHES_KEPT)
        self.frame_delays: deque[int] = deque(maxlen=1024)
        self.last_frame_at: int | None = None
        self.longest_silence = 0  # between two frames, microseconds

    # What the client says

    def connect(self) -> None:
        """Starts a connection: as a new session, or with the ticket once there is one."""
        self.counts.connections += 1
        self.phase = Phase.HELLO
        self.reader = tw.MessageReader(tw.DEFAULT_SERVER_LIMIT)
        self.outgoing.clear()
        self.clock.pending.clear()
        self.missed_events = 0
        self.resuming = self.welcome is not None
        hello: tw.Fields = {"version": tw.PROTOCOL_VERSION, "capabilities": 0, "credential": 0}
        if self.welcome is not None:
            tick = self.state.tick if self.state is not None and self.state.tick is not None else 0
            hello |= {"credential": 2, "ticket": self.welcome["ticket"], "lastTick": tick}
            hello |= {"lastEvent": self.last_event, "lastWhisper": self.last_whisper}
        elif self.token is not None:
            hello |= {"credential": 1, "token": self.token}
        self._send("Hello", hello)

    def ping(self, now: int) -> None:
        if self.phase in (Phase.JOIN, Phase.ROOM):
            self.counts.pings += 1
            self.clock.pending.add(now)
            self._send("Ping", {"token": now})

    def walk(self) -> None:
        """Sends an Input that moves the client's own entities, if it has any."""
        if self.phase != Phase.ROOM or self.needs_keyframe or self.state is None or self.joined is None:
            return
        entries = self.walker.entries(self.state, self.joined["player"])
        if entries:
            self.counts.inputs += 1
            self.sequence += 1
            self._send("Input", {"sequence": self.sequence, "entries": entries})

    def raise_event(self) -> None:
        """Sends a reliable event to all, numbered by its payload so that it is known again."""
        if self.phase == Phase.ROOM and not self.needs_keyframe:
            self.counts.ownEventsSent += 1
            payload = self.counts.ownEventsSent.to_bytes(8, "little")
            self._send("Event", {"flags": 1, "target": 0, "code": EVENT_CODE, "payload": payload})

    def leave(self) -> None:
        if self.phase == Phase.ROOM:
            self.phase = Phase.LEAVING
            self._send("Leave", {})

    def _send(self, name: str, fields: tw.Fields) -> None:
        schema = self.state.schema if self.state is not None else None
        self.outgoing += tw.encode_message("client", name, fields, schema)

    # What the server says

    def receive(self, data: bytes, now: int) -> None:
        self.counts.bytes += len(data)
        self.reader.feed(data)
        try:
            while (raw := self.reader.next()) is not None:
                schema = self.state.schema if self.state is not None else None
                message = tw.decode_message("server", raw, schema)
                if message is not None:
                    self._handle(message, now)
        except tw.DecodeError as error:
            raise Violation(str(error)) from error

    def closed(self) -> None:
        """The server has closed the stream."""
        if self.phase not in (Phase.ENDED, Phase.LEFT):
            raise Violation(f"the server closed the stream without a Goodbye while {self.phase.value}")

    def _handle(self, message: tw.Message, now: int) -> None:
        if self.phase == Phase.ENDED:
            raise Violation(f"{message.name} after Goodbye")
        if self.missed_events and message.name not in ("Events", "Goodbye"):
            raise Violation(f"{message.name} where the {self.missed_events} events missed in a keyframe had to come")
        anywhere: dict[str, Callable[[tw.Message, int], None]] = {
            "Goodbye": self._on_goodbye,
            "Ping": self._on_ping,
            "Pong": self._on_pong,
        }
        by_phase: dict[Phase, dict[str, Callable[[tw.Message, int], None]]] = {
            Phase.HELLO: {"Welcome": self._on_welcome},
            Phase.JOIN: {"Joined": self._on_joined, "JoinRefused": self._on_refused},
        }
        in_room: dict[str, Callable[[tw.Message, int], None]] = {
            "Frame": self._on_frame,
            "Events": self._on_events,
            "InputAck": self._on_ack,
            "Whisper": self._on_whisper,
        }
        allowed = {**anywhere, **by_phase.get(self.phase, {})}
        if self.phase in (Phase.ROOM, Phase.LEAVING):
            allowed |= in_room
        if self.phase == Phase.LEAVING:
            allowed["Left"] = self._on_left
        if message.name not in allowed:
            raise Violation(f"{message.name} is out of place {self.phase.value}")
        if message.name in in_room and message.name != "Frame" and self.needs_keyframe:
            raise Violation(f"{message.name} before the first keyframe")
        allowed[message.name](message, now)

    def _on_goodbye(self, message: tw.Message, now: int) -> None:
        self.goodbye = message
        self.phase = Phase.ENDED

    def _on_ping(self, message: tw.Message, now: int) -> None:
        self._send("Pong", {"token": message["token"], "time": now})

    def _on_pong(self, message: tw.Message, now: int) -> None:
        self.counts.pongs += 1
        self.clock.sample(message["token"], message["time"], now)

    def _on_welcome(self, message: tw.Message, now: int) -> None:
        if message["version"] != tw.PROTOCOL_VERSION:
            raise Violation(f"Welcome with version {message['version']}")
        self.clock.check_time(message["time"])
        if self.welcome is not None:
            for name in ("session", "ticket"):
                if message[name] != self.welcome[name]:
                    raise Violation(f"Welcome after a resume has another {name}")
        self.welcome = message
        self.reader.limit = message["maxServerMessage"]
        self.phase = Phase.JOIN
        if not self.resuming:
            join = {"flags": 0, "room": self.room, "roomKind": self.room_kind, "schemaHash": 0, "options": b""}
            self._send("Join", join)

    def _on_refused(self, message: tw.Message, now: int) -> None:
        if self.resuming:
            raise Violation("JoinRefused as the answer to a resume")
        self.refused = message

    def _on_joined(self, message: tw.Message, now: int) -> None:
        if bool(message["flags"] & 1) != self.resuming:
            raise Violation(f"Joined has flags {message['flags']}, resuming is {self.resuming}")
        if self.resuming:
            self._check_resumed(message)
        else:
            self._start_room(message)
        self.joined = message
        self.frame_since_joined = False
        self.phase = Phase.ROOM

    def _start_room(self, message: tw.Message) -> None:
        if message.get("schema") is None:
            raise Violation("Joined brings no schema, though Join asked for it with hash 0")
        schema = tw.Schema.decode(message["schema"])
        if schema.hash != message["schemaHash"]:
            raise Violation(f"schemaHash is {message['schemaHash']:016x}, the schema's is {schema.hash:016x}")
        players = message.get("players")
        if players is None or message["player"] not in players:
            raise Violation(f"Joined.players is {players}, without the player {message['player']} itself")
        if message["tickRate"] < 1:
            raise Violation("Joined.tickRate is 0")
        self.state = tw.State(schema)
        self.players = set(players)
        self.last_event = message["lastEvent"]
        self.last_whisper = message["lastWhisper"]
        self.needs_keyframe = True

    def _check_resumed(self, message: tw.Message) -> None:
        if self.joined is None or self.state is None:
            raise Violation("Joined as resumed, but the session was in no room")
        for name in ("player", "generation", "schemaHash", "start", "tickRate"):
            if message[name] != self.joined[name]:
                raise Violation(f"{name} changed over a resume from {self.joined[name]} to {message[name]}")
        if message.get("players") is not None:
            raise Violation("Joined as resumed has a players list")
        for name, own in (("lastEvent", self.last_event), ("lastWhisper", self.last_whisper)):
            if message[name] != own:
                self.notes.append(f"Joined.{name} after a resume is {message[name]}, the client had {own}")

    # Frames and events (7, 8)

    def _on_frame(self, message: tw.Message, now: int) -> None:
        assert self.state is not None
        before, before_hash = self.state.tick, self.state.hash
        keyframe = bool(message["flags"] & tw.FRAME_KEYFRAME)
        self._check_keyframe(message, keyframe)
        try:
            self.state.apply(message)
        except tw.FrameGap as error:
            self.counts.gaps += 1
            raise Violation(str(error)) from error
        self.counts.frames += 1
        self.counts.keyframes += keyframe
        self.counts.heartbeats += message["flags"] == 0
        self.needs_keyframe = False
        self.frame_since_joined = True
        if message.get("events") is not None:
            self._take_events(message["firstReliable"], message["events"])
        if before is not None and not keyframe:
            self._remember_quiet_ticks(before, message["tick"], before_hash)
        self.hashes.append((message["tick"], self.state.hash))
        self._measure_delay(message["tick"], now)

    def _check_keyframe(self, message: tw.Message, keyframe: bool) -> None:
        assert self.state is not None
        if not keyframe:
            if self.needs_keyframe:
                raise Violation("the first frame after Joined is not a keyframe")
            return
        tick = self.state.tick
        at_resume = self.resuming and not self.frame_since_joined
        if tick is not None and (message["tick"] < tick or (message["tick"] == tick and not at_resume)):
            raise Violation(f"a keyframe of tick {message['tick']} after tick {tick}")
        if message["lastEvent"] < self.last_event:
            raise Violation(f"a keyframe with lastEvent {message['lastEvent']}, the client has seen {self.last_event}")
        self.missed_events = message["lastEvent"] - self.last_event

    def _remember_quiet_ticks(self, before: int, tick: int, unchanged: int) -> None:
        """No frame for a tick means that nothing changed in it."""
        for quiet in range(max(before + 1, tick - HASHES_KEPT), tick):
            self.hashes.append((quiet, unchanged))

    def _measure_delay(self, tick: int, now: int) -> None:
        if self.last_frame_at is not None:
            self.longest_silence = max(self.longest_silence, now - self.last_frame_at)
        self.last_frame_at = now
        if self.joined is not None and self.clock.best is not None:
            due = self.joined["start"] + tick * 1_000_000 // self.joined["tickRate"]
            self.frame_delays.append(now + self.clock.best[1] - due)

    def _on_events(self, message: tw.Message, now: int) -> None:
        self.counts.eventsMessages += 1
        count = len(message["events"])
        if self.missed_events:
            if count != self.missed_events:
                raise Violation(f"Events brings {count} events, {self.missed_events} were missed")
        elif not self.resuming or self.frame_since_joined:
            raise Violation("Events though no event was missed")
        else:
            self.notes.append("Events before the first frame after a resume")
        self.missed_events = 0
        self._take_events(message["first"], message["events"])

    def _take_events(self, first: int, events: list[tw.Fields]) -> None:
        if first != self.last_event + 1:
            raise Violation(f"the first reliable event is number {first}, the last seen was {self.last_event}")
        for event in events:
            self.counts.events += 1
            if event["flags"] & tw.EVENT_RELIABLE:
                self.counts.reliableEvents += 1
                self.last_event += 1
            self._take_event(event)

    def _take_event(self, event: tw.Fields) -> None:
        if event["code"] in (EVENT_JOINED, EVENT_LEFT):
            self._take_player_event(event)
        elif event["code"] == EVENT_CODE and self._is_own(event) and len(event["payload"]) == 8:
            number = int.from_bytes(event["payload"], "little")
            if not self.own_event_seen < number <= self.counts.ownEventsSent:
                raise Violation(f"own event {number} came back after {self.own_event_seen}")
            self.own_event_seen = number
            self.counts.ownEventsSeen += 1

    def _is_own(self, event: tw.Fields) -> bool:
        return self.counts.ownEventsSent > 0 and self.joined is not None and event.get("sender") == self.joined["player"]

    def _take_player_event(self, event: tw.Fields) -> None:
        if not event["flags"] & tw.EVENT_RELIABLE or event.get("sender") is not None:
            raise Violation(f"protocol event {event['code']} with flags {event['flags']}")
        reader = tw.Reader(event["payload"])
        player = reader.ranged(0, tw.ID_LAST, "player")
        if event["code"] == EVENT_JOINED:
            reader.varint("generation")
            if player in self.players and (self.joined is None or player != self.joined["player"]):
                raise Violation(f"player {player} joined, but is in the room")
            self.players.add(player)
        else:
            if player not in self.players:
                raise Violation(f"player {player} left, but is not in the room")
            self.players.discard(player)
        reader.finish("the player event")

    def _on_whisper(self, message: tw.Message, now: int) -> None:
        self.counts.whispers += 1
        expected = self.last_whisper + (message["flags"] & 1)
        if message["number"] != expected:
            raise Violation(f"Whisper has number {message['number']}, expected was {expected}")
        self.last_whisper = expected

    def _on_ack(self, message: tw.Message, now: int) -> None:
        self.counts.acks += 1
        if not self.acknowledged <= message["sequence"] <= self.sequence:
            raise Violation(
                f"InputAck {message['sequence']} after {self.acknowledged}, the last input sent was {self.sequence}"
            )
        self.acknowledged = message["sequence"]

    def _on_left(self, message: tw.Message, now: int) -> None:
        self.phase = Phase.LEFT

    # The report

    def report(self) -> dict[str, Any]:
        state, best = self.state, self.clock.best
        return {
            **vars(self.counts),
            "lastTick": state.tick if state else None,
            "lastEvent": self.last_event,
            "entities": state.count if state else 0,
            "stateHash": f"{state.hash:016x}" if state else None,
            "hashes": {str(tick): f"{value:016x}" for tick, value in self.hashes},
            "player": self.joined["player"] if self.joined else None,
            "players": sorted(self.players),
            "inputSequence": self.sequence,
            "inputAcknowledged": self.acknowledged,
            "roundTripMicroseconds": best[0] if best else None,
            "clockOffsetMicroseconds": best[1] if best else None,
            "frameDelayMicroseconds": self._delays(),
            "longestSilenceMicroseconds": self.longest_silence,
            "phase": self.phase.value,
            "goodbye": dict(self.goodbye.fields) if self.goodbye else None,
            "joinRefused": dict(self.refused.fields) if self.refused else None,
            "notes": self.notes,
        }

    def _delays(self) -> dict[str, int] | None:
        if not self.frame_delays:
            return None
        ordered = sorted(self.frame_delays)
        return {"least": ordered[0], "median": ordered[len(ordered) // 2], "most": ordered[-1]}


def microseconds() -> int:
    return time.monotonic_ns() // 1000


class Timer:
    """Due `rate` times a second, never catching up in a burst."""

    def __init__(self, rate: float, start: float):
        self.interval = 1 / rate if rate > 0 else float("inf")
        self.due = start + self.interval

    def take(self, now: float) -> bool:
        if now < self.due:
            return False
        self.due = max(self.due + self.interval, now)
        return True


class Shell:
    """The socket and the timers around a Conversation."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        token = options.token.encode() if options.token is not None else None
        self.conversation = Conversation(options.room, options.room_kind, token)
        self.socket = self._connect()
        self.start = time.monotonic()
        self.cut_due = self.start + options.resume_after if options.resume_after is not None else None
        self.timers: list[tuple[Timer, Callable[[], None]]] = [
            (Timer(1, self.start), lambda: self.conversation.ping(microseconds())),
            (Timer(INPUTS_PER_SECOND, self.start), self.conversation.walk),
            (Timer(options.send_events, self.start), self.conversation.raise_event),
        ]

    def run(self) -> None:
        try:
            self._converse(self.start + self.options.seconds)
            self.conversation.leave()
            if self.conversation.phase == Phase.LEAVING:
                self._converse(time.monotonic() + LEAVE_SECONDS)
            if self.conversation.phase == Phase.LEAVING:
                raise Violation(f"no Left within {LEAVE_SECONDS} s of Leave")
            if self.conversation.phase == Phase.JOIN and self.conversation.refused is None:
                raise Violation("no answer to Join")
            if self.conversation.phase == Phase.HELLO:
                raise Violation("no answer to Hello")
            if self.conversation.needs_keyframe and self.conversation.goodbye is None:
                raise Violation("no keyframe after Joined")
            if self.cut_due is not None and self.conversation.goodbye is None and self.conversation.refused is None:
                raise Violation("the time was over before the connection could be cut and resumed")
        finally:
            self.socket.close()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection((self.options.host, self.options.port), CONNECT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.conversation.connect()
        return connection

    def _converse(self, deadline: float) -> None:
        while self._active() and (now := time.monotonic()) < deadline:
            self._flush()
            due = min(deadline, *(timer.due for timer, _ in self.timers), self._cut_time())
            readable, _, _ = select.select([self.socket], [], [], max(0.0, due - now))
            if readable and not self._receive():
                return
            self._run_timers()
        self._flush()

    def _active(self) -> bool:
        return self.conversation.phase not in (Phase.ENDED, Phase.LEFT) and self.conversation.refused is None

    def _run_timers(self) -> None:
        now = time.monotonic()
        for timer, action in self.timers:
            if timer.take(now):
                action()
        if now >= self._cut_time():
            self.cut_due = None
            self._cut()

    def _cut_time(self) -> float:
        """When to cut; never before there is something to resume."""
        playing = self.conversation.phase == Phase.ROOM and not self.conversation.needs_keyframe
        return self.cut_due if self.cut_due is not None and playing else float("inf")

    def _cut(self) -> None:
        """Ends the connection with a reset, as a lost one, and comes back with the ticket."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        self.socket = self._connect()

    def _flush(self) -> None:
        data = bytes(self.conversation.outgoing)
        self.conversation.outgoing.clear()
        if data:
            try:
                self.socket.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # what the server said last is still to be read

    def _receive(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if data:
            self.conversation.receive(data, microseconds())
        else:
            self.conversation.closed()
        return bool(data)


def json_default(value: Any) -> Any:
    return value.hex()


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Joins a room and checks that the server keeps to the protocol.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--room", required=True)
    parser.add_argument("--room-kind", required=True)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to stay, seconds")
    parser.add_argument("--token", help="credential token; without it none is sent")
    parser.add_argument("--resume-after", type=float, metavar="S", help="reset the connection after S seconds and resume")
    parser.add_argument("--send-events", type=float, default=0.0, metavar="N", help="reliable events to all, a second")
    parser.add_argument("--json", action="store_true", help="the report on one line")
    return parser.parse_args(arguments)


def play(options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """Runs a client to its end: the exit code and the report."""
    try:
        shell = Shell(options)
    except OSError as error:
        return 2, {"error": f"cannot connect to {options.host}:{options.port}: {error}", "violation": None}
    violation: str | None = None
    failure: str | None = None
    try:
        shell.run()
    except (Violation, tw.DecodeError) as error:
        violation = str(error)
    except OSError as error:
        failure = f"{type(error).__name__}: {error}"
    conversation = shell.conversation
    ended_early = failure is not None or conversation.goodbye is not None or conversation.refused is not None
    report = {**conversation.report(), "violation": violation, "error": failure}
    return (1 if violation else 2 if ended_early else 0), report


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    code, report = play(options)
    print(json.dumps(report, default=json_default, indent=None if options.json else 2))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
