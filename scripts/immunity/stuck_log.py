"""A log that nobody reads, on a full disk, or whose reader is gone: rooms go on, SIGTERM ends in time, lost lines are told.

A server writes its log into a pipe that is never read, at info, debug and trace. Meanwhile hundreds connect and vanish,
and hundreds of members that read nothing are evicted within a moment. Players in another room count their frames.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "scripts" / "rigs"), str(ROOT / "Tests" / "Vectors")]

import tickwire as tw  # noqa: E402
from checks import Checks  # noqa: E402
from server import RigError  # noqa: E402
from tickclient.conversation import Conversation, Phase  # noqa: E402

MIN_FPS = 29.5
PLAYERS = 4
DRAIN_SECONDS = 3.0
# To get out after the drain: what is queued for the log is given up after a second.
EXIT_SECONDS = DRAIN_SECONDS + 3.0
DROPPED = "tickserver_log_records_dropped_total"
EVICTED = ("tickserver_evictions_total", 'reason="slowConsumer"')
SETTINGS = [
    "admin.port=any", f"drain={int(DRAIN_SECONDS)}s", "maxConnections=2000", "loops=1", "rooms.arena.capacity=310",
    "sendBuffer=4KiB", "rooms.arena.limits.stallDeadline=1s", "laggardBudget=64MiB", "memoryLimit=unlimited",
    "rooms.arena.limits.admissionsPerTick=400",
]  # fmt: skip


class PipedServer:
    """Its standard error is a pipe of 4 KiB that is read until the server listens, and then only when asked."""

    def __init__(self, binary: Path, level: str, nonblocking: bool = False):
        if not binary.exists():
            raise RigError(f"{binary} does not exist: run `make release`")
        self.read_end, write_end = os.pipe()
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
        if nonblocking:
            os.set_blocking(write_end, False)
        self.process = subprocess.Popen(server_command(binary, level), stderr=write_end, stdout=subprocess.DEVNULL)
        os.close(write_end)
        self.text = ""
        os.set_blocking(self.read_end, False)
        self.read_until(lambda text: "listening address" in text and "admin listening" in text, 15)
        self.port = int(re.search(r"(?<!admin )listening address=127\.0\.0\.1:(\d+)", self.text)[1])
        self.admin = re.search(r"admin listening address=(\S+)", self.text)[1]

    def read_until(self, reached: Callable[[str], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                self.text += os.read(self.read_end, 65536).decode(errors="replace")
            except BlockingIOError:
                time.sleep(0.02)
            if reached(self.text):
                return True
        return False

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.read_end >= 0:
            os.close(self.read_end)


def server_command(binary: Path, level: str) -> list[str]:
    command = [str(binary), "--host", "127.0.0.1", "--port", "any", "--log-level", level]
    for setting in SETTINGS:
        command += ["--set", setting]
    return command


def metric(admin: str, name: str, label: str = "") -> float | None:
    """The sum of a metric's samples, of those with this label alone."""
    with urllib.request.urlopen(f"http://{admin}/metrics", timeout=5) as answer:
        page = answer.read().decode()
    found = re.findall(rf"^{name}(?:\{{[^}}]*{label}[^}}]*\}})? (\S+)$", page, re.MULTILINE)
    return sum(float(value) for value in found) if found else None


# MARK: Clients


class Player:
    """Joins, walks every tick, and counts its frames."""

    def __init__(self, port: int, room: str, walks: bool = True, window: int | None = None):
        self.conversation = Conversation(room, "arena")
        self.walks = walks
        self.socket = socket.socket()
        if window is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.conversation.connect()
        self.arrivals: list[float] = []
        self.flush()

    def flush(self) -> None:
        out = self.conversation.outgoing
        try:
            while out:
                del out[: self.socket.send(out)]
        except BlockingIOError:
            pass

    def step(self) -> None:
        try:
            while data := self.socket.recv(65536):
                before = self.conversation.counts.frames
                self.conversation.receive(data, time.monotonic_ns() // 1000)
                self.arrivals += [time.monotonic()] * (self.conversation.counts.frames - before)
        except BlockingIOError:
            pass
        self.flush()

    @property
    def is_in(self) -> bool:
        return self.conversation.phase == Phase.ROOM and not self.conversation.needs_keyframe

    def fps(self, since: float, until: float) -> float:
        return sum(1 for at in self.arrivals if since <= at < until) / (until - since)

    def longest_gap(self, since: float, until: float) -> float:
        moments = [since, *(at for at in self.arrivals if since <= at < until), until]
        return max(later - earlier for earlier, later in zip(moments, moments[1:]))


def play(port: int) -> int:
    """In a process of its own: plays until its input ends or a goodbye comes; each line of input begins a measure."""
    players = [Player(port, "players") for _ in range(PLAYERS)]
    since = time.monotonic()
    next_walk = since
    os.set_blocking(0, False)
    told_in = False
    while True:
        for player in players:
            try:
                player.step()
            except OSError:
                print(json.dumps({"goodbyes": None}), flush=True)
                return 1
        if not told_in and all(player.is_in for player in players):
            told_in = True
            print(json.dumps({"in": True}), flush=True)
        now = time.monotonic()
        if now >= next_walk:
            next_walk = max(next_walk + 1 / 60, now)
            for player in players:
                player.conversation.walk()
                player.flush()
        if all(player.conversation.phase == Phase.ENDED for player in players):
            codes = [player.conversation.goodbye["reason"] for player in players]
            print(json.dumps({"goodbyes": codes}), flush=True)
            return 0
        try:
            asked = os.read(0, 64)
        except BlockingIOError:
            asked = None
        if asked == b"":
            return 0
        if asked:
            measure = [(player.fps(since, now), player.longest_gap(since, now)) for player in players]
            worst = {"fps": min(fps for fps, _ in measure), "gap": max(gap for _, gap in measure)}
            print(json.dumps(worst), flush=True)
            since = now
        time.sleep(0.002)


class Players:
    def __init__(self, port: int):
        command = [sys.executable, __file__, "--play", str(port)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        if "in" not in self.answer():
            raise RigError("the players could not join")
        self.measure()

    def measure(self) -> dict:
        """Frames a second of the worst player, and its longest time without one, since the last measure."""
        self.process.stdin.write("m\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> dict:
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"goodbyes": None}

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def connect_and_vanish(port: int, count: int) -> None:
    """Half of them say something that is not this protocol."""
    for number in range(count):
        with socket.socket() as client:
            client.settimeout(5)
            try:
                client.connect(("127.0.0.1", port))
                if number % 2:
                    client.sendall(b"\x05GET / HTTP/1.1\r\n\r\n")
            except OSError:
                pass
        time.sleep(0.001)


class Crowd:
    """Members that read nothing any more, and one that raises events until they are evicted."""

    def __init__(self, port: int, count: int):
        self.members = [Player(port, "crowd", window=2048) for _ in range(count)]
        deadline = time.monotonic() + 20
        while not all(member.is_in for member in self.members):
            if time.monotonic() > deadline:
                raise RigError("the crowd could not join")
            for member in self.members:
                member.step()
            time.sleep(0.01)
        self.speaker = Player(port, "crowd")
        while not self.speaker.is_in:
            self.speaker.step()
            time.sleep(0.01)

    def stall(self, admin: str, seconds: float) -> int:
        """How many were evicted."""
        before = metric(admin, *EVICTED) or 0
        evicted = 0
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and evicted < len(self.members):
            for _ in range(12):
                event = {"flags": 1, "target": 0, "code": 16, "payload": b"x" * 1000}
                self.speaker.conversation.outgoing += tw.encode_message("client", "Event", event, None)
                try:
                    self.speaker.step()
                except OSError:
                    pass
                time.sleep(0.02)
            evicted = int((metric(admin, *EVICTED) or 0) - before)
        return evicted

    def close(self) -> None:
        for member in [*self.members, self.speaker]:
            member.socket.close()


# MARK: What is tried


def stuck(binary: Path, level: str, connects: int, crowd_size: int, checks: Checks) -> None:
    """Everything happens while nobody reads the log."""
    with ExitStack() as stack:
        server = PipedServer(binary, level)
        stack.callback(server.close)
        players = Players(server.port)
        stack.callback(players.close)
        crowd = Crowd(server.port, crowd_size)
        stack.callback(crowd.close)
        players.measure()
        time.sleep(2)
        control = players.measure()
        connecting = threading.Thread(target=connect_and_vanish, args=(server.port, connects))
        connecting.start()
        evicted = crowd.stall(server.admin, 15)
        connecting.join()
        measured = players.measure()
        demanded = min(MIN_FPS, control["fps"] - 0.3)
        value = f"{measured.get('fps', 0):.2f} frames/s, {1000 * measured.get('gap', 99):.0f} ms without one"
        checks.demand(f"{level}: worst player", measured.get("fps", 0) >= demanded, value, f"at least {demanded:.2f}")
        checks.demand(f"{level}: evicted", evicted >= crowd_size, evicted, f"{crowd_size}, as slowConsumer")
        started = time.monotonic()
        try:
            alive = urllib.request.urlopen(f"http://{server.admin}/livez", timeout=5).status == 200
        except OSError:
            alive = False
        checks.demand(f"{level}: /livez", alive, f"{alive} in {time.monotonic() - started:.2f} s", "200")
        if level != "info":
            fill_queue(server, level, checks)
            recover(server, level, checks)
            connect_and_vanish(server.port, 100)  # stuck again
        terminate(server.process, players, f"{level}, stuck", checks)


def fill_queue(server: PipedServer, level: str, checks: Checks) -> None:
    """Until lines are dropped: the queue is bounded."""
    dropped: float | None = None
    deadline = time.monotonic() + 30
    while not dropped and time.monotonic() < deadline:
        connect_and_vanish(server.port, 300)
        try:
            dropped = metric(server.admin, DROPPED)
        except OSError:
            break
    checks.demand(f"{level}: {DROPPED}", bool(dropped), dropped, "more than 0")


def recover(server: PipedServer, level: str, checks: Checks) -> None:
    """Whoever reads again is told how many lines are missing."""
    told = server.read_until(lambda text: "dropped" in text, 5)
    line = next((line for line in server.text.splitlines() if "dropped" in line), "nothing")
    checks.demand(f"{level}: dropped lines are told", told, line[:120], "a record with the count")
    lines = server.text.splitlines()
    torn = [line for line in lines[:-1] if not re.match(r"\d{4}-\d\d-\d\dT", line)]
    checks.demand(f"{level}: lines are whole", not torn, torn[:2] or "all", "all")


def terminate(process: subprocess.Popen, players: Players, name: str, checks: Checks) -> None:
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    goodbyes: list = []
    reader = threading.Thread(target=lambda: goodbyes.append(players.answer()), daemon=True)
    reader.start()
    reader.join(EXIT_SECONDS)
    said = goodbyes[0].get("goodbyes") if goodbyes else None
    seconds = time.monotonic() - started
    ok = said is not None and seconds <= DRAIN_SECONDS
    checks.demand(f"{name}: goodbyes", ok, f"{said} after {seconds:.1f} s", f"all, within {DRAIN_SECONDS:.0f} s")
    try:
        status: int | str = process.wait(max(0.1, EXIT_SECONDS - seconds))
    except subprocess.TimeoutExpired:
        status = "still runs"
    value = f"{status} after {time.monotonic() - started:.1f} s"
    checks.demand(f"{name}: exit status", status == 0, value, f"0 within {EXIT_SECONDS:.0f} s")


def reader_gone(binary: Path, checks: Checks) -> None:
    with ExitStack() as stack:
        server = PipedServer(binary, "debug")
        stack.callback(server.close)
        players = Players(server.port)
        stack.callback(players.close)
        os.close(server.read_end)
        server.read_end = -1
        connect_and_vanish(server.port, 50)
        checks.demand("reader gone: runs", server.process.poll() is None, server.process.poll(), "runs")
        terminate(server.process, players, "reader gone", checks)


def nonblocking(binary: Path, checks: Checks) -> None:
    """A pipe that says EAGAIN loses nothing while the queue has room, and nobody spins."""
    with ExitStack() as stack:
        server = PipedServer(binary, "debug", nonblocking=True)
        stack.callback(server.close)
        players = Players(server.port)
        stack.callback(players.close)
        connect_and_vanish(server.port, 100)
        before, started = cpu_seconds(server.process.pid), time.monotonic()
        time.sleep(2)
        busy = (cpu_seconds(server.process.pid) - before) / (time.monotonic() - started)
        checks.demand("EAGAIN: CPU while it waits", busy < 0.5, f"{busy:.2f} of a core", "less than 0.5")
        server.read_until(lambda text: text.count("connection ended") >= 100, 5)
        count = server.text.count("connection ended") + digested(server.text)
        checks.demand("EAGAIN: records", count >= 100, count, "all 100, one by one or in sums")
        terminate(server.process, players, "EAGAIN", checks)


def digested(text: str) -> int:
    return sum(int(count) for count in re.findall(r"connections ended .*?count=(\d+)", text))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def full_disk(binary: Path, checks: Checks) -> None:
    """The log is a file on a file system that is full for a while."""
    if os.geteuid() != 0:
        checks.note("full disk", "left out: mounting a tmpfs takes root")
        return
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="tickserver-disk-"))
        stack.callback(shutil.rmtree, folder, True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True)
        if mounted.returncode != 0:
            checks.note("full disk", f"left out: {mounted.stderr.decode().strip()}")
            return
        stack.callback(subprocess.run, ["umount", "-l", str(folder)])
        log, filler = folder / "log", folder / "filler"
        with log.open("ab") as output:
            process = subprocess.Popen(server_command(binary, "debug"), stderr=output, stdout=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.kill)
        text = wait_for(log, "admin listening", 15)
        port = int(re.search(r"(?<!admin )listening address=127\.0\.0\.1:(\d+)", text)[1])
        players = Players(port)
        stack.callback(players.close)
        try:
            filler.write_bytes(b"x" * 65536)
        except OSError:
            pass
        connect_and_vanish(port, 300)
        time.sleep(1)
        measured = players.measure()
        checks.demand("full disk: worst player", measured["fps"] > 25, f"{measured['fps']:.2f} frames/s", "more than 25")
        filler.unlink(missing_ok=True)
        connect_and_vanish(port, 20)
        told = "dropped" in wait_for(log, "dropped", 5)
        checks.demand("full disk: dropped lines are told", told, told, "once there is room")
        torn = [line for line in log.read_text().splitlines() if line and not re.match(r"\d{4}-", line)]
        checks.demand("full disk: records begin on lines of their own", not torn, torn[:1] or "all", "all")
        terminate(process, players, "full disk", checks)


def file_limit(binary: Path, checks: Checks) -> None:
    """The log is a file that may not grow any more (`ulimit -f`): the kernel's signal must not end the server."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="tickserver-limit-"))
        stack.callback(shutil.rmtree, folder, True)
        log = folder / "log"

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))

        with log.open("ab") as output:
            command = server_command(binary, "debug")
            process = subprocess.Popen(command, stderr=output, stdout=subprocess.DEVNULL, preexec_fn=limit)
        stack.callback(process.wait)
        stack.callback(process.kill)
        text = wait_for(log, "admin listening", 15)
        players = Players(int(re.search(r"(?<!admin )listening address=127\.0\.0\.1:(\d+)", text)[1]))
        stack.callback(players.close)
        connect_and_vanish(int(re.search(r"(?<!admin )listening address=127\.0\.0\.1:(\d+)", text)[1]), 300)
        time.sleep(0.5)
        size = log.stat().st_size
        ok = process.poll() is None and size <= 20000
        checks.demand("file at its limit", ok, f"{process.poll()}, {size} bytes", "runs, at most 20000")
        terminate(process, players, "file at its limit", checks)


def wait_for(file: Path, words: str, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    while words not in (text := file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return text


def fatal_error(binary: Path, checks: Checks) -> None:
    """What stops the start is longer than a pipe holds, and comes whole, however slowly it is read."""
    wrong = [f"wrong{number}=1" for number in range(2000)]
    command = [str(binary)] + [word for setting in wrong for word in ("--set", setting)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    time.sleep(2)
    text = process.stderr.read().decode()
    status = process.wait(10)
    lines = len(text.splitlines())
    ok = status == 78 and lines == 2000 and text.endswith("\n")
    checks.demand("start errors", ok, f"{lines} lines, status {status}", "2000 lines, 78")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer clients")
    parser.add_argument("--play", type=int, metavar="PORT", help=argparse.SUPPRESS)
    parser.add_argument("--only", metavar="WORD", help="one of the cases: info, debug, trace, gone, eagain, disk, limit, fatal")
    parser.add_argument("--bin", type=Path, default=ROOT / ".build" / "release", help="folder of the programs")
    options = parser.parse_args()
    if options.play is not None:
        return play(options.play)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    binary = options.bin / "tickserver"
    connects, crowd = (200, 60) if options.quick else (1000, 300)
    checks = Checks()
    cases: dict[str, Callable[[], None]] = {
        level: lambda level=level: stuck(binary, level, connects, crowd, checks) for level in ("info", "debug", "trace")
    }
    cases |= {
        "gone": lambda: reader_gone(binary, checks),
        "eagain": lambda: nonblocking(binary, checks),
        "disk": lambda: full_disk(binary, checks),
        "limit": lambda: file_limit(binary, checks),
        "fatal": lambda: fatal_error(binary, checks),
    }
    for name, case in cases.items():
        if options.only not in (None, name):
            continue
        try:
            case()
        except (RigError, OSError) as error:
            checks.demand(f"{name}: the rig", False, f"{type(error).__name__}: {error}", "goes on")
    return checks.verdict("stuck_log")


if __name__ == "__main__":
    sys.exit(main())
