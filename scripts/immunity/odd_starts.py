"""Starts under odd circumstances, and what a start leaves behind: closed descriptors, no /proc, service links, SIGHUP, EMFILE."""

from __future__ import annotations

import argparse
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "scripts" / "rigs"), str(ROOT / "Tests" / "Vectors")]

from checks import Checks  # noqa: E402
from server import RigError, Server  # noqa: E402
from tickclient.conversation import Conversation, Phase  # noqa: E402

START_SECONDS = 15.0
STOP_SECONDS = 15.0
EX_CONFIG = 78

# What Kubernetes puts into every pod beside a Service of this name, with one named port.
SERVICE = "10.96.0.12"


def service_links(name: str, port: int = 9090, address: str = SERVICE, protocol: str = "tcp") -> dict[str, str]:
    word = name.upper().replace("-", "_")
    host = f"[{address}]" if ":" in address else address
    url = f"{protocol}://{host}:{port}"
    one = f"{word}_PORT_{port}_{protocol.upper()}"
    return {
        f"{word}_SERVICE_HOST": address,
        f"{word}_SERVICE_PORT": str(port),
        f"{word}_SERVICE_PORT_HTTP": str(port),
        f"{word}_PORT": url,
        one: url,
        f"{one}_PROTO": protocol,
        f"{one}_PORT": str(port),
        f"{one}_ADDR": address,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


class Client:
    """Joins a room and waits for the end."""

    def __init__(self, port: int):
        self.conversation = Conversation("r", "arena")
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.conversation.connect()

    def run(self, reached: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        self.socket.settimeout(0.2)
        while not reached() and time.monotonic() < deadline:
            if self.conversation.outgoing:
                self.socket.sendall(self.conversation.outgoing)
                self.conversation.outgoing.clear()
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                break
            if not data:
                break
            self.conversation.receive(data, time.monotonic_ns() // 1000)
        return reached()

    def joins(self) -> bool:
        return self.run(lambda: self.conversation.phase == Phase.ROOM, 5)

    def goodbye(self) -> int | None:
        self.run(lambda: self.conversation.phase == Phase.ENDED, 8)
        return self.conversation.goodbye["reason"] if self.conversation.goodbye else None


def closed_descriptors(binary: Path, swarm: Path, checks: Checks) -> None:
    for closed in ([0], [1], [2], [0, 1], [0, 1, 2]):
        redirect = " ".join(f"{number}<&-" if number == 0 else f"{number}>&-" for number in closed)
        port = free_port()
        command = ["sh", "-c", f'exec "$0" "$@" {redirect}', str(binary), "--listen", f"127.0.0.1:{port}"]
        process = subprocess.Popen([*command, "--set", "admin.port=any"], stderr=subprocess.DEVNULL)
        try:
            # libuv opens descriptors as it likes: the first client must not become the log.
            ok = listens(port, START_SECONDS) and Client(port).joins()
            null = [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in closed] if ok else []
            process.send_signal(signal.SIGTERM)
            status = process.wait(STOP_SECONDS)
            checks.demand(f"server, {redirect}", ok and status == 0, f"{status}, {null}", "serves, then 0 after SIGTERM")
        finally:
            process.kill()
            process.wait()
    with ExitStack() as stack:
        server = Server(binary, ["loops=1"], Path(tempfile.mkstemp(prefix="odd-starts-")[1]))
        stack.callback(server.kill)
        for closed in ([0], [0, 2], [0, 1, 2]):
            redirect = " ".join(f"{number}<&-" if number == 0 else f"{number}>&-" for number in closed)
            arguments = ["--target", server.address, "--bots", "4", "--room-size", "4", "--duration", "1"]
            command = ["sh", "-c", f'exec "$0" "$@" {redirect}', str(swarm), *arguments]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
            told = 1 in closed or b"verdict" in done.stdout.lower()
            checks.demand(f"swarm, {redirect}", done.returncode in (0, 1, 3) and told, done.returncode, "a verdict")


def no_proc(binary: Path, swarm: Path, checks: Checks) -> None:
    if os.geteuid() != 0:
        checks.note("no /proc", "left out: unshare takes root")
        return
    port = free_port()
    for program, name in ((binary, "server"), (swarm, "swarm")):
        arguments = ["--host", "127.0.0.1", "--port", str(port)] if name == "server" else ["--target", "127.0.0.1:9"]
        script = 'mount -t tmpfs none /proc && exec "$0" "$@"'
        process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script, str(program), *arguments],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            text = process.communicate(timeout=8)[1]
            status: int | str = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            text = process.communicate()[1]
            status = "serves"
        told = "/proc" in text
        demanded = EX_CONFIG if name == "server" else 2
        value = f"{status}: {text.strip().splitlines()[0][:100] if text.strip() else 'nothing'}"
        checks.demand(f"{name} without /proc", status == demanded and told, value, f"{demanded}, names /proc")


def service_variables(binary: Path, checks: Checks) -> None:
    services = {
        "tickserver-metrics": service_links("tickserver-metrics"),
        "tickserver-game-udp": service_links("tickserver-game-udp", 7777, protocol="udp"),
        "tickserver-admin": service_links("tickserver-admin", 7778),
        "tickserver-log, IPv6": service_links("tickserver-log", 443, "fd00::12"),
        "tickserver": service_links("tickserver", 7777),
    }
    for name, variables in services.items():
        status, text = started(binary, variables)
        warned = any("warning" in line and next(iter(variables)).rsplit("_SERVICE", 1)[0] in line for line in text.splitlines())
        ok = status == "serves" and warned
        checks.demand(f"service {name}", ok, f"{status}, warned: {warned}", "serves, with a warning")
    for name, value in {
        "TICKSERVER_PROT": "7777",
        "TICKSERVER_MAX_ROOM": "5",
        "TICKSERVER_METRICS_PORT": "9090",
        "TICKSERVER_GAME_SERVICE_HOST": "somewhere",
        "TICKSERVER_PORT": "http",
    }.items():
        status, text = started(binary, {name: value})
        ok = status == EX_CONFIG and name in text
        checks.demand(f"{name}={value}", ok, status, "78: no service link looks so")


def started(binary: Path, variables: dict[str, str]) -> tuple[int | str, str]:
    """Whether a server serves with these variables, and its log."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TICKSERVER_")}
    port = free_port()
    log = Path(tempfile.mkstemp(prefix="odd-starts-")[1])
    command = [str(binary), "--listen", f"127.0.0.1:{port}", "--set", "admin.port=any"]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment | variables, stderr=output, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if "admin listening" in log.read_text():
                process.send_signal(signal.SIGTERM)
                return ("serves" if process.wait(STOP_SECONDS) == 0 else "does not stop"), log.read_text()
            time.sleep(0.02)
        return process.poll() if process.poll() is not None else "hangs", log.read_text()
    finally:
        process.kill()
        process.wait()
        log.unlink()


def hang_up(binary: Path, folder: Path, checks: Checks) -> None:
    server = Server(binary, [], folder / "hangup.log")
    try:
        client = Client(server.port)
        client.joins()
        server.process.send_signal(signal.SIGHUP)
        goodbye = client.goodbye()
        status = server.process.wait(STOP_SECONDS)
        checks.demand("SIGHUP", goodbye is not None and status == 0, f"goodbye {goodbye}, status {status}", "a goodbye, 0")
    finally:
        server.kill()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        ignoring = Server(binary, [], folder / "nohup.log")
    finally:
        signal.signal(signal.SIGHUP, before)
    try:
        ignoring.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        checks.demand("SIGHUP under nohup", ignoring.runs(), "runs" if ignoring.runs() else "gone", "runs")
        checks.demand("then SIGTERM", ignoring.stop() == 0, ignoring.process.returncode, "0")
    finally:
        ignoring.kill()


def no_descriptors(binary: Path, folder: Path, seconds: float, checks: Checks) -> None:
    """The limit is lowered under a running server, as an administrator or another program of the user may."""
    server = Server(binary, ["loops=2"], folder / "emfile.log")
    clients: list[socket.socket] = []
    try:
        before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        held = max(int(path.name) for path in Path(f"/proc/{server.pid}/fd").iterdir()) + 1
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (held + 4, before[1]))
        clients = [socket.create_connection(("127.0.0.1", server.port), 5) for _ in range(40)]
        time.sleep(seconds)
        lines = [line for line in server.log.read_text().splitlines() if "accept" in line and "EMFILE" in line]
        # Of each of the two loops the first, then a sum a minute.
        most = 2 * (1 + int(seconds) // 60)
        checks.demand(f"EMFILE for {seconds:.0f} s", 1 <= len(lines) <= most, f"{len(lines)} lines", f"1 to {most}")
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
        for client in clients:
            client.close()
        time.sleep(0.5)
        joined = Client(server.port).joins()
        checks.demand("after EMFILE", joined, "joins" if joined else "nobody gets in", "joins")
        checks.demand("exit status", server.stop() == 0, server.process.returncode, "0")
    finally:
        server.kill()


def addresses(binary: Path, checks: Checks) -> None:
    if not Path("/proc/net/if_inet6").exists() or not Path("/proc/net/if_inet6").read_text().strip():
        checks.note("IPv6", "left out: this machine has none")
        return
    process = subprocess.Popen(
        [str(binary), "--host", "::1", "--port", "any", "--set", "admin.port=any"],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        line = process.stderr.readline()
        ok = re.search(r"address=\"?\[::1\]:\d+", line) is not None
        checks.demand("IPv6 in the log", ok, line.strip()[-80:], "[::1]:PORT")
    finally:
        process.terminate()
        process.communicate(timeout=STOP_SECONDS)


def secrets(binary: Path, folder: Path, checks: Checks) -> None:
    file = folder / "secret.yaml"
    file.write_text('auth: {tokens: ["hush-hush"]}\n')
    printed = subprocess.run([str(binary), "--config", str(file), "--print-config"], capture_output=True, text=True)
    checks.demand("--print-config", "hush" not in printed.stdout, "hush" in printed.stdout, "no token")
    file.write_text(printed.stdout)
    again = subprocess.run([str(binary), "--config", str(file), "--check-config"], capture_output=True, text=True)
    checks.demand("what it printed", again.returncode == EX_CONFIG, again.returncode, "78: not a server that lets everyone in")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2 s without descriptors instead of 65")
    parser.add_argument("--only", metavar="NAME", help="one of the cases")
    parser.add_argument("--bin", type=Path, default=ROOT / ".build" / "release", help="folder of the programs")
    options = parser.parse_args()
    server, swarm = options.bin / "tickserver", options.bin / "botswarm"
    for program in (server, swarm):
        if not program.exists():
            print(f"error: {program} does not exist: run `make release`", file=sys.stderr)
            return 2
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="odd-starts-") as name:
        folder = Path(name)
        cases: dict[str, Callable[[], None]] = {
            "descriptors": lambda: closed_descriptors(server, swarm, checks),
            "proc": lambda: no_proc(server, swarm, checks),
            "services": lambda: service_variables(server, checks),
            "hangup": lambda: hang_up(server, folder, checks),
            "emfile": lambda: no_descriptors(server, folder, 2 if options.quick else 65, checks),
            "ipv6": lambda: addresses(server, checks),
            "secrets": lambda: secrets(server, folder, checks),
        }
        for name, case in cases.items():
            if options.only not in (None, name):
                continue
            try:
                case()
            except (RigError, OSError, subprocess.TimeoutExpired) as error:
                checks.demand(f"{name}: the rig", False, f"{type(error).__name__}: {error}", "goes on")
    return checks.verdict("odd_starts")


if __name__ == "__main__":
    sys.exit(main())
