"""What an input costs the server, against a bare read loop in C on the same bytes.

    python3 Benchmarks/InputPath/inputs.py [--rounds 5] [--seconds 3] [--server PATH] [--batches 1,4]

The server has core 0, the sender the last one. Each server is measured at two rates of inputs: what the faster one costs
more, divided by how many more inputs it brought, is the price of one input: read, parsed, checked, kept and applied, user
and kernel, without ticks and frames, which are the same at both rates. The two servers take turns; medians are told.
Writes out/inputs.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "Tests" / "Vectors"))

from tickwire.framing import MessageReader  # noqa: E402

SERVER = ROOT / ".build" / "release" / "tickserver"
HELLO = b"\x08\x01TICK\x01\x00\x00"
FRAME = 0x13
FIRST_DESCRIPTOR = 1000


def compiled(folder, name):
    program = pathlib.Path(folder) / name
    subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-o", program, HERE / f"{name}.c"], check=True)
    return program


def join_message(room, kind):
    body = b"\x02\x00" + bytes([len(room)]) + room + bytes([len(kind)]) + kind + bytes(8) + b"\x00"
    return bytes([len(body)]) + body


def pinned(core):
    """A command's first words: on this core, and before all else that the machine does if that is allowed."""
    first = ["chrt", "--fifo", "10"] if os.geteuid() == 0 else []
    return [*first, "taskset", "-c", str(core)]


class Target:
    """A server process with connections that are ready to send inputs."""

    def __init__(self, command, connections, is_tickserver):
        self.log = tempfile.TemporaryFile(mode="w+")
        place = subprocess.DEVNULL if is_tickserver else subprocess.PIPE
        self.process = subprocess.Popen(
            [*pinned(0), *map(str, command)], stdout=place, stderr=self.log, text=True
        )
        self.port = self._logged_port() if is_tickserver else int(self.process.stdout.readline())
        self.sequence = 1
        self.sockets = [self._connect(is_tickserver) for _ in range(connections)]

    def _logged_port(self):
        for _ in range(200):
            self.log.seek(0)
            found = re.search(r"listening address=127\.0\.0\.1:(\d+)", self.log.read())
            if found:
                return int(found.group(1))
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.log.seek(0)
        raise SystemExit(f"error: the server did not start:\n{self.log.read()}")

    def _connect(self, is_tickserver):
        peer = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if is_tickserver:
            # One after the other: entity i belongs to connection i.
            peer.sendall(HELLO + join_message(b"r", b"walk"))
            reader = MessageReader(1 << 20)
            while (message := reader.next()) is None or message.type != FRAME:
                if message is None:
                    reader.feed(peer.recv(65536))
        peer.setblocking(False)
        return peer

    def measure(self, sender, rate, batch, seconds):
        """Nanoseconds of CPU, read calls and inputs while `rate` passes a second were sent."""
        for index, peer in enumerate(self.sockets):
            os.dup2(peer.fileno(), FIRST_DESCRIPTOR + index)
        descriptors = range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + len(self.sockets))
        cpu, reads = self.cpu_nanoseconds(), self.read_calls()
        command = [*pinned(os.cpu_count() - 1), sender, FIRST_DESCRIPTOR, len(self.sockets), rate, batch, seconds, self.sequence]
        run = subprocess.run(list(map(str, command)), pass_fds=descriptors, capture_output=True, text=True)
        if run.returncode != 0 or self.process.poll() is not None:
            raise SystemExit(f"error: the sender or the server failed: {run.stderr}")
        time.sleep(0.1)
        sent, late = map(int, run.stdout.split())
        self.sequence += batch * int(seconds * rate) + 1
        cpu, reads = self.cpu_nanoseconds() - cpu, self.read_calls() - reads
        return {"cpu": cpu, "reads": reads, "inputs": sent, "late": late}

    def cpu_nanoseconds(self):
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def read_calls(self):
        return int(re.search(r"syscr: (\d+)", pathlib.Path(f"/proc/{self.process.pid}/io").read_text()).group(1))

    def stop(self):
        for peer in self.sockets:
            peer.close()
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()


def price(target, sender, rates, batch, seconds):
    """Nanoseconds and reads of one more input."""
    few, many = (target.measure(sender, rate, batch, seconds) for rate in rates)
    more = many["inputs"] - few["inputs"]
    return {
        "nanoseconds": (many["cpu"] - few["cpu"]) / more,
        "reads": (many["reads"] - few["reads"]) / more,
        "late": few["late"] + many["late"],
    }


def compare(options, folder, batch):
    sender, reader = compiled(folder, "sender"), compiled(folder, "reader")
    rates = (options.rate // batch, 2 * options.rate // batch)
    prices = {"C read loop": [], "TickServer": []}
    # Both are there all the time and idle in turns: whatever else the machine does hits both.
    targets = {
        "C read loop": Target([reader], options.connections, False),
        "TickServer": Target([options.server, "--config", HERE / "server.yaml"], options.connections, True),
    }
    try:
        for _ in range(options.rounds):
            for name, target in targets.items():
                prices[name].append(price(target, sender, rates, batch, options.seconds))
    finally:
        for target in targets.values():
            target.stop()
    result = {"inputsPerWrite": batch, "passesPerSecond": rates}
    for name, found in prices.items():
        result[name] = {key: round(statistics.median(one[key] for one in found), 3) for key in found[0]}
    result["ratio"] = round(result["TickServer"]["nanoseconds"] / result["C read loop"]["nanoseconds"], 3)
    return result


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--rate", type=int, default=600, help="inputs a second and connection at the slower rate")
    parser.add_argument("--server", default=SERVER, help="another build of tickserver")
    parser.add_argument("--batches", default="1,4", help="inputs in one write, of each measurement")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        results = [compare(options, folder, int(batch)) for batch in options.batches.split(",")]
    (ROOT / "out").mkdir(exist_ok=True)
    (ROOT / "out" / "inputs.json").write_text(json.dumps(results, indent=2) + "\n")
    print(f"{'inputs a write':<16}{'server':<14}{'ns an input':>12}{'reads an input':>16}{'ratio':>8}")
    for result in results:
        for name in ("C read loop", "TickServer"):
            one = result[name]
            ratio = f"{result['ratio']:.2f}" if name == "TickServer" else ""
            print(
                f"{result['inputsPerWrite']:<16}{name:<14}{one['nanoseconds']:>12.0f}{one['reads']:>16.2f}{ratio:>8}"
                + (f"  ({one['late']:.0f} passes late)" if one["late"] else "")
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
