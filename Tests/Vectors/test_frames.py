"""Tests of frames and the state they build. The bytes are worked out by hand from docs/protocol.md.

    python3 -m unittest discover -s Tests/Vectors
"""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import tickwire as tw
from wire_test_case import KEYFRAME, WireTestCase, apply_all, bits, column, decode, whole

ALL, NOBODY = "10", "00"
ZEROS = "11111"  # parameter 31


def values(**fields: str) -> str:
    """The values of kind 0: presence and columns of the fields given by name, nobody has the others."""
    return bits("".join(fields.get(name, NOBODY) for name in "avhqnb"))


def a(*coded: int) -> str:
    return values(a=ALL + column(*coded, order="0"))



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
        # Creates 1/3 of generation 7 and player 4; u is 2^32 - 1 (zigzag 1) and d is "hi"; r and s are nobody's.
        columns = bits(NOBODY + ALL + column(1) + NOBODY + ALL)
        state = apply_all(f"05 0a 00  01 0e  01 03 07 05  02 {columns}  02 68 69")
        terms = (0x01_FF_0003_07000005, 0x01_01_0003_FFFFFFFF, 0x01_03_0003_00000000 | tw.fnv1a64(b"hi") & 0xFFFFFFFF)
        self.assertEqual(state.hash, sum(map(tw.mix, terms)) & tw.MASK64)

    def test_gap_ids(self) -> None:
        state = apply_all(KEYFRAME, "04 0b 01  01 04  08 02 02" + a(6, 5))  # ids 2, 5; a = 3, -3
        self.assertEqual((self.columns(state, 2)[0], self.columns(state, 5)[0]), (3, -3))

    def test_bitmap_ids(self) -> None:
        state = apply_all(KEYFRAME, "04 0b 01  01 04  09 00 01 24" + a(6, 5))
        self.assertEqual((self.columns(state, 2)[0], self.columns(state, 5)[0]), (3, -3))
        high = "05 0a 00  01 02 01 8d 02 00 00"  # creates 269
        state = apply_all(high, "04 0b 01  01 04  05 21 01 20" + a(6))  # (33 + 0) x 8 + 5
        self.assertEqual(self.columns(state, 269)[0], 3)

    def test_all_but_some(self) -> None:
        state = apply_all(KEYFRAME, "04 0b 01  01 04  02" + a(6, 5))
        self.assertEqual((self.columns(state, 2)[0], self.columns(state, 5)[0]), (3, -3))
        state = apply_all(KEYFRAME, "04 0b 01  01 04  06 02" + a(6))  # not 2
        self.assertEqual((self.columns(state, 2)[0], self.columns(state, 5)[0]), (0, 3))

    def test_values_are_differences_to_the_frame_before(self) -> None:
        one = "01 04  04 02"
        state = apply_all(KEYFRAME, f"04 0b 01 {one}" + a(6), f"04 0d 02 {one}" + a(5), f"04 0e 01 {one}" + a(0))
        self.assertEqual(self.columns(state, 2)[0], 0)
        self.assertEqual(state.tick, 14)

    def test_values_of_parameter_0(self) -> None:
        created = "05 0a 00  01 02 06 00 00 00 00 00 00" + "00 00" * 6  # ids 0-5
        coded = "0 00000" + "1  01  001  0001 0  0001 1  00001 00"
        state = apply_all(created, "04 0b 01  01 04  02" + values(a=ALL + coded))
        self.assertEqual([self.columns(state, each)[0] for each in range(6)], [0, -1, 1, -2, 2, -3])
        state = apply_all(created, "04 0b 01  01 04  04 00" + values(a=ALL + "0 01000" + "01 11"))
        self.assertEqual(self.columns(state, 0)[0], -4)  # k = 2, v = 7

    def test_the_forms_of_presence(self) -> None:
        created = "05 0a 00  01 02 05 00 00 00 00 00" + "00 00" * 5  # ids 0-4
        some = values(
            a="01 01100" + column(2, 4, order="0"),  # a map: 1 and 2
            b="11 010 100 001" + column(2, 2),  # two of five, in places 1 and 4: three bits each
            h=ALL + column(0, 2, 4, 6, 8, order="0"),
        )
        state = apply_all(created, "04 0b 01  01 04  02" + some)
        self.assertEqual([self.columns(state, each)[0] for each in range(5)], [0, 1, 2, 0, 0])
        self.assertEqual([self.columns(state, each)[3] for each in range(5)], [0, 1, 2, 3, 4])
        self.assertEqual([self.columns(state, each)[9] for each in range(5)], [0, 1, 0, 0, 1])

    def test_columns_come_one_after_the_other_for_all_entities(self) -> None:
        # v and q of 2 and 5: x of both, y of both, then the four columns of the quaternions.
        v = ALL + column(2, 4, order="0") + column(6, 8, order="0")
        q = ALL + column(0, 2) + column(4, 8, order="0") + column(1, 2, order="0") + column(3, 4, order="0")
        state = apply_all(KEYFRAME, "04 0b 01  01 04  02" + values(v=v, q=q))
        self.assertEqual(self.columns(state, 2)[1:8], [1, 3, 0, 0, 2, -1, -2])
        self.assertEqual(self.columns(state, 5)[1:8], [2, 4, 0, 1, 4, 1, 2])

    def test_angles_wrap_and_blobs_are_replaced(self) -> None:
        def turn(coded: int) -> str:
            return values(h=ALL + column(coded, order="0"), n=ALL)

        state = apply_all(
            KEYFRAME, f"04 0b 01  01 04  04 02 {turn(1)}  02 68 69", f"04 0c 01  01 04  04 02 {turn(4)}  00")
        self.assertEqual((self.columns(state, 2)[3], self.columns(state, 2)[8]), (1, b""))

    def test_steps_foretell_the_next_value(self) -> None:
        one, on = "01 04  04 02", values(a=ALL + "1" + ZEROS, h=ALL + "1" + ZEROS)
        state = apply_all(
            KEYFRAME,
            f"04 0b 01 {one}" + values(a=ALL + column(6, order="0"), h=ALL + column(199, order="0")),  # 3 and -100
            f"04 0c 01 {one}" + on,
            f"04 0d 01 {one}" + on,
            f"04 0e 01 {one}" + values(b=ALL + column(2)),  # a frame without them leaves the steps alone
            f"04 0f 01 {one}" + on,
        )
        self.assertEqual((self.columns(state, 2)[0], self.columns(state, 2)[3]), (12, 320))
        surprised = apply_all(KEYFRAME, f"04 0b 01 {one}" + a(6), f"04 0c 01 {one}" + values(a=ALL + column(3, order="1")))
        self.assertEqual(self.columns(surprised, 2)[0], 4)  # 3 + 3 - 2

    def test_the_first_values_of_an_entity_are_no_steps(self) -> None:
        on = "04 0c 01  01 04  04 03" + values(a=ALL + "1" + ZEROS)
        state = apply_all(KEYFRAME, "04 0b 01  01 06  01 03 00 00  04 03" + a(6), on)
        self.assertEqual(self.columns(state, 3)[0], 3)

    def test_a_keyframe_brings_the_steps(self) -> None:
        # a is 3; then presences of the steps of a, v, h and q: a of all with step 2, h with step -100.
        steps = bits(ALL + column(4) + NOBODY + ALL + column(199) + NOBODY)
        on = "04 0b 01  01 04  04 02" + values(a=ALL + "1" + ZEROS, h=ALL + "1" + ZEROS)
        state = apply_all(f"05 0a 00  01 06 01 02 00 00  02 {a(6)} {steps}", on)
        self.assertEqual((self.columns(state, 2)[0], self.columns(state, 2)[3]), (5, 260))

    def test_removing_and_creating_in_one_frame(self) -> None:
        state = apply_all(KEYFRAME, "04 0b 01  01 04  04 02" + a(6), "04 0c 01  01 03  01 02  02 02 03  02 00  00 00")
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
        first = "08 02 02"  # changed ids 2 and 5
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
            ("01 04 07 00", "outOfRange"),  # form 3
            ("01 04 04 03" + a(0), "inconsistent"),  # changes 3
            ("01 04 04 ac 02", "outOfRange"),
            ("01 04 09 00 01 04", "inconsistent"),  # one bit, count 2
            ("01 04 05 00 01 00", "inconsistent"),
            ("01 04 05 ff ff ff ff 7f 01 01", "outOfRange"),
            ("01 04 05 00 7f", "truncated"),
            ("01 04 0a 02 02" + a(), "inconsistent"),  # all but both
            ("01 04 06 03" + a(0, 0), "inconsistent"),  # all but 3
            (f"01 04 {first}" + values(a="11 00"), "outOfRange"),  # few that are none
            (f"01 04 {first}" + values(a="11 11"), "outOfRange"),  # three of two
            (f"01 04 {first}" + values(a="11 10 01"), "outOfRange"),  # place 2
            (f"01 04 {first}" + values(a="11 01 10 00"), "inconsistent"),  # places 1, 0
            (f"01 04 {first}" + a(202, 0), "outOfRange"),  # a = 101
            (f"01 04 {first}", "truncated"),
            (f"01 04 {first}" + bits(ALL + column(0, order="0")), "truncated"),
            (f"01 04 {first}" + bits(NOBODY * 6 + "0001"), "inconsistent"),  # padding
            (f"01 04 {first}" + a(0, 0) + "00", "trailingBytes"),
            (f"01 04 {first}" + values(a=ALL + "0 00000" + "0" * 34 + "1"), "valueTooLarge"),
            (f"01 04 {first}" + values(a=ALL + "0 10000" + "0" * 33 + "1" + "0" * 32), "valueTooLarge"),
            (f"01 04 {first}" + values(n=ALL) + "01 ff 00", "invalidText"),
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
