"""Tests of tickclient: a client in a room, and one that loses its connection. The server follows a script, on a loopback socket.

    python3 -m unittest discover -s Tests/Vectors
"""

from __future__ import annotations

import contextlib
import io
import json
import socket
import sys
import unittest
from pathlib import Path
from typing import Any, Callable

sys.path.insert(0, str(Path(__file__).parent))

import tickclient
import tickwire as tw
from scripted_server import PLAYER, SCHEMA, TICKET, TRANSIENT, ClientTestCase, Peer, ScriptedServer, entered, reliable
from wire_test_case import bits, column
from tickclient.counts import Counts
from tickclient.room import Room
from tickclient.violation import Violation


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
        peer.send("InputAck", sequence=first["sequence"], dropped=0)
        peer.send("InputAck", sequence=second["sequence"], dropped=0)
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
            body = "01 06 01 00 00 04  04 00" + bits("10" + column(2 * value, order="0")) + "00"
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
        walker, seen = tickclient.Walker(), []
        for _ in range(1000):
            value = walker.entries(state, PLAYER)[0]["values"][0][0]
            seen.append(value)
            state.kinds[0][0].columns[0] = value
        self.assertEqual((min(seen), max(seen)), (-100, 100))
        self.assertEqual(walker.entries(state, PLAYER + 1), [])

    def test_the_clock_takes_the_shortest_round_trip(self) -> None:
        clock = tickclient.Clock()
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
            code = tickclient.main(arguments)
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
        code, report = tickclient.play(tickclient.parse(["--port", str(port), "--room", "r", "--room-kind", "k"]))
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
        self.assertEqual((code, report["connections"], report["lastEvent"]), (0, 2, 7), report)
        hello = {name: self.hello[name] for name in ("credential", "ticket", "lastTick", "lastEvent", "lastWhisper")}
        expected = {"credential": 2, "ticket": TICKET, "lastTick": 11, "lastEvent": 6, "lastWhisper": 0}
        self.assertEqual(hello, expected)
        self.assertTrue(self.reset, "the connection was closed, not reset")

    def test_a_resume_may_go_by_a_keyframe(self) -> None:
        def second(peer: Peer) -> None:
            self.resumed(peer)
            peer.send("Whisper", flags=1, number=1, code=16, payload=b"")
            peer.keyframe(500, 8)
            peer.send("Events", first=7, events=[reliable(), reliable()])
            peer.send("Whisper", flags=1, number=2, code=16, payload=b"")
            peer.frame(501)
            peer.part()

        code, report = self.play(self.first, second, extra=self.CUT)
        self.assertEqual((code, report["lastEvent"], report["lastTick"], report["whispers"]), (0, 8, 501, 2), report)

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

    def test_other_numbers_after_a_resume_are_seen(self) -> None:
        for name, text in (("lastEvent", "Joined.lastEvent after a resume is 9, the client sent 6"),
                           ("lastWhisper", "Joined.lastWhisper after a resume is 9, the client sent 0")):
            with self.subTest(name):
                self.assert_resume_violation(text, lambda peer: self.resumed(peer, **{name: 9}))

    def test_missed_events_without_a_keyframe_after_a_resume_are_seen(self) -> None:
        def second(peer: Peer) -> None:
            self.resumed(peer)
            peer.send("Events", first=7, events=[reliable()])

        self.assert_resume_violation("Events though no event was missed", second)

    def test_a_cut_between_a_keyframe_and_its_events_brings_another_keyframe(self) -> None:
        schema = {"schemaHash": SCHEMA.hash, "schema": SCHEMA.encode(), "players": [PLAYER], "flags": 6}
        fields = {"player": PLAYER, "generation": 0, "tick": 10, "tickRate": 30, "start": 0, "lastEvent": 5, "lastWhisper": 0}
        room = Room(tw.Message("Joined", {**fields, **schema}), Counts())
        keyframe = tw.Message("Frame", {"flags": 1, "tick": 10, "lastEvent": 5})
        for message in (keyframe, tw.Message("Frame", {"flags": 1, "tick": 20, "lastEvent": 7})):
            room.on_frame(message, 0, tickclient.Clock())
        room.cut()
        room.resume(tw.Message("Joined", {**fields, "flags": 1, "schemaHash": SCHEMA.hash}))
        with self.assertRaisesRegex(Violation, "not a keyframe"):
            room.on_frame(tw.Message("Frame", {"flags": 0, "tick": 21, "span": 1}), 0, tickclient.Clock())
        room.on_frame(tw.Message("Frame", {"flags": 1, "tick": 20, "lastEvent": 7}), 0, tickclient.Clock())
        self.assertEqual(room.events.missed, 2)

    def test_a_join_instead_of_a_resume_is_seen(self) -> None:
        def second(peer: Peer) -> None:
            peer.welcome()
            peer.joined()

        self.assert_resume_violation("resuming is True", second)


if __name__ == "__main__":
    unittest.main()
