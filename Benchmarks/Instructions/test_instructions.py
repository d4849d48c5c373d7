import unittest

import instructions


class ThresholdTests(unittest.TestCase):
    thresholds = {
        "input": {"measured": 100.0, "limit": 103.0},
        instructions.RATIO: {"measured": 1.4, "limit": 1.5},
    }

    def judge(self, **measured):
        rows, is_good = instructions.judge(measured, self.thresholds)
        return rows[0][3], is_good

    def test_what_is_within_its_limit_passes(self):
        self.assertEqual(self.judge(input=103.0), ("", True))

    def test_more_than_the_limit_fails_and_says_what_it_was(self):
        self.assertEqual(self.judge(input=103.1), ("OVER: it was 100", False))

    def test_far_below_passes_and_asks_for_a_lower_threshold(self):
        remark, is_good = self.judge(input=89.0)
        self.assertIn("lower the threshold", remark)
        self.assertTrue(is_good)

    def test_a_unit_without_a_threshold_fails(self):
        self.assertFalse(self.judge(encode=1.0)[1])

    def test_an_update_keeps_the_promised_ratio(self):
        after = instructions.updated({instructions.RATIO: 1.8, "input": 50.0}, self.thresholds)
        self.assertEqual(after[instructions.RATIO], {"measured": 1.8, "limit": 1.5})
        self.assertEqual(after["input"], {"measured": 50.0, "limit": 51.5})


if __name__ == "__main__":
    unittest.main()
