"""The windows in which the machine kept its speed: client/windows.c, called with times and speeds of the test's own."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

FOLDER = Path(__file__).parent
MILLISECOND = 1_000_000
FAST, SLOW = 10_000, 20_000
FRAMES_A_MILLISECOND, SERVER_NS_A_MILLISECOND = 3, 70

# A few lines of C give the struct to Python without a copy of its layout.
SHIM = """
#include <stdlib.h>
#include "client/windows.h"
struct windows *make(void) { return calloc(1, sizeof(struct windows)); }
void start(struct windows *w, uint64_t now, uint64_t frames, uint64_t ns) { start_windows(w, now, (struct totals){frames, 0, ns}); }
bool end(struct windows *w, uint64_t now, uint64_t frames, uint64_t ns) { return end_window(w, now, (struct totals){frames, 0, ns}); }
void late(struct windows *w, uint64_t microseconds) { record(&w->frame_latency, microseconds); }
uint64_t steady_ns(struct windows *w) { return w->steady_ns; }
uint64_t slow_ns(struct windows *w) { return w->slow_ns; }
uint64_t steady_frames(struct windows *w) { return w->steady.frames; }
uint64_t steady_server_ns(struct windows *w) { return w->steady.server_ns; }
uint32_t stretches(struct windows *w) { return w->stretches; }
uint64_t steady_p99(struct windows *w) { return percentile(&w->steady_frame_latency, 0.99); }
"""


@unittest.skipUnless(shutil.which("cc"), "no C compiler")
class Windows(unittest.TestCase):
    library: ctypes.CDLL

    @classmethod
    def setUpClass(cls) -> None:
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "shim.c").write_text(SHIM)
            library = f"{name}/windows.so"
            sources = [f"{name}/shim.c", "client/windows.c", "client/counts.c", "common.c"]
            command = [os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-shared", "-fPIC", "-I.", "-o", library, *sources]
            subprocess.run(command, check=True, cwd=FOLDER)
            cls.library = ctypes.CDLL(library)
        cls.library.make.restype = ctypes.c_void_p
        for name in ("steady_ns", "slow_ns", "steady_frames", "steady_server_ns", "steady_p99", "is_look_due", "is_window_over"):
            getattr(cls.library, name).restype = ctypes.c_bool if name.startswith("is_") else ctypes.c_uint64

    def setUp(self) -> None:
        self.windows = ctypes.c_void_p(self.library.make())
        self.now = 0
        self.chain_ns = FAST
        self.library.start(self.windows, *map(ctypes.c_uint64, (0, 0, 0)))

    def totals(self) -> tuple[ctypes.c_uint64, ...]:
        at = self.now // MILLISECOND
        return tuple(map(ctypes.c_uint64, (self.now, at * FRAMES_A_MILLISECOND, at * SERVER_NS_A_MILLISECOND)))

    def run_for(self, milliseconds: int, slow: range = range(0), latency: int = 500) -> None:
        """As the client does: a look when one is due and at the end of a window. `slow` are milliseconds from the start."""
        for _ in range(milliseconds):
            self.now += MILLISECOND
            now = ctypes.c_uint64(self.now)
            is_slow = self.now // MILLISECOND in slow
            self.library.late(self.windows, ctypes.c_uint64(50_000 if is_slow else latency))
            is_over = self.library.is_window_over(self.windows, now)
            if is_over or self.library.is_look_due(self.windows, now):
                self.library.look(self.windows, now, ctypes.c_uint64(SLOW if is_slow else self.chain_ns))
            if is_over:
                self.library.end(self.windows, *self.totals())

    def got(self, what: str) -> int:
        return int(getattr(self.library, what)(self.windows))

    def test_while_nothing_is_slow_all_windows_count(self) -> None:
        self.run_for(1_000)
        self.assertEqual((self.got("steady_ns"), self.got("slow_ns")), (1_000 * MILLISECOND, 0))
        self.assertEqual(self.got("steady_frames"), 1_000 * FRAMES_A_MILLISECOND)
        self.assertEqual(self.got("steady_server_ns"), 1_000 * SERVER_NS_A_MILLISECOND)

    def test_a_slow_window_and_two_after_it_do_not(self) -> None:
        self.run_for(1_000, slow=range(310, 330))
        self.assertEqual((self.got("steady_ns"), self.got("slow_ns")), (700 * MILLISECOND, 300 * MILLISECOND))
        self.assertEqual(self.got("steady_frames"), 700 * FRAMES_A_MILLISECOND)
        self.assertEqual(self.got("steady_server_ns"), 700 * SERVER_NS_A_MILLISECOND)
        self.assertEqual(self.got("stretches"), 2)
        self.assertLess(self.got("steady_p99"), 600)

    def test_four_fifths_of_the_speed_are_not_slow(self) -> None:
        self.run_for(100)
        self.chain_ns = FAST * 5 // 4
        self.run_for(400)
        self.assertEqual((self.got("slow_ns"), self.got("stretches")), (0, 1))

    def test_latency_counts_where_the_window_does(self) -> None:
        self.run_for(500, latency=3_000)
        self.assertAlmostEqual(self.got("steady_p99"), 3_000, delta=100)

    def test_one_that_is_slow_from_its_last_millisecond_on_does_not_count(self) -> None:
        self.run_for(1_000, slow=range(400, 430))
        self.assertEqual(self.got("slow_ns"), 400 * MILLISECOND)

    def test_what_was_learnt_before_measuring_is_known_then(self) -> None:
        self.run_for(200, slow=range(150, 160))
        self.library.start(self.windows, *self.totals())
        self.run_for(400)
        self.assertEqual((self.got("steady_ns"), self.got("slow_ns")), (200 * MILLISECOND, 200 * MILLISECOND))
        self.assertEqual(self.got("steady_frames"), 200 * FRAMES_A_MILLISECOND)

    def test_slow_all_the_time_is_seen_by_what_was_seen_before(self) -> None:
        self.run_for(100)
        self.library.start(self.windows, *self.totals())
        self.run_for(500, slow=range(10_000))
        self.assertEqual((self.got("steady_ns"), self.got("steady_frames")), (0, 0))


if __name__ == "__main__":
    unittest.main()
