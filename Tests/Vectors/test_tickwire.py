"""Tests of tickwire.py and check_vectors.py. The bytes are worked out by hand from docs/protocol.md.

    python3 -m unittest discover -s Tests/Vectors
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import random
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any, Callable

sys.path.insert(0, str(Path(__file__).parent))

import check_vectors
import tickwire as tw

HALF = "00 00 00 00 00 00 e0 3f"  # 0.5 as f64le

# Kind 0 "p", 300 ids: a fixed -100...100, v vector of 2 in -1000...1000, h angle of 360 steps,
# q quaternion of 10 bits, n string of 8, b bool. Kind 1 "x", 16 ids: r reference, u unsigned 32, s signed 8, d bytes of 4.
SCHEMA_HEX = (
    "02"
    "01 70  ac 02  06"
    f"01 61 03 c7 01 c8 01 {HALF}"
    f"01 76 04 02 cf 0f d0 0f {HALF}"
    "01 68 05 e8 02"
    "01 71 06 0a"
    "01 6e 07 08"
    "01 62 00"
    "01 78  10  04"
    "01 72 09"
    "01 75 01 20"
    "01 73 02 08"
    "01 64 08 04"
)
SCHEMA = tw.Schema.decode(bytes.fromhex(SCHEMA_HEX))


def hexed(text: str) -> bytes:
    return bytes.fromhex(text)


def whole(type_and_body: str) -> bytes:
    """A message from the hex of its type and body; short ones only."""
    data = hexed(type_and_body)
    assert len(data) < 128
    return bytes([len(data)]) + data


def decode(sender: str, data: bytes, schema: tw.Schema | None = SCHEMA) -> tw.Message:
    messages = list(check_vectors.decode_all(sender, [data], schema))
    assert len(messages) == 1 and messages[0] is not None
    return messages[0]


def apply_all(*bodies: str, schema: tw.Schema = SCHEMA) -> tw.State:
    state = tw.State(schema)
    for body in bodies:
        state.apply(decode("server", whole("13 " + body), schema))
        assert state.hash == state.recomputed_hash()
    return state


class WireTestCase(unittest.TestCase):
    def assert_error(self, code: str, action: Callable[[], Any]) -> tw.DecodeError:
        with self.assertRaises(tw.DecodeError) as caught:
            action()
        self.assertEqual(caught.exception.code, code, caught.exception)
        return caught.exception


class PrimitiveTests(WireTestCase):
    def test_varints_have_their_shortest_bytes(self) -> None:
        examples = {0: "00", 127: "7f", 128: "80 01", 300: "ac 02", (1 << 64) - 1: "ff" * 9 + "01"}
        for value, coded in examples.items():
            self.assertEqual(tw.Reader(hexed(coded)).varint(), value)
            writer = tw.Writer()
            writer.varint(value)
            self.assertEqual(bytes(writer.data), hexed(coded))

    def test_a_varint_that_could_be_shorter_is_refused(self) -> None:
        for coded in ("80 00", "ff 00", "ff" * 9 + "00"):
            self.assert_error("nonMinimalVarint", tw.Reader(hexed(coded)).varint)

    def test_a_varint_above_its_width_is_refused(self) -> None:
        for coded, bits in (("ff" * 9 + "02", 64), ("80" * 10 + "01", 64), ("80 80 80 80 10", 32)):
            self.assert_error("valueTooLarge", lambda: tw.Reader(hexed(coded)).varint(bits=bits))
        self.assertEqual(tw.Reader(hexed("ff ff ff ff 0f")).varint(bits=32), 0xFFFFFFFF)

    def test_zigzag_alternates_signs(self) -> None:
        examples = {0: 0, -1: 1, 1: 2, -2: 3, (1 << 31) - 1: 0xFFFFFFFE, -(1 << 31): 0xFFFFFFFF}
        for value, coded in examples.items():
            self.assertEqual(tw.zigzag_encode(value), coded)
            self.assertEqual(tw.zigzag_decode(coded), value)

    def test_idsets_are_gaps(self) -> None:
        coded = hexed("04 03 00 01 f8 ff 03")
        self.assertEqual(tw.Reader(coded).idset("ids"), [3, 4, 6, 65535])
        self.assert_error("outOfRange", lambda: tw.Reader(hexed("04 03 00 01 f9 ff 03")).idset("ids"))
        writer = tw.Writer()
        writer.idset([3, 4, 6, 65535])
        self.assertEqual(bytes(writer.data), coded)

    def test_text_is_utf8(self) -> None:
        self.assertEqual(tw.Reader(hexed("03 e2 82 ac")).string("s"), "\u20ac")
        for coded in ("01 ff", "02 c0 80", "03 ed a0 80"):  # stray byte, overlong, surrogate
            self.assert_error("invalidText", lambda: tw.Reader(hexed(coded)).string("s"))

    def test_a_huge_length_is_refused_without_allocating_it(self) -> None:
        coded = hexed("ff" * 9 + "01")
        self.assert_error("truncated", lambda: tw.Reader(coded).bytes_("b"))
        self.assert_error("truncated", lambda: tw.Reader(coded + b"\0").idset("ids"))

    def test_hash_functions_give_their_published_values(self) -> None:
        self.assertEqual(tw.fnv1a64(b""), 0xCBF29CE484222325)
        self.assertEqual(tw.fnv1a64(b"foobar"), 0x85944171F73967E8)
        self.assertEqual(tw.mix(0x9E3779B97F4A7C15), 0xE220A8397B1DCDAF)  # SplitMix64 of seed 0


class FramingTests(WireTestCase):
    def test_messages_come_out_at_any_split(self) -> None:
        stream = whole("06 05") + whole("07") + whole("06 ac 02")
        for chunks in check_vectors.splits(stream):
            names = [message.name for message in check_vectors.decode_all("client", chunks, None) if message]
            self.assertEqual(names, ["Ping", "Leave", "Ping"])

    def test_a_body_of_two_byte_length(self) -> None:
        message = decode("client", hexed("84 01 05 01 02") + bytes(129))
        self.assertEqual(message.fields, {"id": 1, "method": 2, "payload": bytes(129)})

    def test_bad_lengths_are_refused(self) -> None:
        for coded, code in (
            ("00", "invalidLength"),
            ("ff ff ff ff ff", "invalidLength"),
            ("82 00 06 05", "nonMinimalVarint"),
            ("02 06", "truncated"),
            ("82", "truncated"),
        ):
            self.assert_error(code, lambda: decode("client", hexed(coded)))

    def test_a_length_above_the_limit_is_refused_before_its_body(self) -> None:
        reader = tw.MessageReader(limit=4096)
        reader.feed(hexed("80 20"))
        self.assertIsNone(reader.next())
        reader = tw.MessageReader(limit=4096)
        reader.feed(hexed("81 20"))
        with self.assertRaises(tw.MessageTooLarge):
            reader.next()

    def test_unknown_optional_types_are_skipped_and_required_ones_refused(self) -> None:
        stream = whole("80 01 02 03") + whole("ff") + whole("07")
        messages = list(check_vectors.decode_all("client", [stream], None))
        self.assertEqual([message and message.name for message in messages], [None, None, "Leave"])
        error = self.assert_error("unknownType", lambda: decode("client", whole("7f 00")))
        self.assertEqual(error.offset, 1)
        self.assert_error("unknownType", lambda: decode("client", whole("13 00 01 01")))


class SchemaTests(WireTestCase):
    def test_a_schema_reads_and_writes_the_same_bytes(self) -> None:
        self.assertEqual(SCHEMA.encode(), hexed(SCHEMA_HEX))
        self.assertEqual([kind.capacity for kind in SCHEMA.kinds], [300, 16])
        a, v, *_ = SCHEMA.kinds[0].fields
        self.assertEqual((a.low, a.high, a.step), (-100, 100, 0.5))
        self.assertEqual((v.components, v.low, v.high), (2, -1000, 1000))
        self.assertEqual(SCHEMA.kinds[0].first_columns, [0, 1, 3, 4, 8, 9])
        self.assertEqual(SCHEMA.hash, tw.fnv1a64(hexed(SCHEMA_HEX)))

    def test_malformed_schemas(self) -> None:
        one = "01 01 70 01 01"  # one kind "p" of capacity 1 with one field
        vectors = "01 01 70 01 40" + "".join(f"02 61 {0x30 + i:02x} 04 04 00 02 {HALF}" for i in range(64))
        for coded, code in (
            ("00", "outOfRange"),  # no kind
            ("21", "outOfRange"),  # 33 kinds
            ("01 00", "invalidLength"),  # empty name
            ("01 41" + "61" * 65, "invalidLength"),
            ("01 01 70 00", "outOfRange"),  # capacity 0
            ("01 01 70 81 80 04", "outOfRange"),  # capacity 65537
            ("01 01 70 01 00", "outOfRange"),  # no field
            (one + "01 61 0a", "unknownType"),
            (one + "01 61 01 00", "outOfRange"),
            (one + "01 61 01 21", "outOfRange"),
            (one + f"01 61 03 02 01 {HALF}", "inconsistent"),  # low 1, high -1
            (one + "01 61 03 00 02 00 00 00 00 00 00 00 00", "outOfRange"),  # step 0
            (one + "01 61 03 00 02 00 00 00 00 00 00 f0 7f", "outOfRange"),  # infinite
            (one + "01 61 03 00 02 00 00 00 00 00 00 f8 7f", "outOfRange"),  # not a number
            (one + f"01 61 04 05 00 02 {HALF}", "outOfRange"),
            (one + "01 61 05 01", "outOfRange"),
            (one + "01 61 06 10", "outOfRange"),
            (one + "01 61 07 80 02", "outOfRange"),  # maxBytes 256
            (one + "01 61 00 00", "trailingBytes"),
            ("01 01 70 01 02 01 61 00 01 61 00", "inconsistent"),  # two fields "a"
            ("02 01 70 01 01 01 61 00 01 70 01 01 01 61 00", "inconsistent"),  # two kinds "p"
            (vectors, "outOfRange"),  # 256 columns
            (one + "01 ff 00", "invalidText"),
            (one, "truncated"),
        ):
            self.assert_error(code, lambda: tw.Schema.decode(hexed(coded)))


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
        ("InputAck", "14 07", {"sequence": 7}),
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
            ("client", "03 01 ff ff ff ff 0f", "truncated"),  # four billion entries
            ("client", "04 02 00 10", "unknownFlag"),
            ("client", "04 00 03 10", "outOfRange"),  # target
            ("client", "04 00 00 0f", "outOfRange"),  # a code of the protocol
            ("client", "05 01 80 80 04", "outOfRange"),  # method 65536
            ("server", "11 01 00 2a 07 80 80 01 80 80 40 1e 0f" + "ab" * 15, "invalidLength"),
            ("server", "12 08", "unknownFlag"),
            ("server", "12 04 03 02 0a 1e 00 04 05 01 00 00 00 00 00 00 00 02 ff ff 03 00", "outOfRange"),
            ("server", "16 04", "unknownFlag"),
            ("server", "17 05 00", "outOfRange"),  # no event
            ("server", "17 05 01 00 10 00", "inconsistent"),  # a transient one
            ("server", "18 04 02", "unknownFlag"),
            ("server", "1a 01 04", "unknownFlag"),
            ("server", "1a 01 00 01 ff", "invalidText"),
            ("server", "1a 81 00 00 00", "nonMinimalVarint"),
            ("server", "13 08 0a 01", "unknownFlag"),
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


class ValueTests(WireTestCase):
    def field(self, kind: int, index: int) -> tw.Field:
        return SCHEMA.kinds[kind].fields[index]

    def round_trip(self, field: tw.Field, new: tuple[Any, ...], old: tuple[Any, ...], coded: str) -> None:
        writer = tw.Writer(SCHEMA)
        tw.write_value(writer, field, new, old)
        self.assertEqual(bytes(writer.data), hexed(coded))
        reader = tw.Reader(hexed(coded), 0, SCHEMA)
        self.assertEqual(tw.read_value(reader, field, old), new)
        reader.finish("value")

    def test_differences_wrap_at_32_bits(self) -> None:
        unsigned = self.field(1, 1)
        self.round_trip(unsigned, (0xFFFFFFFF,), (0,), "01")
        self.round_trip(unsigned, (0,), (0xFFFFFFFF,), "02")
        self.round_trip(unsigned, (0x80000000,), (0,), "ff ff ff ff 0f")

    def test_angles_go_the_short_way_round(self) -> None:
        angle = self.field(0, 2)
        self.round_trip(angle, (350,), (10,), "27")  # -20
        self.round_trip(angle, (10,), (350,), "28")  # 20
        self.round_trip(angle, (180,), (0,), "e7 02")  # half a turn is -180
        odd = tw.Field("o", tw.FieldType.ANGLE, steps=5)
        self.round_trip(odd, (2,), (0,), "04")
        self.round_trip(odd, (3,), (0,), "03")

    def test_a_quaternion_carries_its_index_with_the_first_component(self) -> None:
        quaternion = self.field(0, 3)
        self.round_trip(quaternion, (2, 5, -1, 0), (0, 3, 0, 0), "12 01 00")  # zigzag(2) << 2 | 2
        self.round_trip(quaternion, (3, -511, 511, 0), (0, 511, -511, 0), "ef 3f fc 0f 00")
        self.assert_error("outOfRange", lambda: tw.read_value(tw.Reader(hexed("80 20 00 00")), quaternion, (0, 0, 0, 0)))

    def test_references_name_what_the_schema_has(self) -> None:
        reference = self.field(1, 0)
        self.round_trip(reference, (0,), (5,), "09")
        self.round_trip(reference, (1 + 15 * 32 + 1,), (0,), "c4 07")
        for coded in ("86 08", "06", "01"):  # kind 1 id 16, kind 2 id 0, -1
            self.assert_error("outOfRange", lambda: tw.read_value(tw.Reader(hexed(coded), 0, SCHEMA), reference, (0,)))

    def test_blobs_are_whole(self) -> None:
        self.round_trip(self.field(0, 4), (b"hi",), (b"old",), "02 68 69")
        self.round_trip(self.field(1, 3), (b"",), (b"old",), "00")
        self.assert_error("invalidLength", lambda: tw.read_value(tw.Reader(hexed("05")), self.field(1, 3), (b"",)))

    def test_values_in_units(self) -> None:
        self.assertEqual(tw.to_units(self.field(0, 0), (-3,)), -1.5)
        self.assertEqual(tw.to_units(self.field(0, 1), (2, 4)), [1.0, 2.0])
        self.assertEqual(tw.to_units(self.field(0, 2), (90,)), 90.0)
        self.assertEqual(tw.to_units(self.field(0, 3), (0, 0, 0, 0)), [1, 0, 0, 0])
        half = math.sqrt(0.5)
        self.assertEqual(tw.quaternion_to_columns(10, [-half, 0, 0, half + 1e-9]), (3, -511, 0, 0))
        for actual, expected in zip(tw.quaternion_to_units(10, (3, -511, 0, 0)), [-half, 0, 0, half]):
            self.assertAlmostEqual(actual, expected)


# Creates 0/2 of player 4 and 0/5 of nobody, generation 1 and 0.
CREATED = "02 02 02 02  01 05  00 00"
KEYFRAME = f"05 0a 00  01 {CREATED}"


class FrameTests(WireTestCase):
    def columns(self, state: tw.State, identifier: int) -> list[tw.Column]:
        return state.kinds[0][identifier].columns

    def test_a_keyframe_creates_zeroed_entities(self) -> None:
        state = apply_all(KEYFRAME)
        self.assertEqual(state.tick, 10)
        self.assertEqual([each[:2] for each in state.entities()], [(0, 2), (0, 5)])
        self.assertEqual(state.kinds[0][2], tw.Entity(1, 4, [0, 0, 0, 0, 0, 0, 0, 0, b"", 0]))
        self.assertIsNone(state.kinds[0][5].owner)

    def test_the_state_hash_is_the_sum_of_its_terms(self) -> None:
        self.assertEqual(apply_all("00 0a 01").hash, 0)
        # Creates 1/3 of generation 7 and player 4; u is 2^32 - 1 and d is "hi".
        state = apply_all("05 0a 00  01 0e  01 03 07 05  02 03 01 0a  01  02 68 69")
        terms = (0x01_FF_0003_07000005, 0x01_01_0003_FFFFFFFF, 0x01_03_0003_00000000 | tw.fnv1a64(b"hi") & 0xFFFFFFFF)
        self.assertEqual(state.hash, sum(map(tw.mix, terms)) & tw.MASK64)

    def test_gap_ids_with_one_mask(self) -> None:
        state = apply_all(KEYFRAME, "04 0b 01  01 04  04 02 02  01 01  06 05")  # ids 2, 5; a = 3, -3
        self.assertEqual((self.columns(state, 2)[0], self.columns(state, 5)[0]), (3, -3))

    def test_bitmap_ids(self) -> None:
        state = apply_all(KEYFRAME, "04 0b 01  01 04  05 00 01 24  01 01  06 05")
        self.assertEqual((self.columns(state, 2)[0], self.columns(state, 5)[0]), (3, -3))
        high = "05 0a 00  01 02 01 8d 02 00 00"  # creates 269
        state = apply_all(high, "04 0b 01  01 04  03 21 01 20  01 01  06")  # (33 + 0) x 8 + 5
        self.assertEqual(self.columns(state, 269)[0], 3)

    def test_values_are_differences_to_the_frame_before(self) -> None:
        one = "01 04  02 02  01 01  "
        state = apply_all(KEYFRAME, f"04 0b 01 {one} 06", f"04 0d 02 {one} 05", f"04 0e 01 {one} 00")
        self.assertEqual(self.columns(state, 2)[0], 0)
        self.assertEqual(state.tick, 14)

    def test_mask_for_each_entity(self) -> None:
        state = apply_all(KEYFRAME, "04 0b 01  01 04  04 02 02  00 01 21  06 05  02")  # size 0; 5 has a and b
        self.assertEqual(self.columns(state, 2), [3, 0, 0, 0, 0, 0, 0, 0, b"", 0])
        self.assertEqual(self.columns(state, 5), [-3, 0, 0, 0, 0, 0, 0, 0, b"", 1])

    def test_mask_dictionary_of_two(self) -> None:
        state = apply_all(KEYFRAME, "04 0b 01  01 04  04 02 02  02 01 20 02  06  02")  # 2: mask 01, 5: mask 20
        self.assertEqual((self.columns(state, 2)[0], self.columns(state, 5)[9]), (3, 1))

    def test_mask_dictionary_of_four_takes_two_bits(self) -> None:
        created = "05 0a 00  01 02 05 00 00 00 00 00" + "00 00" * 5  # ids 0-4
        body = "04 0b 01  01 04  0a 00 00 00 00 00  04 01 20 04 10  e4 01  02  04  01 7a  02 02"
        state = apply_all(created, body)  # indices 0 1 2 3 1
        self.assertEqual(self.columns(state, 0)[0], 1)
        self.assertEqual(self.columns(state, 2)[3], 2)
        self.assertEqual(self.columns(state, 3)[8], b"z")
        self.assertEqual([self.columns(state, each)[9] for each in (1, 4)], [1, 1])

    def test_mask_dictionary_of_five_takes_four_bits(self) -> None:
        created = "05 0a 00  01 02 03 00 00 00" + "00 00" * 3  # ids 0-2
        body = "04 0b 01  01 04  06 00 00 00  05 01 02 04 10 20  04 01  02  04 06  02"  # indices 4 0 1
        state = apply_all(created, body)
        self.assertEqual(self.columns(state, 0)[9], 1)
        self.assertEqual(self.columns(state, 1)[0], 1)
        self.assertEqual(self.columns(state, 2)[1:3], [2, 3])

    def test_columns_come_one_after_the_other_for_all_entities(self) -> None:
        # v and q of 2 and 5: x of both, y of both, then the three coded columns of the quaternions.
        state = apply_all(KEYFRAME, "04 0b 01  01 04  04 02 02  01 0a  02 04 06 08  08 11 01 02 03 04")
        self.assertEqual(self.columns(state, 2)[1:8], [1, 3, 0, 0, 1, -1, -2])
        self.assertEqual(self.columns(state, 5)[1:8], [2, 4, 0, 1, 2, 1, 2])

    def test_angles_wrap_and_blobs_are_replaced(self) -> None:
        state = apply_all(KEYFRAME, "04 0b 01  01 04  02 02  01 14  01  02 68 69", "04 0c 01  01 04  02 02  01 14  04  00")
        self.assertEqual((self.columns(state, 2)[3], self.columns(state, 2)[8]), (1, b""))

    def test_removing_and_creating_in_one_frame(self) -> None:
        state = apply_all(KEYFRAME, "04 0b 01  01 04  02 02  01 01  06", "04 0c 01  01 03  01 02  02 02 03  02 00  00 00")
        self.assertEqual([each[:2] for each in state.entities()], [(0, 2), (0, 5), (0, 6)])
        self.assertEqual(state.kinds[0][2].generation, 2)
        self.assertEqual(self.columns(state, 2)[0], 0)

    def test_a_keyframe_empties_the_state_and_may_jump(self) -> None:
        state = apply_all(KEYFRAME, "05 32 09  01 0a 01 00 07 00")
        self.assertEqual([each[:2] for each in state.entities()], [(1, 0)])
        self.assertEqual(state.tick, 50)

    def test_a_gap_is_detected_and_leaves_the_state(self) -> None:
        state = apply_all(KEYFRAME)
        for body in ("00 0c 01", "00 0b 02", "00 0a 01"):
            with self.assertRaises(tw.FrameGap):
                state.apply(decode("server", whole("13 " + body)))
        self.assertEqual((state.tick, state.count), (10, 2))

    def test_malformed_frames(self) -> None:
        first = "04 02 02"  # changed ids 2 and 5
        for body, code in (
            ("00", "outOfRange"),  # no section
            ("01 10", "outOfRange"),  # kind 2
            ("01 00", "inconsistent"),  # no flag
            ("02 0a 01 00 00 00 02 01 00 00 00", "inconsistent"),  # kind 0 after kind 1
            ("02 02 01 00 00 00 02 01 01 00 00", "inconsistent"),  # kind 0 twice
            ("01 01 00", "outOfRange"),  # removes nothing
            ("01 02 00", "outOfRange"),  # creates nothing
            ("01 01 01 03", "inconsistent"),  # removes 3
            ("01 01 01 ac 02", "outOfRange"),  # removes 300
            ("01 02 01 02 00 00", "inconsistent"),  # creates 2
            ("01 02 01 ac 02 00 00", "outOfRange"),  # creates 300
            ("01 02 01 03 00 81 80 04", "outOfRange"),  # owner 65537
            ("01 04 00", "outOfRange"),  # no id
            ("01 04 02 03 01 01 00", "inconsistent"),  # changes 3
            ("01 04 02 ac 02", "outOfRange"),
            ("01 04 05 00 01 04", "inconsistent"),  # one bit, count 2
            ("01 04 03 00 01 00", "inconsistent"),
            ("01 04 03 ff ff ff ff 7f 01 01", "outOfRange"),
            ("01 04 03 00 7f", "truncated"),
            (f"01 04 {first} 11", "outOfRange"),  # 17 masks
            (f"01 04 {first} 01 00", "outOfRange"),  # empty mask
            (f"01 04 {first} 01 40", "outOfRange"),  # field 6
            (f"01 04 {first} 03 01 02 04 03", "outOfRange"),  # index 3 of 3
            (f"01 04 {first} 02 01 02 04", "inconsistent"),  # padding
            (f"01 04 {first} 01 01 ca 01", "outOfRange"),  # a = 101
            (f"01 04 {first} 01 01 00", "truncated"),
            (f"01 04 {first} 01 01 00 00 00", "trailingBytes"),
            (f"01 04 {first} 01 01 80 00 00", "nonMinimalVarint"),
            (f"01 04 {first} 01 01 ff ff ff ff 1f", "valueTooLarge"),
            (f"01 04 {first} 01 10 01 ff", "invalidText"),
        ):
            with self.subTest(body):
                self.assert_error(code, lambda: apply_all(KEYFRAME, "04 0b 01 " + body))

    def test_an_error_tells_where(self) -> None:
        error = self.assert_error("unknownFlag", lambda: decode("server", whole("13 08 0a 01")))
        self.assertEqual(error.offset, 2)
        error = self.assert_error("outOfRange", lambda: apply_all("04 0b 01 00"))
        self.assertEqual(error.offset, 5)


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
        return "decoded"


def vector_file(*vectors: dict[str, Any]) -> dict[str, Any]:
    return {"protocol": 1, "description": "", "vectors": list(vectors)}


class CheckVectorsTests(unittest.TestCase):
    VALUE = {
        "name": "v", "kind": "value", "schemaHex": hexed(SCHEMA_HEX).hex(),
        "field": 0, "hex": "05", "columns": [-3], "value": -1.5,
    }
    MESSAGE = {"name": "m", "kind": "message", "from": "client", "hex": "020605", "type": "Ping", "fields": {"token": 5}}
    MALFORMED = {"name": "b", "kind": "malformed", "from": "client", "hex": "00", "error": "invalidLength"}
    INPUT = {
        "name": "i", "kind": "message", "from": "client", "schemaHex": hexed(SCHEMA_HEX).hex(), "type": "Input",
        "hex": whole("03 07 01 00 00 11 03 02 68 69").hex(),
        "fields": {"sequence": 7, "count": 1, "entries": [{"kind": 0, "id": 0, "mask": 17, "values": [-2, "hi"]}]},
    }

    def run_on(self, *vectors: dict[str, Any]) -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "vectors.json"
            path.write_text(json.dumps(vector_file(*vectors)), encoding="utf-8")
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                code = check_vectors.main([str(path)])
            return code, output.getvalue()

    def schema_vector(self) -> dict[str, Any]:
        kinds = check_vectors.kinds_to_json(SCHEMA)
        return {"name": "s", "kind": "schema", "hex": hexed(SCHEMA_HEX).hex(), "hash": f"{SCHEMA.hash:016x}", "kinds": kinds}

    def frames_vector(self) -> dict[str, Any]:
        entity = {"kind": 0, "id": 2, "generation": 1, "owner": 4, "values": [0, [0, 0], 0, [0, 0, 0, 0], "", 0]}
        steps = [{
            "hex": whole("13 05 0a 00 01 02 01 02 01 05").hex(), "tick": 10, "events": [], "entities": [entity],
            "hash": f"{tw.mix(0x00_FF_0002_01000005):016x}",
        }, {
            "hex": whole("13 02 0b 01 03 02 03 04 10 01 aa 00 10 00").hex(), "tick": 11, "entities": [entity],
            "hash": f"{tw.mix(0x00_FF_0002_01000005):016x}",
            "events": [
                {"number": 3, "sender": 4, "notForSender": False, "code": 16, "payloadHex": "aa"},
                {"number": None, "sender": None, "notForSender": False, "code": 16, "payloadHex": ""},
            ],
        }]
        return {"name": "f", "kind": "frames", "schemaHex": hexed(SCHEMA_HEX).hex(), "steps": steps}

    def test_good_vectors_of_every_kind_pass(self) -> None:
        vectors = (self.VALUE, self.MESSAGE, self.MALFORMED, self.INPUT, self.schema_vector(), self.frames_vector())
        code, output = self.run_on(*vectors)
        self.assertEqual((code, output.splitlines()[-1]), (0, "6 passed, 0 failed"), output)

    def test_each_wrong_claim_fails(self) -> None:
        frames, schema = self.frames_vector(), self.schema_vector()
        wrong = [
            {**self.VALUE, "value": -1.4},
            {**self.VALUE, "columns": [3]},
            {**self.MESSAGE, "fields": {"token": 6}},
            {**self.MESSAGE, "fields": {}},
            {**self.MESSAGE, "fields": {"token": 5, "more": 1}},
            {**self.MESSAGE, "type": "Leave"},
            {**self.MESSAGE, "hex": "02060507"},
            {**self.MALFORMED, "error": "truncated"},
            {**self.MALFORMED, "hex": "020605"},
            {**schema, "hash": "0" * 16},
            {**schema, "kinds": schema["kinds"][:1]},
            {**frames, "steps": [{**frames["steps"][0], "tick": 9}]},
            {**frames, "steps": [{**frames["steps"][0], "hash": "0" * 16}]},
            {**frames, "steps": [{**frames["steps"][0], "entities": []}]},
            {**frames, "steps": [frames["steps"][0], {**frames["steps"][1], "events": []}]},
            {**frames, "steps": []},
            {"name": "?", "kind": "other"},
        ]
        for vector in wrong:
            with self.subTest(vector):
                code, output = self.run_on(vector)
                self.assertEqual((code, output.splitlines()[-1]), (1, "0 passed, 1 failed"))

    def test_no_vectors_is_a_failure(self) -> None:
        self.assertEqual(self.run_on()[0], 1)


if __name__ == "__main__":
    unittest.main()
