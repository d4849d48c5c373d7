"""Tests of frames and the state they build. The bytes are worked out by hand from docs/protocol.md.

    python3 -m unittest discover -s Tests/Vectors
"""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import tickwire as tw
from wire_test_case import KEYFRAME, WireTestCase, apply_all, decode, whole


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
        self.assertEqual(apply_all("00 0a 0a").hash, 0)
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

    def test_the_tick_before_the_first_frame_is_0(self) -> None:
        self.assertEqual(apply_all("00 0a 0a").tick, 10)
        with self.assertRaises(tw.FrameGap):
            apply_all("00 0a 09")

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
        error = self.assert_error("outOfRange", lambda: apply_all("04 0b 0b 00"))
        self.assertEqual(error.offset, 5)


if __name__ == "__main__":
    unittest.main()
