"""Tests of client.py against a scripted server on a loopback socket.

    python3 -m unittest discover -s Tests/Vectors
"""

from __future__ import annotations

import contextlib
import io
import json
import socket
import sys
import threading
import unittest
from pathlib import Path
from typing import Any, Callable

sys.path.insert(0, str(Path(__file__).parent))

import client
import tickwire as tw

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
        fields = {"flags": 6, "player": PLAYER, "generation": 0, "tick": 9, "tickRate": 30, "start": 0, "lastEvent": 5,
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
        state = bytes.fromhex("01 04 02 00 01 01 02")
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
            result = client.play(client.parse(arguments + (extra or [])))
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


class PlayingTests(ClientTestCase):
    def quiet_game(self, peer: Peer) -> None:
        peer.enter()
        joined = reliable(code=1, payload=bytes([7, 0]))
        left = reliable(code=2, payload=bytes([1]))
        peer.frame(11)
        peer.frame(14, 3, first=6, events=[joined, TRANSIENT, left])
        peer.frame(15, first=8, events=[TRANSIENT])
        peer.send("Whisper", flags=1, number=1, code=16, payload=b"")
        peer.send("Whisper", flags=0, number=1, code=16, payload=b"")
        peer.send("Frame", flags=0, tick=45, span=30)
        peer.send("Ping", token=77)
        self.pong = peer.expect("Pong")
        first, second = peer.expect("Input"), peer.expect("Input")
        self.inputs = [first, second]
        peer.send("InputAck", sequence=first["sequence"])
        peer.send("InputAck", sequence=second["sequence"])
        peer.part()

    def check_quiet_game(self, code: int, report: dict[str, Any]) -> None:
        self.assertEqual((code, report["violation"]), (0, None), report)
        self.assertEqual((report["frames"], report["keyframes"], report["gaps"], report["heartbeats"]), (5, 1, 0, 1))
        self.assertEqual((report["events"], report["reliableEvents"], report["lastEvent"]), (4, 2, 7))
        self.assertEqual((report["players"], report["whispers"]), ([PLAYER, 7], 2))
        self.assertEqual((report["lastTick"], report["entities"], report["inputAcknowledged"]), (45, 1, 2))

    def test_a_client_follows_a_room(self) -> None:
        code, report = self.play(self.quiet_game)
        self.check_quiet_game(code, report)
        self.assertEqual(self.pong["token"], 77)
        self.assertEqual(report["phase"], "left")

    def test_the_bytes_may_come_one_by_one(self) -> None:
        self.check_quiet_game(*self.play(self.quiet_game, chunk=1))

    def test_hashes_cover_the_ticks_that_had_no_frame(self) -> None:
        _, report = self.play(self.quiet_game)
        expected = tw.State(SCHEMA)
        hashes = {}
        for tick, value in ((10, 0), (11, 1), (14, 2), (15, 3)):
            body = f"01 06 01 00 00 04 02 00 01 01 {2 * value:02x}"
            fields = {"flags": 5, "tick": tick, "lastEvent": 0, "state": bytes.fromhex(body)}
            expected.apply(tw.Message("Frame", fields, {"state": 0}))
            hashes[tick] = f"{expected.hash:016x}"
        self.assertEqual(report["hashes"]["10"], hashes[10])
        self.assertEqual([report["hashes"][str(tick)] for tick in (11, 12, 13)], [hashes[11]] * 3)
        self.assertEqual([report["hashes"][str(tick)] for tick in (14, 15, 16, 45)], [hashes[14]] + [hashes[15]] * 3)
        self.assertEqual(report["stateHash"], hashes[15])

    def test_inputs_walk_the_own_entity(self) -> None:
        self.play(self.quiet_game)
        self.assertEqual([each["sequence"] for each in self.inputs], [1, 2])
        entry = self.inputs[1]["entries"][0]
        self.assertEqual((entry["kind"], entry["id"], entry["mask"]), (0, 0, 1))

    def test_walking_stays_in_range_and_turns_round(self) -> None:
        state = tw.State(SCHEMA)
        state.kinds[0][0] = tw.Entity(0, PLAYER, [0])
        walker, seen = client.Walker(), []
        for _ in range(1000):
            value = walker.entries(state, PLAYER)[0]["values"][0][0]
            seen.append(value)
            state.kinds[0][0].columns[0] = value
        self.assertEqual((min(seen), max(seen)), (-100, 100))
        self.assertEqual(walker.entries(state, PLAYER + 1), [])

    def test_the_clock_takes_the_shortest_round_trip(self) -> None:
        clock = client.Clock()
        for token, time, now in ((100, 5000, 300), (400, 5200, 420), (500, 5400, 900)):
            clock.pending.add(token)
            clock.sample(token, time, now)
        self.assertEqual(clock.best, (20, 5200 + 10 - 420))

    def test_a_skip_brings_a_keyframe_and_the_events_missed(self) -> None:
        def skip(peer: Peer) -> None:
            peer.enter()
            peer.keyframe(200, 7)
            peer.send("Events", first=6, events=[reliable(), reliable()])
            peer.frame(201, first=8, events=[reliable()])
            peer.part()

        code, report = self.play(skip)
        self.assertEqual((code, report["keyframes"], report["reliableEvents"], report["lastEvent"]), (0, 2, 3, 8), report)

    def test_own_events_come_back_in_order(self) -> None:
        def echo(peer: Peer) -> None:
            peer.enter()
            for tick in (11, 12):
                event = peer.expect("Event")
                own = {"flags": 3, "sender": PLAYER, "code": event["code"], "payload": event["payload"]}
                peer.frame(tick, first=tick - 5, events=[own])
            peer.until_left()

        code, report = self.play(echo, extra=["--send-events", "5"])
        self.assertEqual((code, report["ownEventsSeen"]), (0, 2), report)

    def test_a_goodbye_is_reported(self) -> None:
        def goodbye(peer: Peer) -> None:
            peer.send("Goodbye", reason=1, flags=1, retryAfterMilliseconds=50, text="draining")

        code, report = self.play(entered(goodbye), seconds=5)
        self.assertEqual((code, report["violation"]), (2, None))
        self.assertEqual(report["goodbye"], {"reason": 1, "flags": 1, "retryAfterMilliseconds": 50, "text": "draining"})

    def test_the_report_is_printed_as_json(self) -> None:
        output = io.StringIO()
        with ScriptedServer(self.quiet_game) as server, contextlib.redirect_stdout(output):
            arguments = ["--port", str(server.port), "--room", "r", "--room-kind", "k", "--seconds", "0.5", "--json"]
            code = client.main(arguments)
        self.assertEqual(len(output.getvalue().splitlines()), 1)
        self.check_quiet_game(code, json.loads(output.getvalue()))

    def test_a_refused_join_is_reported(self) -> None:
        def refuse(peer: Peer) -> None:
            peer.welcome()
            peer.expect("Join")
            peer.send("JoinRefused", refusal=4, flags=0, text="full")
            peer.until_closed()

        code, report = self.play(refuse, seconds=5)
        self.assertEqual((code, report["joinRefused"]["refusal"]), (2, 4))

    def test_no_server_is_no_violation(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        code, report = client.play(client.parse(["--port", str(port), "--room", "r", "--room-kind", "k"]))
        self.assertEqual((code, report["violation"]), (2, None))


class ResumeTests(ClientTestCase):
    CUT = ["--resume-after", "0.2"]
    reset = False

    def first(self, peer: Peer) -> None:
        peer.enter()
        peer.frame(11, first=6, events=[reliable()])
        try:
            peer.until_closed()
        except ConnectionResetError:
            self.reset = True

    def resumed(self, peer: Peer, **changes: Any) -> None:
        self.hello = peer.welcome()
        fields = {"flags": 1, "schema": None, "players": None, "lastEvent": self.hello["lastEvent"], **changes}
        peer.joined(**fields)

    def test_a_resume_goes_on_with_the_frames_after_the_last_one(self) -> None:
        def second(peer: Peer) -> None:
            self.resumed(peer)
            peer.frame(12, first=7, events=[reliable()])
            peer.part()

        code, report = self.play(self.first, second, extra=self.CUT)
        self.assertEqual((code, report["connections"], report["lastEvent"], report["notes"]), (0, 2, 7, []), report)
        hello = {name: self.hello[name] for name in ("credential", "ticket", "lastTick", "lastEvent", "lastWhisper")}
        expected = {"credential": 2, "ticket": TICKET, "lastTick": 11, "lastEvent": 6, "lastWhisper": 0}
        self.assertEqual(hello, expected)
        self.assertTrue(self.reset, "the connection was closed, not reset")

    def test_a_resume_may_go_by_a_keyframe(self) -> None:
        def second(peer: Peer) -> None:
            self.resumed(peer)
            peer.keyframe(500, 8)
            peer.send("Events", first=7, events=[reliable(), reliable()])
            peer.send("Whisper", flags=1, number=1, code=16, payload=b"")
            peer.frame(501)
            peer.part()

        code, report = self.play(self.first, second, extra=self.CUT)
        self.assertEqual((code, report["lastEvent"], report["lastTick"]), (0, 8, 501), report)

    def assert_resume_violation(self, text: str, second: Callable[[Peer], None]) -> None:
        def script(peer: Peer) -> None:
            second(peer)
            peer.until_closed()

        self.assert_violation(text, self.first, script, extra=self.CUT)

    def test_an_event_lost_over_a_resume_is_seen(self) -> None:
        def second(peer: Peer) -> None:
            self.resumed(peer)
            peer.frame(12, first=8, events=[reliable()])

        self.assert_resume_violation("first reliable event is number 8, the last seen was 6", second)

    def test_an_event_doubled_over_a_resume_is_seen(self) -> None:
        def second(peer: Peer) -> None:
            self.resumed(peer)
            peer.frame(12, first=6, events=[reliable()])

        self.assert_resume_violation("first reliable event is number 6, the last seen was 6", second)

    def test_a_tick_lost_over_a_resume_is_seen(self) -> None:
        def second(peer: Peer) -> None:
            self.resumed(peer)
            peer.frame(13)

        self.assert_resume_violation("the last was 11", second)

    def test_another_player_after_a_resume_is_seen(self) -> None:
        self.assert_resume_violation("player changed", lambda peer: self.resumed(peer, player=PLAYER + 1))

    def test_a_join_instead_of_a_resume_is_seen(self) -> None:
        def second(peer: Peer) -> None:
            peer.welcome()
            peer.joined()

        self.assert_resume_violation("resuming is True", second)


class ViolationTests(ClientTestCase):
    def test_what_a_server_may_not_do_in_a_room(self) -> None:
        twice = [{"flags": 1, "code": 1, "payload": bytes([7, 0])}] * 2
        cases: list[tuple[str, Callable[[Peer], Any]]] = [
            ("frame of tick 12 span 1, the last was 10", lambda peer: peer.frame(12)),
            ("first reliable event is number 7", lambda peer: peer.frame(11, first=7, events=[reliable()])),
            ("first reliable event is number 5", lambda peer: peer.frame(11, first=5, events=[TRANSIENT])),
            ("player 7 joined, but is in the room", lambda peer: peer.frame(11, first=6, events=twice)),
            ("player 9 left, but is not", lambda peer: peer.frame(11, first=6, events=[reliable(2, bytes([9]))])),
            ("a keyframe of tick 10 after tick 10", lambda peer: peer.keyframe(10, 5)),
            ("lastEvent 4, the client has seen 5", lambda peer: peer.keyframe(20, 4)),
            ("Frame where the 1 events", lambda peer: (peer.keyframe(20, 6), peer.frame(21))),
            ("Events brings 1 events, 2 were missed",
             lambda peer: (peer.keyframe(20, 7), peer.send("Events", first=6, events=[reliable()]))),
            ("Events though no event was missed", lambda peer: peer.send("Events", first=6, events=[reliable()])),
            ("InputAck 1000", lambda peer: peer.send("InputAck", sequence=1000)),
            ("Whisper has number 2", lambda peer: peer.send("Whisper", flags=1, number=2, code=16, payload=b"")),
            ("Pong with token 1", lambda peer: peer.send("Pong", token=1, time=2000)),
            ("the server clock went back", lambda peer: peer.send("Pong", token=peer.expect_ping(), time=999)),
            ("Welcome is out of place", lambda peer: peer.send("Welcome", version=1, capabilities=0, session=42, time=1000,
             maxClientMessage=1, maxServerMessage=1, graceSeconds=1, ticket=TICKET)),
            ("Reply is out of place", lambda peer: peer.send("Reply", id=1, status=0, payload=b"")),
            ("Left is out of place", lambda peer: peer.send("Left")),
            ("after Goodbye", lambda peer: peer.connection.sendall(
                tw.encode_message("server", "Goodbye", {"reason": 1, "flags": 0, "text": ""})
                + tw.encode_message("server", "Ping", {"token": 1}))),
            ("does not exist", lambda peer: peer.send("Frame", flags=4, tick=11, span=1, state=bytes.fromhex("01 01 01 05"))),
            ("unknownType", lambda peer: peer.connection.sendall(bytes([1, 0x7F]))),
            ("invalidLength", lambda peer: peer.connection.sendall(bytes([0]))),
            ("the limit is 65536", lambda peer: peer.connection.sendall(bytes([0x81, 0x80, 0x04]))),
        ]
        for text, step in cases:
            with self.subTest(text):
                self.assert_violation(text, entered(step))

    def test_acknowledgements_do_not_go_back(self) -> None:
        def script(peer: Peer) -> None:
            peer.enter()
            peer.expect("Input"), peer.expect("Input")
            peer.send("InputAck", sequence=2)
            peer.send("InputAck", sequence=1)
            peer.until_closed()

        self.assert_violation("InputAck 1 after 2", script)

    def test_a_stream_closed_without_a_goodbye(self) -> None:
        self.assert_violation("without a Goodbye", lambda peer: peer.enter())

    def test_what_a_server_may_not_do_when_a_client_joins(self) -> None:
        def joining(step: Callable[[Peer], Any]) -> Callable[[Peer], None]:
            def script(peer: Peer) -> None:
                peer.welcome()
                peer.expect("Join")
                step(peer)
                peer.until_closed()

            return script

        cases: list[tuple[str, Callable[[Peer], Any]]] = [
            ("without the player 3 itself", lambda peer: peer.joined(players=[1])),
            ("without the player 3 itself", lambda peer: peer.joined(flags=2, players=None)),
            ("brings no schema", lambda peer: peer.joined(flags=4, schema=None)),
            ("schemaHash is", lambda peer: peer.joined(schemaHash=1)),
            ("resuming is False", lambda peer: peer.joined(flags=7)),
            ("Frame is out of place", lambda peer: peer.keyframe(10, 5)),
            ("not a keyframe", lambda peer: (peer.joined(), peer.frame(10))),
            ("before the first keyframe", lambda peer: (peer.joined(), peer.send("InputAck", sequence=0))),
        ]
        for text, step in cases:
            with self.subTest(text):
                self.assert_violation(text, joining(step))


if __name__ == "__main__":
    unittest.main()
