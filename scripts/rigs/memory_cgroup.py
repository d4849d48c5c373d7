"""A memory cgroup of one's own, v1 or v2, whose limit includes the kernel's TCP buffers.

v2 charges TCP buffers to memory.max by itself. v1 counts them apart (memory.kmem.tcp), and only where that has a limit:
there LIMIT is divided, --tcp of it for TCP buffers and the rest for everything else, so that both together stay below.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from sizes import mebibytes, size

REMOVAL_SECONDS = 5.0


class CgroupError(Exception):
    """A cgroup cannot be made or set; says what to do."""


class MemoryCgroup(Protocol):
    folder: Path

    def restrict(self, tcp: int) -> None: ...

    def charge_tcp(self, most: int) -> None: ...

    def used(self) -> dict[str, int]: ...

    def report(self) -> dict[str, int | None]: ...


class CgroupV1:
    """memory.limit_in_bytes for the process, memory.kmem.tcp.limit_in_bytes for its TCP buffers."""

    def __init__(self, folder: Path, limit: int):
        self.folder = folder
        self.limit = limit

    def restrict(self, tcp: int) -> None:
        _write(self.folder / "memory.limit_in_bytes", self.limit - tcp)
        swap = self.folder / "memory.memsw.limit_in_bytes"
        if swap.exists():
            _write(swap, self.limit - tcp)
        self.charge_tcp(tcp)

    def charge_tcp(self, most: int) -> None:
        """Of connections accepted from now on."""
        _write(self.folder / "memory.kmem.tcp.limit_in_bytes", most)

    def used(self) -> dict[str, int]:
        memory = _number(self.folder / "memory.usage_in_bytes") or 0
        tcp = _number(self.folder / "memory.kmem.tcp.usage_in_bytes") or 0
        return {"usedBytes": memory + tcp, "tcpBytes": tcp}

    def report(self) -> dict[str, int | None]:
        return {
            "version": 1,
            "limitBytes": self.limit,
            "memoryLimitBytes": _number(self.folder / "memory.limit_in_bytes"),
            "memoryPeakBytes": _number(self.folder / "memory.max_usage_in_bytes"),
            "memoryAtLimit": _number(self.folder / "memory.failcnt"),
            "tcpLimitBytes": _number(self.folder / "memory.kmem.tcp.limit_in_bytes"),
            "tcpPeakBytes": _number(self.folder / "memory.kmem.tcp.max_usage_in_bytes"),
            "tcpAtLimit": _number(self.folder / "memory.kmem.tcp.failcnt"),
            "killed": _named(self.folder / "memory.oom_control", "oom_kill"),
        }


class CgroupV2:
    """memory.max, which includes TCP buffers; no swap."""

    def __init__(self, folder: Path, limit: int):
        self.folder = folder
        self.limit = limit

    def restrict(self, tcp: int) -> None:
        _write(self.folder / "memory.max", self.limit)
        swap = self.folder / "memory.swap.max"
        if swap.exists():
            _write(swap, 0)

    def charge_tcp(self, most: int) -> None:
        """They are charged in any case."""

    def used(self) -> dict[str, int]:
        return {
            "usedBytes": _number(self.folder / "memory.current") or 0,
            "tcpBytes": _named(self.folder / "memory.stat", "sock") or 0,
        }

    def report(self) -> dict[str, int | None]:
        return {
            "version": 2,
            "limitBytes": self.limit,
            "memoryLimitBytes": self.limit,
            "memoryPeakBytes": _number(self.folder / "memory.peak"),
            "memoryAtLimit": _named(self.folder / "memory.events", "max"),
            "tcpLimitBytes": None,
            "tcpPeakBytes": None,
            "tcpAtLimit": None,
            "killed": _named(self.folder / "memory.events", "oom_kill"),
        }


def create(limit: int, tcp: int | None = None, mounts: str | None = None) -> MemoryCgroup:
    """A fresh cgroup. `mounts` stands for /proc/self/mounts in tests."""
    tcp = limit // 2 if tcp is None else tcp
    if tcp >= limit:
        raise CgroupError(f"of {mebibytes(limit)}, {mebibytes(tcp)} for TCP buffers leave nothing. Give a smaller --tcp")
    version, parent = _parent(mounts if mounts is not None else Path("/proc/self/mounts").read_text())
    folder = parent / f"tickserver-{os.getpid()}-{time.monotonic_ns()}"
    try:
        folder.mkdir()
    except OSError as error:
        raise CgroupError(f"{error.strerror} to make {folder}. Run as root, where cgroups can be written") from error
    cgroup = CgroupV1(folder, limit) if version == 1 else CgroupV2(folder, limit)
    try:
        cgroup.restrict(tcp)
    except BaseException:
        folder.rmdir()
        raise
    return cgroup


def of_process(pid: int, limit: int) -> MemoryCgroup:
    """The cgroup that a process is in, which somebody else made and limited."""
    version, root = _parent(Path("/proc/self/mounts").read_text())
    lines = [line.split(":", 2) for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()]
    wanted = next(path for _, names, path in lines if ("memory" in names.split(",") if version == 1 else names == ""))
    folder = root / wanted.lstrip("/")
    return CgroupV1(folder, limit) if version == 1 else CgroupV2(folder, limit)


def enter(cgroup: MemoryCgroup) -> None:
    """Moves the calling process there: for a child, between fork and exec."""
    (cgroup.folder / "cgroup.procs").write_text("0")


def remove(cgroup: MemoryCgroup) -> None:
    """The kernel lets go of a cgroup shortly after its last process has ended."""
    deadline = time.monotonic() + REMOVAL_SECONDS
    while True:
        try:
            cgroup.folder.rmdir()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise CgroupError(f"{error.strerror} to remove {cgroup.folder}: does a process still run in it?") from error
        time.sleep(0.05)


def _parent(mounts: str) -> tuple[int, Path]:
    """Where cgroups with a memory controller are made."""
    entries = [line.split() for line in mounts.splitlines()]
    for _, folder, kind, options, *_ in entries:
        if kind == "cgroup" and "memory" in options.split(","):
            return 1, Path(folder)
    for _, folder, kind, *_ in entries:
        if kind != "cgroup2":
            continue
        controllers = Path(folder) / "cgroup.subtree_control"
        if "memory" not in controllers.read_text().split():
            try:
                controllers.write_text("+memory")
            except OSError:
                continue  # no memory controller here: it may be bound to v1, or not be delegated to us
        return 2, Path(folder)
    raise CgroupError(
        "no cgroup hierarchy with a memory controller can be written here (looked for v1 and v2 in /proc/self/mounts). "
        "Run as root on the host, or in a container with its cgroups mounted writable"
    )


def _write(file: Path, value: int) -> None:
    try:
        file.write_text(str(value))
    except OSError as error:
        where = f"{error.strerror} to write {value} to {file}"
        raise CgroupError(f"{where}. Run as root, where cgroups can be written") from error


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _named(file: Path, name: str) -> int | None:
    try:
        lines = [line.split() for line in file.read_text().splitlines()]
    except OSError:
        return None
    return next((int(line[1]) for line in lines if line[0] == name), None)


def run(limit: int, tcp: int | None, command: list[str], report_file: str | None) -> int:
    """Runs the command, passes TERM and INT on to it, reports, and gives its exit status (128 + n: ended by signal n)."""
    cgroup = create(limit, tcp)
    try:
        child = subprocess.Popen(command, preexec_fn=lambda: enter(cgroup))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _: child.send_signal(received))
        status = child.wait()
        report = cgroup.report() | {"exitStatus": status if status >= 0 else 128 - status}
    finally:
        remove(cgroup)
    print(_sentence(report), file=sys.stderr)
    if report_file is not None:
        Path(report_file).write_text(json.dumps(report) + "\n")
    return int(report["exitStatus"] or 0)


def _sentence(report: dict[str, int | None]) -> str:
    tcp = ""
    if report["tcpLimitBytes"] is not None:
        tcp = (
            f"; TCP buffers: peak {mebibytes(report['tcpPeakBytes'])} of {mebibytes(report['tcpLimitBytes'])}, "
            f"{report['tcpAtLimit']} times at the limit"
        )
    return (
        f"memory cgroup v{report['version']}, {mebibytes(report['limitBytes'])}: "
        f"peak {mebibytes(report['memoryPeakBytes'])} of {mebibytes(report['memoryLimitBytes'])}, "
        f"{report['memoryAtLimit']} times at the limit, {report['killed']} killed{tcp}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/in-memory-cgroup.sh",
        usage="%(prog)s LIMIT [--tcp SIZE] [--report FILE] -- command...",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Needs root. Exit status: that of the command; 137 when it was killed at the limit; 2 without a cgroup.",
    )
    parser.add_argument("limit", type=size, metavar="LIMIT", help="all memory, TCP buffers included: 64MiB")
    parser.add_argument("--tcp", type=size, metavar="SIZE", help="cgroup v1: the part for TCP buffers; half by default")
    parser.add_argument("--report", metavar="FILE", help="write the figures as JSON")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    try:
        return run(options.limit, options.tcp, options.command, options.report)
    except (CgroupError, FileNotFoundError, PermissionError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
