"""A server as a process of its own, and what the kernel knows of it."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import kernel
import memory_cgroup

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
CLOCK_HERTZ = os.sysconf("SC_CLK_TCK")
# Of the limit, where TCP buffers are counted apart: what 100 connections can fill, twice the buffers that they ask for.
TCP_BYTES = 24 * 2**20
LISTENING = re.compile(r"listening address=127\.0\.0\.1:(\d+)")


def make_cgroup(limit_bytes: int) -> memory_cgroup.MemoryCgroup | None:
    """None where this process may not make one."""
    try:
        return memory_cgroup.create(limit_bytes, min(TCP_BYTES, limit_bytes // 2))
    except memory_cgroup.CgroupError:
        return None


@dataclass
class Sample:
    """The server at a moment. Counters run from its start."""

    seconds: float
    residentBytes: int
    tcpBytes: int | None
    # What the kernel holds of the server's connections, and of those that the server has no descriptor of.
    kernelBytes: int
    unownedBytes: int
    descriptors: int
    writes: int
    writtenBytes: int
    cpuSeconds: float


class Server:
    """Started in a memory cgroup where that is possible, else as it is."""

    def __init__(self, command: list[str], limit_bytes: int | None = None) -> None:
        self.cgroup = make_cgroup(limit_bytes) if limit_bytes else None
        # Appending, as reading it moves the position that the server writes at.
        self._log = tempfile.TemporaryFile(mode="a+b")
        self._whole_log: str | None = None
        enter = functools.partial(memory_cgroup.enter, self.cgroup) if self.cgroup else None
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._log, preexec_fn=enter
        )
        try:
            self.port = self._find_port()
        except RuntimeError:
            self.stop()
            raise

    @property
    def log(self) -> str:
        if self._whole_log is not None:
            return self._whole_log
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _find_port(self, timeout_seconds: float = 20) -> int:
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            found = LISTENING.search(self.log)
            if found:
                return int(found[1])
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"the server did not start: {self.log.strip() or 'it said nothing'}")

    def sample(self, seconds: float) -> Sample | None:
        """None once it has ended."""
        folder = Path(f"/proc/{self.process.pid}")
        try:
            resident = int((folder / "statm").read_text().split()[1]) * PAGE_BYTES
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            io = dict(line.split(": ") for line in (folder / "io").read_text().splitlines())
            descriptors = len(os.listdir(folder / "fd"))
        except OSError:
            return None
        # A process that was ended and not waited for has no memory, and would look like one that gave it back.
        if stat[0] == "Z":
            return None
        sockets = kernel.sockets(self.port)
        return Sample(
            seconds=round(seconds, 3),
            residentBytes=resident,
            tcpBytes=self.cgroup.used()["tcpBytes"] if self.cgroup else None,
            kernelBytes=sum(socket.send_memory_bytes + socket.received_bytes for socket in sockets),
            unownedBytes=sum(socket.send_memory_bytes for socket in sockets if not socket.is_owned),
            descriptors=descriptors,
            writes=int(io["syscw"]),
            writtenBytes=int(io["wchar"]),
            cpuSeconds=(int(stat[11]) + int(stat[12])) / CLOCK_HERTZ,
        )

    @property
    def was_killed_for_memory(self) -> bool:
        return self.cgroup is not None and (self.cgroup.report()["killed"] or 0) > 0

    def stop(self) -> int:
        """Ends it, once. Its exit code: 128 and the number of the signal that ended it, as a shell says it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._whole_log is None:
            self._whole_log = self.log
            self._log.close()
            if self.cgroup:
                memory_cgroup.remove(self.cgroup)
        code = self.process.returncode
        return 128 - code if code < 0 else code
