"""What the tests of tickclient share: a server on a loopback socket that follows a script."""

from __future__ import annotations

import socket
import threading
import unittest
from typing import Any, Callable

import tickclient
import tickwire as tw
from wire_test_case import bits, column

DEADLINE_SECONDS = 20.0
TICKET = b"\xab" * 16

# Kind 0 "p" of 16 ids: x fixed -100...100 with step 0.5. It is enough for the client to walk.
SCHEMA = tw.Schema((tw.Kind("p", 16, (tw.Field("x", tw.FieldType.FIXED, low=-100, high=100, step=0.5),)),))
PLAYER = 3
KEYFRAME_STATE = bytes.fromhex("01 02 01 00 00 04")  # one section: 0/0 of generation 0 and player 3


class Peer:
    """The server's side of one connection."""

    def __init__(self, connection: socket.socket, chunk: int):
        connection.settimeout(DEADLINE_SECONDS)
        self.connection = connection
        self.chunk = chunk
        self.reader = tw.MessageReader(tw.DEFAULT_CLIENT_LIMIT)
        self.state = tw.State(SCHEMA)

    def send(self, name: str, **fields: Any) -> None:
        data = tw.encode_message("server", name, fields)
        for start in range(0, len(data), self.chunk):
            self.connection.sendall(data[start : start + self.chunk])

    def receive(self) -> tw.Message | None:
        """The next message; None at the end of the stream."""
        while (raw := self.reader.next()) is None:
            data = self.connection.recv(4096)
            if not data:
                return None
            self.reader.feed(data)
        return tw.decode_message("client", raw, SCHEMA)

    def expect(self, name: str) -> tw.Message:
        """The next message of a name. Answers Pings meanwhile and passes over Inputs that are not asked for."""
        while True:
            message = self.receive()
            assert message is not None, f"the client closed the stream before {name}"
            if message.name == "Ping":
                self.send("Pong", token=message["token"], time=1_000_000)
            elif message.name == name:
                return message
            else:
                assert message.name == "Input", f"{message.name} came where {name} had to"

    def expect_ping(self) -> int:
        """The token of the next Ping, not answered yet."""
        while (message := self.receive()) is not None and message.name != "Ping":
            pass
        assert message is not None, "the client closed the stream before Ping"
        return message["token"]

    def welcome(self) -> tw.Message:
        hello = self.expect("Hello")
        self.send("Welcome", version=1, capabilities=0, session=42, time=1000, maxClientMessage=16384,
                  maxServerMessage=65536, graceSeconds=30, ticket=TICKET)
        return hello

    def joined(self, **changes: Any) -> None:
        fields = {"flags": 6, "player": PLAYER, "generation": 0, "tick": 10, "tickRate": 30, "start": 0, "lastEvent": 5,
                  "lastWhisper": 0, "schemaHash": SCHEMA.hash, "schema": SCHEMA.encode(), "players": [1, PLAYER]}
        fields |= changes
        self.send("Joined", **{name: value for name, value in fields.items() if value is not None})

    def enter(self) -> None:
        """The whole way to a client that has its keyframe of tick 10."""
        self.welcome()
        self.expect("Join")
        self.joined()
        self.keyframe(10, 5)

    def keyframe(self, tick: int, last_event: int) -> None:
        self.send("Frame", flags=5, tick=tick, lastEvent=last_event, state=KEYFRAME_STATE)

    def frame(self, tick: int, span: int = 1, first: int | None = None, events: list[tw.Fields] | None = None) -> None:
        """Moves 0/0 by one, with events if there are any."""
        state = bytes.fromhex("01 04 04 00" + bits("10" + column(2, order="0")))
        if events is None:
            self.send("Frame", flags=4, tick=tick, span=span, state=state)
        else:
            self.send("Frame", flags=6, tick=tick, span=span, firstReliable=first, events=events, state=state)

    def part(self) -> None:
        self.expect("Leave")
        self.send("Left")
        self.until_closed()

    def until_left(self) -> None:
        """As `part`, passing over whatever the client still sends."""
        while (message := self.receive()) is not None and message.name != "Leave":
            pass
        self.send("Left")
        self.until_closed()

    def until_closed(self) -> None:
        while self.connection.recv(4096):
            pass


def reliable(code: int = 16, payload: bytes = b"") -> tw.Fields:
    return {"flags": 1, "code": code, "payload": payload}


TRANSIENT: tw.Fields = {"flags": 2, "sender": 1, "code": 16, "payload": b""}


class ScriptedServer:
    """Runs one script for each connection that comes, on its own thread, and keeps what went wrong in it."""

    def __init__(self, *scripts: Callable[[Peer], None], chunk: int = 1 << 20):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(DEADLINE_SECONDS)
        self.port = self.listener.getsockname()[1]
        self.scripts = scripts
        self.chunk = chunk
        self.problems: list[str] = []
        self.thread = threading.Thread(target=self.serve)

    def serve(self) -> None:
        for script in self.scripts:
            try:
                connection, _ = self.listener.accept()
                with connection:
                    script(Peer(connection, self.chunk))
            except (ConnectionError, BrokenPipeError):
                pass  # the client has cut the connection, or closed it on a violation
            except (AssertionError, OSError, tw.DecodeError) as error:
                self.problems.append(repr(error))

    def __enter__(self) -> ScriptedServer:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thread.join(DEADLINE_SECONDS)
        self.listener.close()


class ClientTestCase(unittest.TestCase):
    def play(
        self, *scripts: Callable[[Peer], None], seconds: float = 0.5, extra: list[str] | None = None, chunk: int = 1 << 20
    ) -> tuple[int, dict[str, Any]]:
        with ScriptedServer(*scripts, chunk=chunk) as server:
            arguments = ["--port", str(server.port), "--room", "r", "--room-kind", "k", "--seconds", str(seconds)]
            result = tickclient.play(tickclient.parse(arguments + (extra or [])))
        self.assertEqual(server.problems, [], result)
        return result

    def assert_violation(self, text: str, *scripts: Callable[[Peer], None], extra: list[str] | None = None) -> None:
        code, report = self.play(*scripts, seconds=5, extra=extra)
        self.assertEqual(code, 1, report)
        self.assertIn(text, report["violation"])


def entered(*steps: Callable[[Peer], None]) -> Callable[[Peer], None]:
    """A script: the client enters, the steps happen, then the server waits for the end of the stream."""

    def script(peer: Peer) -> None:
        peer.enter()
        for step in steps:
            step(peer)
        peer.until_closed()

    return script
