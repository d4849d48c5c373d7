"""A CPU cgroup of one's own with a quota, v1 or v2: so many cores for all of its processes together."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType

from memory_cgroup import CgroupError

PERIOD_MICROSECONDS = 100_000
REMOVAL_SECONDS = 5.0


class CpuQuota:
    def __init__(self, cores: float):
        quota = int(cores * PERIOD_MICROSECONDS)
        version1, version2 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
        name = f"tickserver-{os.getpid()}-{time.monotonic_ns()}"
        if (version1 / "cpu.shares").exists():
            self.folder = version1 / name
            files = {"cpu.cfs_period_us": PERIOD_MICROSECONDS, "cpu.cfs_quota_us": quota}
        else:
            self.folder = version2 / name
            files = {"cpu.max": f"{quota} {PERIOD_MICROSECONDS}"}
        try:
            self.folder.mkdir()
            for file, value in files.items():
                (self.folder / file).write_text(str(value))
        except OSError as error:
            raise CgroupError(f"{error.strerror} to make {self.folder}. Run as root, where cgroups can be written") from error

    def enter(self) -> None:
        """Moves the calling process there: for a child, between fork and exec."""
        (self.folder / "cgroup.procs").write_text("0")

    def __enter__(self) -> CpuQuota:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        deadline = time.monotonic() + REMOVAL_SECONDS
        while True:
            try:
                return self.folder.rmdir()
            except OSError:
                if time.monotonic() > deadline:
                    return
            time.sleep(0.05)
