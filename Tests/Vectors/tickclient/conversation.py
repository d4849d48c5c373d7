"""The conversation (3): the handshake, and which message may come when. Bytes in, bytes out, time as an argument."""

from __future__ import annotations

from enum import Enum
from typing import Callable

import tickwire as tw

from .clock import Clock
from .counts import Counts
from .events import EVENT_CODE
from .movement import Walker
from .room import Room
from .violation import Violation

Handler = Callable[[tw.Message, int], None]


class Phase(Enum):
    HELLO = "waiting for Welcome"
    JOIN = "waiting for Joined"
    ROOM = "in the room"
    LEAVING = "waiting for Left"
    LEFT = "left"
    ENDED = "ended"


class Conversation:
    """One session, over one connection after another. Every check raises Violation. Times are in microseconds."""

    def __init__(self, room: str, room_kind: str, token: bytes | None = None):
        self.room_name = room
        self.room_kind = room_kind
        self.token = token
        self.counts = Counts()
        self.clock = Clock()
        self.walker = Walker()
        self.phase = Phase.HELLO
        self.resuming = False
        self.reader = tw.MessageReader(tw.DEFAULT_SERVER_LIMIT)
        self.outgoing = bytearray()
        self.welcome: tw.Message | None = None
        self.room: Room | None = None
        self.refused: tw.Message | None = None
        self.goodbye: tw.Message | None = None

    @property
    def needs_keyframe(self) -> bool:
        return self.room is not None and self.room.needs_keyframe

    # What the client says

    def connect(self) -> None:
        """Starts a connection: as a new session, or with the ticket once there is one."""
        self.counts.connections += 1
        self.phase = Phase.HELLO
        self.reader = tw.MessageReader(tw.DEFAULT_SERVER_LIMIT)
        self.outgoing.clear()
        self.clock.pending.clear()
        if self.room is not None:
            self.room.cut()
        self.resuming = self.welcome is not None
        self._send("Hello", {"version": tw.PROTOCOL_VERSION, "capabilities": 0, **self._credential()})

    def _credential(self) -> tw.Fields:
        if self.welcome is not None:
            room = self.room
            return {
                "credential": 2,
                "ticket": self.welcome["ticket"],
                "lastTick": room.state.tick or 0 if room else 0,
                "lastEvent": room.events.last_event if room else 0,
                "lastWhisper": room.last_whisper if room else 0,
            }
        return {"credential": 0} if self.token is None else {"credential": 1, "token": self.token}

    def ping(self, now: int) -> None:
        if self.phase in (Phase.JOIN, Phase.ROOM):
            self.counts.pings += 1
            self.clock.pending.add(now)
            self._send("Ping", {"token": now})

    def walk(self) -> None:
        """Sends an Input that moves the client's own entities, if it has any."""
        if self.phase != Phase.ROOM or self.room is None or self.room.needs_keyframe:
            return
        entries = self.walker.entries(self.room.state, self.room.joined["player"])
        if entries:
            self.counts.inputs += 1
            self.room.sequence += 1
            self._send("Input", {"sequence": self.room.sequence, "entries": entries})

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
        self.outgoing += tw.encode_message("client", name, fields, self._schema)

    @property
    def _schema(self) -> tw.Schema | None:
        return self.room.state.schema if self.room is not None else None

    # What the server says

    def receive(self, data: bytes, now: int) -> None:
        self.counts.bytes += len(data)
        self.reader.feed(data)
        try:
            while (raw := self.reader.next()) is not None:
                message = tw.decode_message("server", raw, self._schema)
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
        missed = self.room.events.missed if self.room is not None else 0
        if missed and message.name not in ("Events", "Goodbye"):
            raise Violation(f"{message.name} where the {missed} events missed in a keyframe had to come")
        handler = self._allowed().get(message.name)
        if handler is None:
            raise Violation(f"{message.name} is out of place {self.phase.value}")
        if self.needs_keyframe and message.name in ("Events", "InputAck"):
            raise Violation(f"{message.name} before the first keyframe")
        handler(message, now)

    def _allowed(self) -> dict[str, Handler]:
        """The messages that may come in this phase."""
        allowed: dict[str, Handler] = {"Goodbye": self._on_goodbye, "Ping": self._on_ping, "Pong": self._on_pong}
        if self.phase == Phase.HELLO:
            allowed["Welcome"] = self._on_welcome
        elif self.phase == Phase.JOIN:
            allowed |= {"Joined": self._on_joined, "JoinRefused": self._on_refused}
        elif self.phase in (Phase.ROOM, Phase.LEAVING) and (room := self.room) is not None:
            allowed |= {
                "Frame": lambda message, now: room.on_frame(message, now, self.clock),
                "Events": lambda message, now: room.on_events(message),
                "InputAck": lambda message, now: room.on_ack(message),
                "Whisper": lambda message, now: room.on_whisper(message),
            }
        if self.phase == Phase.LEAVING:
            allowed["Left"] = self._on_left
        return allowed

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
            join = {"flags": 0, "room": self.room_name, "roomKind": self.room_kind, "schemaHash": 0, "options": b""}
            self._send("Join", join)

    def _on_refused(self, message: tw.Message, now: int) -> None:
        if self.resuming:
            raise Violation("JoinRefused as the answer to a resume")
        self.refused = message

    def _on_joined(self, message: tw.Message, now: int) -> None:
        if bool(message["flags"] & 1) != self.resuming:
            raise Violation(f"Joined has flags {message['flags']}, resuming is {self.resuming}")
        if not self.resuming:
            self.room = Room(message, self.counts)
        elif self.room is None:
            raise Violation("Joined as resumed, but the session was in no room")
        else:
            self.room.resume(message)
        self.phase = Phase.ROOM

    def _on_left(self, message: tw.Message, now: int) -> None:
        self.phase = Phase.LEFT
