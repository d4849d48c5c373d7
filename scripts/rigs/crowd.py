"""Many clients in one thread: each joins a room and stays; who reads, and who does not, is the rig's word. It keeps what each
was told, which is what a player would see."""

from __future__ import annotations

import selectors
import socket
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests" / "Vectors"))

import tickwire as tw

FRAME_TYPES = (0x13, 0x17)
CODES = {1: "draining", 2: "slowConsumer", 3: "idle", 4: "overBudget", 66: "roomClosed", 68: "connectionLimit"}
REFUSALS = {4: "roomFull", 6: "roomLimit", 9: "draining", 10: "overBudget"}
PING_SECONDS = 5.0


class Member:
    """One client. `fate` is what became of it: None while it waits or plays."""

    def __init__(self, address: tuple[str, int], room: str, kind: str, reads: bool):
        self.room = room
        self.kind = kind
        self.reads = reads
        self.state = "connecting"
        self.fate: str | None = None
        self.frames = 0
        self.pinged = time.monotonic()
        self.reader = tw.MessageReader(tw.DEFAULT_SERVER_LIMIT)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect_ex(address)

    @property
    def is_in(self) -> bool:
        return self.fate is None and self.state == "in"

    def say(self, name: str, **fields: object) -> None:
        try:
            self.socket.send(tw.encode_message("client", name, fields))
        except OSError:
            pass  # its end is read in a moment

    def begin(self) -> None:
        self.state = "hello"
        self.say("Hello", version=tw.PROTOCOL_VERSION, capabilities=0, credential=0)

    def take(self, raw: tw.RawMessage) -> None:
        if raw.type in FRAME_TYPES:
            self.frames += 1
            return
        message = tw.decode_message("server", raw)
        if message is None:
            return
        if message.name == "Welcome":
            self.state = "joining"
            self.say("Join", flags=0, room=self.room, roomKind=self.kind, schemaHash=0, options=b"")
        elif message.name == "Joined":
            self.state = "in"
        elif message.name == "JoinRefused":
            self.fate = "refused " + REFUSALS.get(message["refusal"], str(message["refusal"]))
        elif message.name == "Goodbye":
            self.fate = "ended " + CODES.get(message["reason"], str(message["reason"]))


class Crowd:
    """All of them. `turn` lets them live for a while."""

    def __init__(self, address: str):
        host, port = address.rsplit(":", 1)
        self.address = (host, int(port))
        self.selector = selectors.DefaultSelector()
        self.members: list[Member] = []

    def add(self, room: str, kind: str = "hungry", reads: bool = True) -> Member:
        member = Member(self.address, room, kind, reads)
        self.members.append(member)
        self.selector.register(member.socket, selectors.EVENT_WRITE, member)
        return member

    def turn(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            for key, _ in self.selector.select(max(0.0, min(left, 0.05))):
                self._serve(key.data)
            now = time.monotonic()
            for member in self.members:
                if member.is_in and now - member.pinged > PING_SECONDS:
                    member.pinged = now
                    member.say("Ping", token=1)
            if now >= deadline:
                return

    def _serve(self, member: Member) -> None:
        if member.state == "connecting":
            member.begin()
            self.selector.modify(member.socket, selectors.EVENT_READ, member)
            return
        try:
            data = member.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self._end(member, member.fate or "cut off")
        member.reader.feed(data)
        while (raw := member.reader.next()) is not None:
            member.take(raw)
        if member.fate is not None and member.fate.startswith("refused"):
            self._end(member, member.fate)
        elif member.is_in and not member.reads:
            # From here on it takes nothing more; what it was told at its end is not known.
            self.selector.unregister(member.socket)

    def _end(self, member: Member, fate: str) -> None:
        member.fate = fate
        self.selector.unregister(member.socket)
        member.socket.close()

    def drop(self, member: Member) -> None:
        if member.socket.fileno() >= 0:
            if member.socket in self.selector.get_map():
                self.selector.unregister(member.socket)
            member.socket.close()
        member.fate = member.fate or "left"

    @property
    def present(self) -> int:
        return sum(member.is_in for member in self.members)

    def fates(self) -> Counter[str]:
        return Counter(member.fate or member.state for member in self.members)

    def close(self) -> None:
        for member in self.members:
            self.drop(member)
        self.selector.close()
