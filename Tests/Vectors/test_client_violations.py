"""Tests of tickclient: what a server may not do. The server follows a script, on a loopback socket.

    python3 -m unittest discover -s Tests/Vectors
"""

from __future__ import annotations

import sys
import unittest
from pathlib import Path
from typing import Any, Callable

sys.path.insert(0, str(Path(__file__).parent))

import tickwire as tw
from scripted_server import TICKET, TRANSIENT, ClientTestCase, Peer, entered, reliable


class ViolationTests(ClientTestCase):
    def test_what_a_server_may_not_do_in_a_room(self) -> None:
        twice = [{"flags": 1, "code": 1, "payload": bytes([7, 0])}] * 2
        cases: list[tuple[str, Callable[[Peer], Any]]] = [
            ("frame of tick 12 span 1, the last was 10", lambda peer: peer.frame(12)),
            ("first reliable event is number 7", lambda peer: peer.frame(11, first=7, events=[reliable()])),
            ("first reliable event is number 5", lambda peer: peer.frame(11, first=5, events=[TRANSIENT])),
            ("player 7 joined, but is in the room", lambda peer: peer.frame(11, first=6, events=twice)),
            ("player 3 joined, but is in the room",
             lambda peer: peer.frame(11, first=6, events=[reliable(1, bytes([3, 0]))])),
            ("player 9 left, but is not", lambda peer: peer.frame(11, first=6, events=[reliable(2, bytes([9]))])),
            ("a keyframe of tick 10 after tick 10", lambda peer: peer.keyframe(10, 5)),
            ("lastEvent 4, the client has seen 5", lambda peer: peer.keyframe(20, 4)),
            ("Frame where the 1 events", lambda peer: (peer.keyframe(20, 6), peer.frame(21))),
            ("Events brings 1 events, 2 were missed",
             lambda peer: (peer.keyframe(20, 7), peer.send("Events", first=6, events=[reliable()]))),
            ("Events though no event was missed", lambda peer: peer.send("Events", first=6, events=[reliable()])),
            ("InputAck 1000", lambda peer: peer.send("InputAck", sequence=1000, dropped=0)),
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
            peer.send("InputAck", sequence=2, dropped=0)
            peer.send("InputAck", sequence=1, dropped=0)
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
            ("of tick 11, Joined.tick is 10", lambda peer: (peer.joined(), peer.keyframe(11, 5))),
            ("tickRate is 0", lambda peer: peer.joined(tickRate=0)),
            ("not a keyframe", lambda peer: (peer.joined(), peer.frame(10))),
            ("before the first keyframe", lambda peer: (peer.joined(), peer.send("InputAck", sequence=0, dropped=0))),
            ("Whisper before the first keyframe",
             lambda peer: (peer.joined(), peer.send("Whisper", flags=1, number=1, code=16, payload=b""))),
        ]
        for text, step in cases:
            with self.subTest(text):
                self.assert_violation(text, joining(step))


if __name__ == "__main__":
    unittest.main()
