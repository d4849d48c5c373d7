"""The cgroup rig on a made-up tree: v2 is not on every machine, and v1 may not be writable."""

from __future__ import annotations

import argparse
import tempfile
import unittest
from pathlib import Path

import memory_cgroup
from memory_cgroup import CgroupError
from sizes import size

MIB = 1 << 20


class MemoryCgroupTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def v2(self, controllers: str = "memory") -> str:
        (self.root / "cgroup.subtree_control").write_text(controllers)
        return f"cgroup2 {self.root} cgroup2 rw,relatime 0 0\n"

    def v1(self) -> str:
        return f"cgroup {self.root} cgroup rw,relatime,memory 0 0\n"

    def test_v2_limits_all_memory_by_one_number(self) -> None:
        cgroup = memory_cgroup.create(64 * MIB, mounts=self.v2())
        self.assertEqual((cgroup.folder / "memory.max").read_text(), str(64 * MIB))

    def test_v2_takes_swap_away_where_there_is_any(self) -> None:
        cgroup = memory_cgroup.create(64 * MIB, mounts=self.v2())
        (cgroup.folder / "memory.swap.max").write_text("max")
        cgroup.restrict(0)
        self.assertEqual((cgroup.folder / "memory.swap.max").read_text(), "0")

    def test_v2_reports_kills_and_the_peak(self) -> None:
        cgroup = memory_cgroup.create(64 * MIB, mounts=self.v2())
        (cgroup.folder / "memory.peak").write_text("7\n")
        (cgroup.folder / "memory.events").write_text("low 0\nhigh 0\nmax 5\noom 1\noom_kill 3\n")
        report = cgroup.report()
        self.assertEqual((report["memoryPeakBytes"], report["memoryAtLimit"], report["killed"]), (7, 5, 3))

    def test_v1_divides_the_limit_so_that_tcp_buffers_are_within_it(self) -> None:
        cgroup = memory_cgroup.create(64 * MIB, tcp=20 * MIB, mounts=self.v1())
        memory = int((cgroup.folder / "memory.limit_in_bytes").read_text())
        tcp = int((cgroup.folder / "memory.kmem.tcp.limit_in_bytes").read_text())
        self.assertEqual((memory, tcp), (44 * MIB, 20 * MIB))

    def test_v1_is_taken_where_both_are_mounted_and_the_controller_is_with_v1(self) -> None:
        unified = self.root / "unified"
        unified.mkdir()
        (unified / "cgroup.subtree_control").write_text("")
        mounts = f"cgroup2 {unified} cgroup2 rw 0 0\n" + self.v1()
        self.assertTrue((memory_cgroup.create(64 * MIB, mounts=mounts).folder / "memory.limit_in_bytes").exists())

    def test_without_a_controller_the_error_says_what_was_looked_for(self) -> None:
        with self.assertRaisesRegex(CgroupError, "no cgroup hierarchy with a memory controller"):
            memory_cgroup.create(64 * MIB, mounts="tmpfs /tmp tmpfs rw 0 0\n")

    def test_all_of_the_limit_for_tcp_is_refused(self) -> None:
        with self.assertRaisesRegex(CgroupError, "smaller --tcp"):
            memory_cgroup.create(64 * MIB, tcp=64 * MIB, mounts=self.v1())

    def test_sizes_need_a_unit(self) -> None:
        for text in ("0MiB", "64", "64MB", "-1MiB", "7e8"):
            with self.assertRaisesRegex(argparse.ArgumentTypeError, "64MiB"):
                size(text)


if __name__ == "__main__":
    unittest.main()
