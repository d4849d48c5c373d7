"""Tests of messages, whole, damaged and malformed. The bytes are worked out by hand from docs/protocol.md.

    python3 -m unittest discover -s Tests/Vectors
"""

from __future__ import annotations

import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import check_vectors
import tickwire as tw
from wire_test_case import CREATED, KEYFRAME, SCHEMA, WireTestCase, decode, hexed, whole


class MessageTests(WireTestCase):
    CLIENT: list[tuple[str, str, tw.Fields]] = [
        ("Hello", "01 54 49 43 4b 01 00 00", {"magic": b"TICK", "version": 1, "capabilities": 0, "credential": 0}),
        ("Hello", "01 54 49 43 4b 01 00 01 02 aa bb",
         {"magic": b"TICK", "version": 1, "capabilities": 0, "credential": 1, "token": b"\xaa\xbb"}),
        ("Hello", "01 54 49 43 4b 01 00 02 10" + " cc" * 16 + " ac 02 05 00",
         {"magic": b"TICK", "version": 1, "capabilities": 0, "credential": 2, "ticket": b"\xcc" * 16, "lastTick": 300,
          "lastEvent": 5, "lastWhisper": 0}),
        ("Join", "02 01 02 72 31 01 6b 08 07 06 05 04 03 02 01 01 ff",
         {"flags": 1, "room": "r1", "roomKind": "k", "schemaHash": 0x0102030405060708, "options": b"\xff"}),
        ("Input", "03 07 01  00 81 02 03  c8 01 01 02",
         {"sequence": 7, "entries": [{"kind": 0, "id": 257, "mask": 3, "values": [(100,), (-1, 1)]}]}),
        ("Input", "03 08 01  00 00 1c  d0 02  04 00 03  02 68 69",
         {"sequence": 8, "entries": [{"kind": 0, "id": 0, "mask": 28, "values": [(168,), (0, -1, 0, -2), (b"hi",)]}]}),
        ("Event", "04 01 00 10 aa", {"flags": 1, "target": 0, "code": 16, "payload": b"\xaa"}),
        ("Event", "04 00 02 09 11", {"flags": 0, "target": 2, "player": 9, "code": 17, "payload": b""}),
        ("Call", "05 01 ff ff 03 aa", {"id": 1, "method": 65535, "payload": b"\xaa"}),
        ("Ping", "06 " + "ff" * 9 + "01", {"token": (1 << 64) - 1}),
        ("Leave", "07", {}),
        ("Pong", "08 05 80 01", {"token": 5, "time": 128}),
    ]
    SERVER: list[tuple[str, str, tw.Fields]] = [
        ("Ping", "06 05", {"token": 5}),
        ("Pong", "08 05 06", {"token": 5, "time": 6}),
        ("Welcome", "11 01 00 2a 07 80 80 01 80 80 40 1e 10" + "ab" * 16,
         {"version": 1, "capabilities": 0, "session": 42, "time": 7, "maxClientMessage": 16384,
          "maxServerMessage": 1048576, "graceSeconds": 30, "ticket": b"\xab" * 16}),
        ("Joined", "12 01 03 02 0a 1e 00 04 05 01 00 00 00 00 00 00 00",
         {"flags": 1, "player": 3, "generation": 2, "tick": 10, "tickRate": 30, "start": 0, "lastEvent": 4,
          "lastWhisper": 5, "schemaHash": 1}),
        ("Joined", "12 06 03 02 0a 1e 00 04 05 01 00 00 00 00 00 00 00 01 aa 02 00 02",
         {"flags": 6, "player": 3, "generation": 2, "tick": 10, "tickRate": 30, "start": 0, "lastEvent": 4,
          "lastWhisper": 5, "schemaHash": 1, "schema": b"\xaa", "players": [0, 3]}),
        ("Frame", "13 00 0a 01", {"flags": 0, "tick": 10, "span": 1}),
        ("Frame", "13 01 0a 07", {"flags": 1, "tick": 10, "lastEvent": 7}),
        ("Frame", "13 02 0a 01 05 02  01 10 01 ff  06 03 11 00",
         {"flags": 2, "tick": 10, "span": 1, "firstReliable": 5, "events": [
             {"flags": 1, "code": 16, "payload": b"\xff"},
             {"flags": 6, "sender": 3, "code": 17, "payload": b""}]}),
        ("InputAck", "14 07 00", {"sequence": 7, "dropped": 0}),
        ("InputAck", "14 07 02 05", {"sequence": 7, "dropped": 2, "firstApplied": 5}),
        ("Reply", "15 01 02 6e 6f", {"id": 1, "status": 2, "payload": b"no"}),
        ("Whisper", "16 03 04 09 10 aa", {"flags": 3, "number": 4, "sender": 9, "code": 16, "payload": b"\xaa"}),
        ("Whisper", "16 00 04 10", {"flags": 0, "number": 4, "code": 16, "payload": b""}),
        ("Events", "17 05 01 01 10 00", {"first": 5, "events": [{"flags": 1, "code": 16, "payload": b""}]}),
        ("JoinRefused", "18 04 01 e8 07 04 66 75 6c 6c",
         {"refusal": 4, "flags": 1, "retryAfterMilliseconds": 1000, "text": "full"}),
        ("Left", "19", {}),
        ("Goodbye", "1a 82 01 00 00", {"reason": 130, "flags": 0, "text": ""}),
        ("Goodbye", "1a 01 03 05 02 68 69 00",
         {"reason": 1, "flags": 3, "retryAfterMilliseconds": 5, "address": "hi", "text": ""}),
    ]

    def test_every_message_decodes_at_every_split_and_encodes_back(self) -> None:
        for sender, examples in (("client", self.CLIENT), ("server", self.SERVER)):
            self.assertEqual({name for name, _, _ in examples}, {each.name for each in tw.LAYOUTS[sender].values()})
            for name, body, fields in examples:
                with self.subTest(body):
                    data = whole(body)
                    for chunks in check_vectors.splits(data):
                        messages = list(check_vectors.decode_all(sender, chunks, SCHEMA))
                        self.assertEqual(messages, [tw.Message(name, fields)])
                    self.assertEqual(tw.encode_message(sender, name, fields, SCHEMA), data)

    def test_every_message_cut_short_is_truncated_and_one_byte_more_is_trailing(self) -> None:
        open_ended = {"Event", "Call", "Reply", "Whisper"}  # they end in a rest
        for sender, examples in (("client", self.CLIENT), ("server", self.SERVER)):
            for name, body, _ in examples:
                if name in open_ended:
                    continue
                with self.subTest(body):
                    data = hexed(body)
                    if len(data) > 1:
                        short = bytes([len(data) - 1]) + data[:-1]
                        self.assert_error("truncated", lambda: decode(sender, short))
                    self.assert_error("trailingBytes", lambda: decode(sender, whole(body + "00")))

    def test_malformed_messages(self) -> None:
        for sender, body, code in (
            ("client", "01 54 49 43 4c 01 00 00", "outOfRange"),  # magic
            ("client", "01 54 49 43 4b 01 00 03", "outOfRange"),  # credential
            ("client", "01 54 49 43 4b 01 00 01 81 10", "invalidLength"),  # token of 2049
            ("client", "01 54 49 43 4b 80 80 80 80 10 00 00", "valueTooLarge"),  # version above 32 bits
            ("client", "02 02", "unknownFlag"),
            ("client", "02 00 81 04", "invalidLength"),  # room name of 513
            ("client", "02 00 01 72 01 6b 00 00 00 00 00 00 00 00 81 08", "invalidLength"),  # options of 1025
            ("client", "03 80 80 80 80 10 00", "valueTooLarge"),  # sequence above 32 bits
            ("client", "03 01 01 02 00 01 00", "outOfRange"),  # kind 2
            ("client", "03 01 01 00 ac 02 01 00", "outOfRange"),  # id 300
            ("client", "03 01 01 00 00 00", "outOfRange"),  # empty mask
            ("client", "03 01 01 00 00 40 00", "outOfRange"),  # field 6
            ("client", "03 01 01 00 00 01 ca 01", "outOfRange"),  # a = 101
            ("client", "03 01 01 00 00 20 04", "outOfRange"),  # bool 2
            ("client", "03 01 01 01 00 04 80 02", "outOfRange"),  # signed 8: 128
            ("client", "03 01 01 01 00 01 82 9a 01", "outOfRange"),  # a reference to kind 0 id 308
            ("client", "03 01 01 00 00 10 09", "invalidLength"),  # string of 9
            ("client", "03 01 01 00 00 10 01 ff", "invalidText"),
            ("client", "03 01 ff ff ff ff 0f", "outOfRange"),  # four billion entries
            ("client", "03 01 81 02", "outOfRange"),  # 257
            ("client", "04 02 00 10", "unknownFlag"),
            ("client", "04 00 03 10", "outOfRange"),  # target
            ("client", "04 00 00 0f", "outOfRange"),  # a code of the protocol
            ("client", "05 01 80 80 04", "outOfRange"),  # method 65536
            ("server", "11 01 00 2a 07 80 80 01 80 80 40 1e 0f" + "ab" * 15, "invalidLength"),
            ("server", "11 01 00 2a 07 80 80 80 80 10", "valueTooLarge"),  # maxClientMessage above 32 bits
            ("server", "12 08", "unknownFlag"),
            ("server", "12 00 03 80 80 80 80 10", "valueTooLarge"),  # generation above 32 bits
            ("server", "12 00 03 02 0a 00", "outOfRange"),  # tickRate 0
            ("server", "12 02 03 02 0a 1e 00 04 05 01 00 00 00 00 00 00 00 81 80 04", "invalidLength"),  # schema of 65537
            ("server", "15 01 80 80 04", "outOfRange"),  # status 65536
            ("server", "12 04 03 02 0a 1e 00 04 05 01 00 00 00 00 00 00 00 02 ff ff 03 00", "outOfRange"),
            ("server", "16 04", "unknownFlag"),
            ("server", "17 05 00", "outOfRange"),  # no event
            ("server", "17 05 01 00 10 00", "inconsistent"),  # a transient one
            ("server", "17 05 ff ff ff ff 0f", "truncated"),  # four billion events
            ("server", "18 04 02", "unknownFlag"),
            ("server", "18 80 80 04", "outOfRange"),  # refusal 65536
            ("server", "18 04 01 80 80 80 80 10", "valueTooLarge"),  # retryAfterMilliseconds above 32 bits
            ("server", "18 04 00 81 04", "invalidLength"),  # text of 513
            ("server", "1a 01 04", "unknownFlag"),
            ("server", "1a 80 80 04", "outOfRange"),  # reason 65536
            ("server", "1a 01 02 81 04", "invalidLength"),  # address of 513
            ("server", "1a 01 00 81 04", "invalidLength"),  # text of 513
            ("server", "1a 01 00 01 ff", "invalidText"),
            ("server", "1a 81 00 00 00", "nonMinimalVarint"),
            ("server", "13 08 0a 01", "unknownFlag"),
            ("server", "13 00 80 80 80 80 10 01", "valueTooLarge"),  # tick above 32 bits
            ("server", "13 00 0a 80 80 80 80 10", "valueTooLarge"),  # span above 32 bits
            ("server", "13 00 0a 00", "outOfRange"),  # span 0
            ("server", "13 00 0a 0b", "inconsistent"),  # span above the tick
            ("server", "13 03 0a 01 01 01 00 10 00", "inconsistent"),  # keyframe with events
            ("server", "13 02 0a 01 01 00", "outOfRange"),  # no event
            ("server", "13 02 0a 01 01 01 08", "unknownFlag"),
            ("server", "13 02 0a 01 01 01 00 10 81 08", "invalidLength"),  # payload of 1025
        ):
            with self.subTest(body):
                self.assert_error(code, lambda: decode(sender, whole(body)))

    def test_encoding_refuses_a_flag_without_its_field(self) -> None:
        with self.assertRaises(ValueError):
            tw.encode_message("server", "Goodbye", {"reason": 1, "flags": 1, "text": ""})
        with self.assertRaises(ValueError):
            tw.encode_message("server", "Goodbye", {"reason": 1, "flags": 0, "address": "a", "text": ""})


class HostileBytesTests(unittest.TestCase):
    SEED = 20240229

    def test_damaged_messages_give_errors_of_the_protocol_only(self) -> None:
        generator = random.Random(self.SEED)
        examples = [("client", body) for _, body, _ in MessageTests.CLIENT]
        examples += [("server", body) for _, body, _ in MessageTests.SERVER]
        examples += [("server", "13 " + KEYFRAME), ("server", f"13 05 0a 00 01 06 {CREATED[2:]} 04 02 02 00 3f 3f")]
        outcomes = set()
        for _ in range(6000):
            sender, body = generator.choice(examples)
            outcomes.add(self.outcome(sender, self.damaged(generator, hexed(body))))
        self.assertGreaterEqual(outcomes, {"decoded", "truncated", "trailingBytes", "outOfRange", "unknownFlag"})

    def damaged(self, generator: random.Random, data: bytes) -> bytes:
        result = bytearray(data)
        for _ in range(generator.randint(1, 3)):
            result[generator.randrange(len(result))] = generator.choice((0, 1, 0x7F, 0x80, 0xFF, generator.randrange(256)))
        if generator.random() < 0.3:
            result += generator.randbytes(generator.randint(1, 12))
        return bytes([len(result)]) + bytes(result)

    def outcome(self, sender: str, data: bytes) -> str:
        try:
            check_vectors.decode_whole(sender, data, SCHEMA)
        except tw.DecodeError as error:
            return error.code
        except tw.FrameGap:
            return "gap"
        return "decoded"


if __name__ == "__main__":
    unittest.main()
