import unittest

import flamegraph
import run as profile

SCRIPT = """tickserver
\t    ffffffff81 tcp_sendmsg+0x12 ([kernel.kallsyms])
\t          4017 write (/usr/lib/libc.so.6)
\t          4018 [unknown] (/usr/lib/libuv.so.1)
\t          4019 [unknown] (/usr/lib/libuv.so.1)
\t          5000 $s4main (/tickserver)

tickserver
\t          5000 $s4main (/tickserver)

"""


class FoldTests(unittest.TestCase):
    def test_a_stack_begins_with_its_outermost_caller(self):
        stacks = profile.fold(SCRIPT)
        self.assertEqual(stacks[("$s4main",)], 1)
        self.assertEqual(stacks[("$s4main", "[libuv.so.1]", "write", "tcp_sendmsg_[k]")], 1)
        self.assertEqual(sum(stacks.values()), 2)


class FlameGraphTests(unittest.TestCase):
    def test_widths_are_shares_and_names_are_escaped(self):
        page = flamegraph.render({("run", "a<b"): 3, ("run",): 1}, "t", [])
        self.assertIn("a&lt;b (75.00%, 3 samples)", page)
        self.assertIn("run (100.00%, 4 samples)", page)
        self.assertNotIn("a<b", page)

    def test_without_samples_it_says_so(self):
        with self.assertRaises(ValueError):
            flamegraph.render({}, "t", [])


if __name__ == "__main__":
    unittest.main()
