"""Tests of primitives, framing and the schema. The bytes are worked out by hand from docs/protocol.md.

    python3 -m unittest discover -s Tests/Vectors
"""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import check_vectors
import tickwire as tw
from wire_test_case import HALF, SCHEMA, SCHEMA_HEX, WireTestCase, decode, hexed, whole


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


if __name__ == "__main__":
    unittest.main()
