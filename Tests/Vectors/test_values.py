"""Tests of coded values and their units. The bytes are worked out by hand from docs/protocol.md.

    python3 -m unittest discover -s Tests/Vectors
"""

from __future__ import annotations

import math
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import tickwire as tw
from wire_test_case import SCHEMA, WireTestCase, hexed


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


if __name__ == "__main__":
    unittest.main()
