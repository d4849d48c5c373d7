"""Stops servers whose matches end by themselves, and watches from the clients' eyes that no match is ended that would have
ended in time.

    python3 scripts/immunity/lame_duck.py [--quick] [--binary PATH] [--off]

500 players (quick: 50) are in rooms of ten, and half of the matches end before the deadline. SIGTERM begins the lame duck:
those matches end with the game's own words; the others are told goodbye one after the other, the last before the deadline;
newcomers are refused with a time to come back, a lost connection comes back to its seat, the server ends with status 0.
Then: the second and third signal, the admin command, no rooms at all, a standstill beyond the deadline, a signal during
the start. `--off` runs the first part without a lame duck: what a plain SIGTERM does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "rigs"), str(ROOT / "Tests" / "Vectors")]

import tickwire as tw  # noqa: E402
from checks import Checks  # noqa: E402
from server import RigError, Server  # noqa: E402

DRAINING, ROOM_CLOSED = 1, 66
REFUSED_DRAINING = 9
# What a match raises when it is told that the server is about to stop.
ENDING_EVENT = 16
TICK_RATE = 10
PLAYERS_PER_ROOM = 10
# A busy machine, and two sweeps of a quarter of a second.
SLACK_SECONDS = 1.0


def binary() -> Path:
    """The newer of the two builds."""
    built = [path for kind in ("release", "debug") if (path := ROOT / ".build" / kind / "MatchServer").exists()]
    if not built:
        raise RigError("no MatchServer is built: run `swift build --product MatchServer`")
    return max(built, key=lambda path: path.stat().st_mtime)


class Player:
    """One session: a connection, and another after a cut."""

    def __init__(self, swarm: Swarm, room: str, options: str = ""):
        self.swarm = swarm
        self.room = room
        self.options = options
        self.welcome: tw.Message | None = None
        self.joined: tw.Message | None = None
        self.refused: tw.Message | None = None
        self.goodbye: tw.Message | None = None
        self.goodbye_at = 0.0
        # Ended without a goodbye.
        self.lost = False
        self.frames = 0
        self.last_frame_at = 0.0
        # The deadline that the game told, as a tick.
        self.deadlines: set[int] = set()
        self.joins = 0
        self._connect({"credential": 0})

    def _connect(self, credential: dict[str, Any]) -> None:
        self.reader = tw.MessageReader(tw.DEFAULT_SERVER_LIMIT)
        self.socket = socket.create_connection(self.swarm.address, 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(
            tw.encode_message("client", "Hello", {"version": tw.PROTOCOL_VERSION, "capabilities": 0, **credential})
        )
        self.socket.setblocking(False)
        self.swarm.selector.register(self.socket, selectors.EVENT_READ, self)
        self.is_open = True

    def join(self, room: str | None = None) -> None:
        self.refused = None
        join = {
            "flags": 0, "room": room or self.room, "roomKind": "match", "schemaHash": 0, "options": self.options.encode(),
        }
        self._send(tw.encode_message("client", "Join", join))

    def resume_after_cut(self) -> None:
        """Ends the connection with a reset, as a lost one, and comes back with the ticket."""
        assert self.welcome is not None and self.joined is not None
        self.swarm.selector.unregister(self.socket)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        ticket, last_event = self.welcome["ticket"], self.joined["lastEvent"]
        self._connect(
            {"credential": 2, "ticket": ticket, "lastTick": 0, "lastEvent": last_event, "lastWhisper": 0}
        )

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            self.swarm.selector.unregister(self.socket)
            self.socket.close()

    def _send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # what the server said last is still to be read

    def receive(self) -> None:
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.lost = self.goodbye is None
            return self.close()
        self.reader.feed(data)
        while (raw := self.reader.next()) is not None:
            self._handle(raw)

    def _handle(self, raw: tw.RawMessage) -> None:
        now = time.monotonic()
        if raw.type == 0x13 and raw.body[0] & 2 == 0:
            # A frame without events.
            self.frames += 1
            self.last_frame_at = now
            return
        message = tw.decode_message("server", raw, self.swarm.schema)
        if message is None:
            return
        if message.name == "Welcome":
            self.welcome = message
            # A resume is answered without a Join.
            if self.joined is None:
                self.join()
        elif message.name == "Joined":
            if message.get("schema") is not None:
                self.swarm.schema = tw.Schema.decode(message["schema"])
            self.joins += 1
            self.joined = message
        elif message.name == "JoinRefused":
            self.refused = message
        elif message.name in ("Frame", "Events"):
            self.frames += message.name == "Frame"
            self.last_frame_at = now
            for event in message.get("events") or []:
                if event.get("code") == ENDING_EVENT:
                    self.deadlines.add(int.from_bytes(event["payload"], "little"))
        elif message.name == "Ping":
            self._send(tw.encode_message("client", "Pong", {"token": message["token"], "time": int(now * 1e6)}))
        elif message.name == "Goodbye":
            self.goodbye = message
            self.goodbye_at = now


class Swarm:
    def __init__(self, server: Server):
        host, port = server.address.rsplit(":", 1)
        self.address = (host, int(port))
        self.selector = selectors.DefaultSelector()
        self.schema: tw.Schema | None = None
        self.players: list[Player] = []

    def add(self, room: str, options: str = "") -> Player:
        player = Player(self, room, options)
        self.players.append(player)
        return player

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Plays on; whether `until` came true in time."""
        deadline = time.monotonic() + seconds
        while not (reached := until()) and (left := deadline - time.monotonic()) > 0:
            for key, _ in self.selector.select(min(left, 0.05)):
                key.data.receive()
        return reached

    def close(self) -> None:
        for player in self.players:
            player.close()
        self.selector.close()


class Rig:
    def __init__(self, program: Path, quick: bool):
        self.checks = Checks()
        self.program = program
        self.quick = quick
        self.folder = tempfile.TemporaryDirectory(prefix="lame-duck-")
        self.servers: list[Server] = []
        self.swarms: list[Swarm] = []

    def start(self, *settings: str) -> tuple[Server, Swarm]:
        log = Path(self.folder.name) / f"server-{len(self.servers)}.log"
        server = Server(self.program, ["loops=2", *settings], log)
        self.servers.append(server)
        swarm = Swarm(server)
        self.swarms.append(swarm)
        return server, swarm

    def fill(self, swarm: Swarm, *rooms: tuple[str, str]) -> list[Player]:
        """A player in each of the rooms, seated."""
        players = [swarm.add(room, options) for room, options in rooms]
        if not swarm.run(20, lambda: all(player.frames for player in players)):
            raise RigError("players did not get into their rooms")
        return players

    def close(self) -> None:
        for swarm in self.swarms:
            swarm.close()
        for server in self.servers:
            server.kill()
        self.folder.cleanup()

    # The whole

    def matches(self, players: int, seconds: float, lame_duck: str) -> None:
        """`seconds` is the deadline; half of the matches end in its first 60%."""
        checks = self.checks
        server, swarm = self.start(*([f"lameDuck={lame_duck}"] if lame_duck else []), "maxConnections=1000")
        rooms = players // PLAYERS_PER_ROOM
        # The starting takes a while: matches that end in time have that on top.
        lead = 4.0 if self.quick else 12.0
        in_time: list[Player] = []
        endless: list[Player] = []
        started = time.monotonic()
        for index in range(rooms):
            if index % 2 == 0:
                length = lead + seconds * (0.1 + 0.5 * index / rooms)
                options, group = f"ticks={int(length * TICK_RATE)}", in_time
            else:
                options, group = "", endless
            for _ in range(PLAYERS_PER_ROOM):
                group.append(swarm.add(f"room-{index}", options))
                swarm.run(0)
        needs_players = self.fill(swarm, ("open", "open"))[0]
        if not swarm.run(lead * 2, lambda: all(player.frames for player in in_time + endless)):
            raise RigError("players did not get into their rooms")
        swarm.run(max(0.0, started + lead - time.monotonic()))
        everyone = [*in_time, *endless, needs_players]
        checks.demand("ready before", *self._health(server, "/readyz", 200))

        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        swarm.run(0.5)
        told = [player for player in everyone if player.goodbye or player.lost]
        checks.demand("0.5 s after SIGTERM", not told, f"{len(told)} of {len(everyone)} players were ended", "0")
        if not lame_duck:
            swarm.run(3)
            late = max((player.goodbye_at - began for player in everyone if player.goodbye), default=0.0)
            checks.note("the last goodbye came after", f"{late:.2f} s")
            return
        checks.demand("not ready", *self._health(server, "/readyz", 503, "lame duck"))
        checks.demand("live", *self._health(server, "/livez", 200))

        new, closed, needed = swarm.add("new"), swarm.add("room-1"), swarm.add("open")
        cut = endless[-1]
        cut.resume_after_cut()
        swarm.run(3, lambda: bool(new.refused and closed.refused and needed.frames and cut.joins == 2))
        for name, player in (("a new room", new), ("a room that needs nobody", closed)):
            refused = player.refused
            ok = refused is not None and refused["refusal"] == REFUSED_DRAINING and (refused.get("retryAfterMilliseconds") or 0) > 0
            checks.demand(f"join of {name}", ok, dict(refused.fields) if refused else "no answer", "draining, with retryAfter")
        checks.demand("join of a room that needs players", needed.joins == 1, f"{needed.joins} seats", "1")
        resumed = cut.joins == 2 and cut.joined is not None and cut.joined["flags"] & 1 == 1
        checks.demand("a connection that was cut", resumed, f"{cut.joins} Joined", "2, the second as resumed")
        unaware = [player for player in endless + [needs_players] if len(player.deadlines) != 1]
        checks.demand("players whose game was not told", not unaware, len(unaware), "0")
        for guest in (new, closed):
            guest.close()

        self._follow(server, swarm, began, seconds, in_time, [*endless, needs_players, needed])

    def _follow(
        self, server: Server, swarm: Swarm, began: float, seconds: float, in_time: list[Player], endless: list[Player]
    ) -> None:
        checks = self.checks
        swarm.run(seconds + 2 - (time.monotonic() - began), lambda: not any(p.is_open for p in in_time + endless))
        own = [p for p in in_time if p.goodbye and p.goodbye["reason"] == ROOM_CLOSED and p.goodbye["text"] == "the match is over"]
        checks.demand("matches that end in time: players who saw their end", len(own) == len(in_time), len(own), f"all {len(in_time)}")
        gaps = [p for p in own if p.goodbye_at - p.last_frame_at > 1.0]
        checks.demand("of them without a frame in the last second before", not gaps, len(gaps), "0")
        told = [p for p in endless if p.goodbye and p.goodbye["reason"] == DRAINING]
        checks.demand("other matches: players who were told", len(told) == len(endless), len(told), f"all {len(endless)}, draining")
        with_retry = [p for p in told if p.goodbye and (p.goodbye.get("retryAfterMilliseconds") or 0) > 0]
        checks.demand("of them with a time to come back", len(with_retry) == len(told), len(with_retry), f"{len(told)}")
        if told:
            times = sorted(p.goodbye_at - began for p in told)
            closing = min(seconds / 4, 10.0)
            first = seconds - closing
            checks.demand("first goodbye after", times[0] >= first - 0.3, f"{times[0]:.2f} s", f"at least {first:.2f} s")
            checks.demand("last goodbye after", times[-1] <= seconds + 0.3, f"{times[-1]:.2f} s", f"at most {seconds:.2f} s")
            # Ten slices of the closing time: evenly spread, each has a tenth; rooms end as a whole.
            slices = [sum(first + i * closing / 10 <= t < first + (i + 1) * closing / 10 for t in times) for i in range(-1, 11)]
            checks.note("goodbyes in each tenth of the closing time", slices[1:11])
            most = max(len(told) // 4, 2 * PLAYERS_PER_ROOM)
            checks.demand("most in one tenth of it", max(slices) <= most, max(slices), f"at most {most}")
        self._ends(server, swarm, 0, 2 + SLACK_SECONDS * 2)
        log = server.log.read_text()
        checks.demand("the log says who asked", bool(re.search(r"lame duck: .*by=SIGTERM", log)), self._line(log, "lame duck"), "by=SIGTERM")
        checks.demand("and why it ended", "stopping: saying goodbye" in log, self._line(log, "stopping"), "a line")

    @staticmethod
    def _line(log: str, word: str) -> str:
        return next((line for line in log.splitlines() if word in line), "no line")

    def _ends(self, server: Server, swarm: Swarm, status: int, seconds: float) -> None:
        began = time.monotonic()
        swarm.run(seconds, lambda: not server.runs())
        code = server.process.poll()
        self.checks.demand("exit status", code == status, code, f"{status} within {seconds:.0f} s")
        self.checks.note("it ended after", f"{time.monotonic() - began:.2f} s")

    # The admin port

    def _ask(self, server: Server, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> tuple[int, str]:
        request = urllib.request.Request(f"http://{server.admin}{path}", method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def _health(self, server: Server, path: str, status: int, text: str = "") -> tuple[bool, object, str]:
        code, body = self._ask(server, path)
        return code == status and text in body, f"{code} {body.strip()}", f"{status} {text}"

    # Parts

    def signals(self) -> None:
        """The second says goodbye to all, the third ends."""
        server, swarm = self.start("lameDuck=1h")
        members = self.fill(swarm, ("a", ""), ("b", ""))
        server.process.send_signal(signal.SIGINT)
        swarm.run(0.7)
        before = [member.frames for member in members]
        swarm.run(0.7)
        plays = all(member.frames > count for member, count in zip(members, before)) and not any(m.goodbye for m in members)
        self.checks.demand("matches after SIGINT", plays, "go on" if plays else "ended", "go on")
        server.process.send_signal(signal.SIGTERM)
        swarm.run(2, lambda: all(member.goodbye for member in members))
        told = [member for member in members if member.goodbye and member.goodbye["reason"] == DRAINING]
        self.checks.demand("told after the second signal", len(told) == 2, len(told), "2")
        self._ends(server, swarm, 0, 3 + SLACK_SECONDS)

        server, swarm = self.start("lameDuck=1h", "drain=10m")
        members = self.fill(swarm, ("a", ""))
        for _ in range(3):
            server.process.send_signal(signal.SIGTERM)
            # Reads its goodbye and never closes: the drain would go on.
            time.sleep(0.5)
        code = self._wait(server, 3)
        self.checks.demand("exit status after the third signal", code == 0, code, "0 within 3 s")

    def _wait(self, server: Server, seconds: float) -> int | None:
        try:
            return server.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def command(self) -> None:
        """POST /drain, twice, and the program's own command for it."""
        checks = self.checks
        server, swarm = self.start("lameDuck=1h")
        stays, quits = self.fill(swarm, ("stays", ""), ("quits", "quits"))
        state = json.loads(self._ask(server, "/drain")[1])
        checks.demand("GET /drain", state["state"] == "serving", state, "serving")
        for target, method, headers, status, text in (
            ("/drain?deadline=5", "POST", {}, 400, "needs a unit"),
            ("/drain?deadline=25h", "POST", {}, 400, "100ms to 24h"),
            ("/drain?in=5s", "POST", {}, 400, "deadline=TIME"),
            ("/drain", "DELETE", {}, 405, "GET, HEAD and POST"),
            ("/metrics", "POST", {}, 405, "GET and HEAD"),
            ("/drain", "POST", {"Origin": "http://example.org"}, 403, "web page"),
        ):
            code, body = self._ask(server, target, method, headers)
            checks.demand(f"{method} {target}", code == status and text in body, f"{code} {body.strip()}", f"{status} {text}")
        swarm.run(0.3)
        checks.demand("none of that stops it", not quits.goodbye, "goes on" if not quits.goodbye else "ended", "goes on")
        code, body = self._ask(server, "/drain?deadline=30m", "POST")
        state = json.loads(body) if code == 200 else {}
        checks.demand("POST /drain?deadline=30m", 1790 < state.get("secondsLeft", 0) <= 1800, f"{code} {body.strip()}", "1800 s left")
        swarm.run(2, lambda: quits.goodbye is not None)
        own = quits.goodbye is not None and quits.goodbye["text"] == "the match was called off"
        checks.demand("a game that ends at once", own, quits.goodbye["text"] if quits.goodbye else "goes on", "its own words")
        # As a hook before the supervisor's signal does.
        server.process.send_signal(signal.SIGTERM)
        swarm.run(0.7)
        checks.demand("SIGTERM after the command", not stays.goodbye, "ended" if stays.goodbye else "goes on", "no second signal")
        port = server.admin.rsplit(":", 1)[1]
        command = [str(self.program), "drain", "--deadline", "2s", "--set", f"admin.port={port}"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10)
        checks.demand("the command drain", answer.returncode == 0, answer.stdout.strip() or answer.stderr.strip(), "status 0")
        self._ask(server, "/drain?deadline=10m", "POST")
        swarm.run(2.3, lambda: stays.goodbye is not None)
        ended = stays.goodbye is not None and stays.goodbye["reason"] == DRAINING
        checks.demand("the shorter of two deadlines", ended, "ended" if ended else "goes on", "ended after 2 s")
        self._ends(server, swarm, 0, 3 + SLACK_SECONDS)

    def no_rooms(self) -> None:
        server, swarm = self.start("lameDuck=1h")
        guest = swarm.add("a", "quits")
        self.fill(swarm, ("b", "quits"))
        swarm.run(2, lambda: guest.joins == 1)
        server.process.send_signal(signal.SIGTERM)
        self._ends(server, swarm, 0, 3 + SLACK_SECONDS)
        server, swarm = self.start("lameDuck=1h")
        server.process.send_signal(signal.SIGTERM)
        self._ends(server, swarm, 0, 1 + SLACK_SECONDS)

    def standstill(self) -> None:
        """The whole server stands still beyond the deadline."""
        server, swarm = self.start("lameDuck=2s")
        members = self.fill(swarm, *((f"room-{index}", "") for index in range(6)))
        server.process.send_signal(signal.SIGTERM)
        swarm.run(0.5)
        server.process.send_signal(signal.SIGSTOP)
        swarm.run(3)
        server.process.send_signal(signal.SIGCONT)
        swarm.run(2, lambda: all(member.goodbye for member in members))
        told = [member for member in members if member.goodbye and member.goodbye["reason"] == DRAINING]
        self.checks.demand("told after a standstill beyond the deadline", len(told) == 6, len(told), "6")
        self._ends(server, swarm, 0, 3 + SLACK_SECONDS)

    def during_start(self) -> None:
        """A signal at any moment of the start: by its default it ends the process, later it stops it in order."""
        before = time.monotonic()
        self.start()[0].stop()
        whole = time.monotonic() - before
        ends: dict[int | None, int] = {}
        count = 12 if self.quick else 60
        for index in range(count):
            command = [str(self.program), "--listen", "127.0.0.1:any", "--set", "admin.port=any", "--set", "lameDuck=1h"]
            with (Path(self.folder.name) / "start.log").open("w") as log:
                process = subprocess.Popen(command, stdout=log, stderr=log)
            time.sleep(whole * index / count)
            process.send_signal(signal.SIGTERM)
            try:
                code: int | None = process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                code = None
            ends[code] = ends.get(code, 0) + 1
        ok = set(ends) <= {0, -signal.SIGTERM}
        self.checks.demand("exit status of a signal during the start", ok, ends, "0, or -15 before it listens to signals")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="50 players and a deadline of 8 s instead of 500 and 60 s")
    parser.add_argument("--binary", type=Path, help="the MatchServer to run; the one that was built last by default")
    parser.add_argument("--off", action="store_true", help="only the first part, without a lame duck")
    options = parser.parse_args()
    os.environ.pop("TICKSERVER_CONFIG", None)
    players, seconds = (50, 8.0) if options.quick else (500, 60.0)
    try:
        rig = Rig(options.binary or binary(), options.quick)
    except RigError as error:
        print(f"lame_duck: {error}", file=sys.stderr)
        return 2
    try:
        rig.matches(players, seconds, "" if options.off else f"{seconds:.0f}s")
        if not options.off:
            for part in (rig.signals, rig.command, rig.no_rooms, rig.standstill, rig.during_start):
                print(f"  {part.__name__}")
                part()
    except (RigError, OSError) as error:
        print(f"lame_duck: {error}", file=sys.stderr)
        return 2
    finally:
        rig.close()
    return rig.checks.verdict("lame_duck")


if __name__ == "__main__":
    sys.exit(main())
