"""Memory over time: of the server's process, and of its cgroup where it has one."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from memory_cgroup import MemoryCgroup
from server import Server


@dataclass(frozen=True)
class Sample:
    seconds: float
    resident_bytes: int
    descriptors: int
    used_bytes: int
    tcp_bytes: int


class Sampler:
    """A thread that looks at the server every `interval` seconds until it is left."""

    def __init__(self, server: Server, cgroup: MemoryCgroup | None = None, interval: float = 0.5):
        self.samples: list[Sample] = []
        self._server = server
        self._cgroup = cgroup
        self._interval = interval
        self._start = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def elapsed_seconds(self) -> float:
        return time.monotonic() - self._start

    def between(self, first: float, last: float) -> list[Sample]:
        return [sample for sample in self.samples if first <= sample.seconds <= last]

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            try:
                used = self._cgroup.used() if self._cgroup is not None else {"usedBytes": 0, "tcpBytes": 0}
                resident, descriptors = self._server.resident_bytes(), self._server.descriptors()
            except OSError:
                return  # it has ended; who waits for it says so
            self.samples.append(Sample(self.elapsed_seconds, resident, descriptors, used["usedBytes"], used["tcpBytes"]))


def spread(samples: list[Sample]) -> float:
    """How far resident memory moved: from the least to the most, by the least."""
    if not samples:
        return float("inf")
    sizes = [sample.resident_bytes for sample in samples]
    return (max(sizes) - min(sizes)) / min(sizes)
