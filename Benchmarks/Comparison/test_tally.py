"""What the client makes of what came: client/tally.c in a program that has members get a known number of frames."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

# Twenty windows of a tenth of a second with three frames each; in each frame all three members of the room publish. Member 2
# loses `lost` frames of the steady windows. Windows whose bit is set in `slow` do not count, and nobody gets anything in them.
# With `members` 1 there is nobody else.
PROGRAM = """
#include <stdlib.h>
#include "client/tally.h"
enum shape shape = shape_full_job;
uint64_t received_ns = 5000000;
const struct dialect plain = {.name = "plain"}, *dialect = &plain;
static struct connection all[3];
struct connection *connections = all;
uint32_t members = 3, room_size = 3, connection_count = 3;
int main(int argc, char **argv) {
  int lost = atoi(argv[1]), slow = atoi(argv[2]);
  members = connection_count = argc > 3 ? (uint32_t)atoi(argv[3]) : 3;
  struct stamp stamps[3] = {{1000000, 0}, {2000000, 1}, {3000000, 2}};
  uint64_t now = 1, published = 0;
  start_windows(&tally.windows, now, (struct totals){0, 0, 0});
  tally.is_measuring = true;
  for (uint32_t index = 0; index < members; index += 1) all[index].number = index;
  for (int window = 0; window < 20; window += 1, now += WINDOW_NS) {
    bool is_slow = slow >> window & 1;
    look(&tally.windows, now, is_slow ? 20000 : 10000);
    for (int frame = 0; frame < 3 && !is_slow; frame += 1, published += members) {
      for (uint32_t index = 0; index < members; index += 1) {
        if (index == 2 && lost > 0) { lost -= 1; continue; }
        count_frame(&all[index], 4000000);
        count_stamps(&all[index], stamps, members, 1);
      }
    }
    struct totals totals = {tally.frames, published, 7000 * (uint64_t)(window + 1)};
    end_window_of_members(end_window(&tally.windows, now + WINDOW_NS, totals));
  }
  tally.published = published;
  print_result(2, 140000, 0);
}
"""


@unittest.skipUnless(shutil.which("cc"), "no C compiler")
class Tally(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.program = f"{folder.name}/tally"
        source = Path(folder.name) / "main.c"
        source.write_text(PROGRAM)
        sources = [str(source), "client/tally.c", "client/windows.c", "client/counts.c", "common.c"]
        command = [os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-I.", "-o", cls.program, *sources]
        subprocess.run(command, check=True, cwd=FOLDER)

    def told(self, lost: int = 0, slow: int = 0, members: int = 3) -> dict[str, Any]:
        command = [self.program, str(lost), str(slow), str(members)]
        return dict(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))

    def test_nobody_is_told_its_own_publications(self) -> None:
        told = self.told()
        self.assertEqual((told["frames"], told["updates"], told["published"]), (180, 360, 180))
        self.assertEqual((told["minFramesPerSecond"], told["minUpdatesPerSecond"]), (30, 30))
        # One frame in eight is looked at, by all of what others published: 2 to 4 ms ago.
        self.assertIn(told["updateP50Microseconds"], range(2900, 3200))
        self.assertEqual(told["steady"]["updateP50Microseconds"], told["updateP50Microseconds"])
        alone = self.told(members=1)
        self.assertEqual((alone["frames"], alone["updates"]), (60, 0))
        self.assertNotIn("updateP50Microseconds", alone)

    def test_the_least_member_may_miss_one_frame_a_stretch_but_is_not_above_the_mean(self) -> None:
        steady = self.told()["steady"]
        self.assertEqual((steady["seconds"], steady["minFramesPerSecond"], steady["minUpdatesPerSecond"]), (2, 30, 30))
        # Of 60 frames: one is the edge's, and then the mean of 30, 30 and 29.5 is less.
        self.assertAlmostEqual(self.told(lost=1)["steady"]["minFramesPerSecond"], 29.833, places=3)
        self.assertAlmostEqual(self.told(lost=4)["steady"]["minFramesPerSecond"], 28.5, places=3)
        self.assertAlmostEqual(self.told(lost=4)["steady"]["minUpdatesPerSecond"], 28.5, places=3)
        self.assertAlmostEqual(self.told(lost=4)["minFramesPerSecond"], 28, places=3)

    def test_slow_windows_count_for_the_whole_run_alone(self) -> None:
        # The eighth, and the two after it.
        told = self.told(slow=1 << 7)
        self.assertAlmostEqual(told["minFramesPerSecond"], 28.5)
        steady = told["steady"]
        self.assertEqual((steady["seconds"], steady["slowSeconds"]), (1.7, 0.3))
        self.assertEqual((steady["frames"], steady["published"], steady["minFramesPerSecond"]), (153, 153, 30))
        self.assertEqual(steady["serverCPUSeconds"], round(17 * 7000 / 1e9, 6))


if __name__ == "__main__":
    unittest.main()
