"""One run: a server on one core, the client on another, and what the client counted."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .contestants import Contestant

# Of server and client alike.
NICENESS = -10
REALTIME_PRIORITY = 5
START_SECONDS = 15
STOP_SECONDS = 5
# Less of a run in which the machine kept its speed says nothing.
LEAST_STEADY_SECONDS = 0.5
# Beyond what the client is told to measure: connecting and joining.
CLIENT_SECONDS = 60
LISTENING = re.compile(r"(?<!admin )listening address=127\.0\.0\.1:(\d+)")


class CannotStart(Exception):
    """A server did not start: nothing is measured."""


@dataclass(frozen=True)
class Task:
    """What a server is asked to do."""

    members: int
    frame_bytes: int = 1024
    full_job: bool = False
    update_bytes: int = 24
    room_size: int = 100


@dataclass(frozen=True)
class Setting:
    """How all runs are measured."""

    programs: Path
    # Of the time in which the machine kept its speed, and of all time at most.
    milliseconds: int
    most_milliseconds: int
    warm_milliseconds: int
    server_core: int
    client_core: int
    # Before all else that runs on the machine.
    is_realtime: bool = False


@dataclass
class Result:
    """What one run came to. `problem`: it failed, and nothing else counts."""

    key: str
    task: Task
    has_tick: bool
    problem: str = ""
    peak_bytes: int = 0
    counts: dict[str, Any] = field(default_factory=dict)

    @property
    def steady(self) -> dict[str, Any]:
        """What was counted while the machine kept its speed; all, where it did so always, or not for long enough to tell."""
        steady = self.counts.get("steady", {})
        is_told = self.slow_share > 0 and steady["seconds"] >= LEAST_STEADY_SECONDS
        return steady if is_told else self.counts

    @property
    def slow_share(self) -> float:
        """Of the time measured, that which does not count as steady."""
        steady = self.counts.get("steady", {})
        slow = float(steady.get("slowSeconds", 0))
        return slow / (slow + steady["seconds"]) if slow else 0

    @property
    def cpu_microseconds(self) -> float:
        """Server CPU a delivered frame while the machine kept its speed; seconds a million frames are the same number."""
        return self.steady["serverCPUSeconds"] / max(1, self.steady["frames"]) * 1e6

    @property
    def rate(self) -> float:
        """Of the member that got least, a second: frames, in the full job of a server without ticks publications of each other."""
        if self.problem:
            return 0
        both = (self.steady["minFramesPerSecond"], self.steady.get("minUpdatesPerSecond"))
        return float(both[1] if self.task.full_job and not self.has_tick else both[0])

    @property
    def updates(self) -> float | None:
        """Of each other, that the member who learnt least got a second; None where nobody is told, as by the floor."""
        value = self.steady.get("minUpdatesPerSecond") if self.task.full_job else None
        return None if value is None else float(value)

    @property
    def published(self) -> float | None:
        """Publications a second of each player, in the full job: fewer than 30 when the client's own core was full."""
        if self.problem or not self.task.full_job:
            return None
        return float(self.steady["published"]) / self.steady["seconds"] / self.task.members

    @property
    def p99_milliseconds(self) -> float:
        """From when the frame was due; where nothing has a tick, and in the full job, from when it was published. While steady."""
        first, second = ("update", "frame") if self.task.full_job else ("frame", "update")
        name = first if f"{first}P99Microseconds" in self.steady else second
        return float(self.steady.get(f"{name}P99Microseconds", 0)) / 1000

    @property
    def kibibytes_per_second(self) -> float:
        """That one connection got."""
        return float(self.counts["bytes"]) / self.counts["connections"] / self.counts["seconds"] / 1024

    def as_json(self) -> dict[str, Any]:
        return {"server": self.key, **self.task.__dict__, "problem": self.problem, "peakBytes": self.peak_bytes, **self.counts}


def enter(core: int, is_realtime: bool) -> None:
    """In a process of its own, before its program: on that core, and before what else runs there, where that is allowed."""
    os.sched_setaffinity(0, {core})
    if is_realtime:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(REALTIME_PRIORITY))
        return
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    def __init__(self, contestant: Contestant, folder: Path, frame_bytes: int, setting: Setting) -> None:
        self.log = folder / "log"
        port = 0 if contestant.tells_port else free_port()
        command = contestant.command(folder, port, frame_bytes)
        is_realtime = setting.is_realtime and contestant.may_be_realtime
        with self.log.open("w") as output:
            try:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder,
                    env=os.environ | contestant.environment, preexec_fn=lambda: enter(setting.server_core, is_realtime),
                )  # fmt: skip
            except FileNotFoundError as error:
                raise CannotStart(f"{contestant.title}: there is no {command[0]}") from error
        try:
            self.port = self._port(port)
        except BaseException:
            self.stop()
            raise

    def _port(self, known: int) -> int:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            told = LISTENING.search(self.log.read_text())
            if told is not None:
                return int(told[1])
            if known:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", known)) == 0:
                        return known
            time.sleep(0.05)
        raise CannotStart(f"the server did not start: {self.log.read_text().strip() or 'it said nothing'}")

    def pids(self) -> list[int]:
        """Workers too."""
        found = [self.process.pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
        return found

    def peak_bytes(self) -> int:
        total = 0
        for pid in self.pids():
            match = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
            total += int(match[1]) * 1024 if match is not None else 0
        return total

    def stop(self) -> None:
        workers = self.pids()[1:] if self.process.poll() is None else []
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            for pid in workers:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass


def run_client(contestant: Contestant, server: Server, task: Task, setting: Setting) -> dict[str, Any]:
    options = {
        "dialect": contestant.dialect, "port": server.port, "members": task.members, "room-size": task.room_size,
        "shape": "full-job" if task.full_job else "fan-out", "frame-bytes": task.frame_bytes,
        "update-bytes": task.update_bytes, "warm-milliseconds": setting.warm_milliseconds,
        "milliseconds": setting.milliseconds, "most-milliseconds": setting.most_milliseconds, "watch": ",".join(map(str, server.pids())),
    }  # fmt: skip
    command = [str(setting.programs / "client"), *(str(word) for name in options for word in (f"--{name}", options[name]))]
    longest = CLIENT_SECONDS + (setting.warm_milliseconds + setting.most_milliseconds) / 1000
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=longest,
            preexec_fn=lambda: enter(setting.client_core, setting.is_realtime),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"problem": f"the client did not end within {longest:.0f} s"}
    if done.returncode != 0:
        return {"problem": done.stderr.strip().removeprefix("error: ")}
    return dict(json.loads(done.stdout))


def measure(contestant: Contestant, task: Task, setting: Setting) -> Result:
    with tempfile.TemporaryDirectory(prefix="tickserver-bench-") as name:
        server = Server(contestant, Path(name), task.frame_bytes, setting)
        try:
            counts = run_client(contestant, server, task, setting)
            problem = str(counts.pop("problem", ""))
            if not problem and server.process.poll() is not None:
                problem = f"the server ended with {server.process.returncode}"
            peak = server.peak_bytes() if not problem else 0
            return Result(contestant.key, task, contestant.has_tick, problem, peak, counts)
        finally:
            server.stop()
