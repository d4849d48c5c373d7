"""Runs of the clients against one server, sampled five times a second."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable

from .server import Sample, Server

SAMPLE_SECONDS = 0.2


@dataclass
class Contestant:
    """A server that is compared."""

    key: str
    title: str
    dialect: str
    command: list[str]
    # What its log says when it ends, or marks, a client that does not keep up.
    overflow: str


@dataclass
class Run:
    """All that was seen of one."""

    contestant: str
    limitBytes: int | None
    samples: list[Sample] = field(default_factory=list)
    # What the clients reported, and when: a line a second, or a cycle.
    lines: list[dict[str, Any]] = field(default_factory=list)
    exitCode: int = 0
    wasKilled: bool = False
    overflows: int = 0
    problem: str | None = None

    @property
    def living_lines(self) -> list[dict[str, Any]]:
        """Those of the time in which the server lived."""
        return [line for line in self.lines if line["atSeconds"] <= self.samples[-1].seconds + SAMPLE_SECONDS]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def run(
    contestant: Contestant,
    clients: list[str],
    limit_bytes: int | None,
    timeout_seconds: float,
    progress: Callable[[str], None] = lambda _: None,
) -> Run:
    """Starts the server, then the clients with its port and dialect; ends with the clients, or with their time."""
    server = Server(contestant.command, limit_bytes)
    result = Run(contestant.key, limit_bytes if server.cgroup else None)
    crowd: subprocess.Popen[str] | None = None
    try:
        words = [*clients, "--port", str(server.port), "--dialect", contestant.dialect]
        crowd = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        follower = _Follower(crowd)
        deadline = time.monotonic() + timeout_seconds
        while crowd.poll() is None and time.monotonic() < deadline:
            now = time.monotonic()
            sample = server.sample(now - follower.began)
            # Before the clients are in there is nothing to see.
            if sample and sample.seconds >= 0:
                result.samples.append(sample)
            if follower.lines:
                progress(_status(follower.lines[-1], sample))
            time.sleep(max(0, SAMPLE_SECONDS - (time.monotonic() - now)))
        if crowd.poll() is None:
            result.problem = f"the clients were not done after {timeout_seconds:.0f} s"
        elif crowd.returncode != 0:
            result.problem = crowd.stderr.read().strip() if crowd.stderr else "the clients failed"
        result.lines = follower.finish()
        result.wasKilled = server.was_killed_for_memory
        if server.process.poll() is not None and not result.wasKilled:
            result.problem = f"the server ended by itself: {server.log[-500:]}"
    finally:
        if crowd:
            crowd.kill()
            crowd.wait()
            for stream in (crowd.stdout, crowd.stderr):
                if stream:
                    stream.close()
        result.exitCode = server.stop()
    result.overflows = server.log.count(contestant.overflow)
    return result


class _Follower:
    """Reads the clients' lines while they run; time counts from the first, which says that all are in."""

    def __init__(self, crowd: subprocess.Popen[str]) -> None:
        self.began = float("inf")
        self.lines: list[dict[str, Any]] = []
        self._crowd = crowd
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        for line in self._crowd.stdout or []:
            if self.began == float("inf"):
                self.began = time.monotonic()
            else:
                self.lines.append({"atSeconds": round(time.monotonic() - self.began, 3), **json.loads(line)})

    def finish(self) -> list[dict[str, Any]]:
        self._thread.join(timeout=5)
        return self.lines


def _status(line: dict[str, Any], sample: Sample | None) -> str:
    what = f"second {line['second']}" if "second" in line else f"cycle {line['cycle']}"
    return f"{what}: server {sample.residentBytes / 2**20:.0f} MiB" if sample else f"{what}: server gone"
