"""A server process under test: started, watched from outside, asked for its ledger, stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable

from cores import stay_on
from cpu_quota import CpuQuota
from memory_cgroup import MemoryCgroup, enter

START_SECONDS = 15.0
STOP_SECONDS = 20.0
ASK_SECONDS = 5.0


class RigError(Exception):
    """The rig cannot go on: no demand was missed, nothing was measured."""


class Server:
    """`settings` are KEY=VALUE, over those of the file `config`. It listens on free ports of `host`, and runs on `cores` alone.

    `prefix` are the words of a command that runs it, such as `ip netns exec NAME`.
    """

    def __init__(
        self,
        binary: Path,
        settings: list[str],
        log: Path,
        cgroup: MemoryCgroup | None = None,
        config: Path | None = None,
        cores: set[int] | None = None,
        environment: dict[str, str] | None = None,
        quota: CpuQuota | None = None,
        prefix: list[str] | None = None,
        host: str = "127.0.0.1",
    ):
        if not binary.exists():
            raise RigError(f"{binary} does not exist: run `make release`")
        self.log = log
        command = [*(prefix or []), str(binary), "--host", host, "--port", "any"]
        if config is not None:
            command += ["--config", str(config)]
        for setting in ["admin.port=any", *settings]:
            command += ["--set", setting]
        with log.open("w") as output:

            def before() -> None:
                stay_on(cores)
                if cgroup is not None:
                    enter(cgroup)
                if quota is not None:
                    quota.enter()

            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, preexec_fn=before, env={**os.environ, **(environment or {})}
            )
        try:
            self.address = self._told(rf"(?<!admin )listening address=({re.escape(host)}:\d+)")
            self.admin = self._told(r"admin listening address=(127\.0\.0\.1:\d+)")
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1])

    def _told(self, pattern: str) -> str:
        """What the log says, once it does."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if (match := re.search(pattern, self.log.read_text())) is not None:
                return match[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RigError(f"the server did not start:\n{self.log.read_text().rstrip()}")

    def resident_bytes(self) -> int:
        """Exact, unlike VmRSS, which is behind by up to 64 pages a core."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        match = re.search(r"^Rss:\s+(\d+) kB$", text, re.MULTILINE)
        return int(match[1]) * 1024 if match is not None else 0

    def descriptors(self) -> int:
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    def most_descriptors_when_empty(self) -> int:
        """Of a server that nobody has played on yet: a loop opens its tick timer with its first room."""
        return self.descriptors() + len(self.ledger()["loops"])

    def ledger(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://{self.admin}/ledger", timeout=ASK_SECONDS) as answer:
                return dict(json.load(answer))
        except (urllib.error.URLError, OSError) as error:
            raise RigError(f"the server's /ledger does not answer: {error}") from error

    def metrics(self) -> dict[str, float]:
        """Every series by its name and labels; sums over `loop` are under the name without labels."""
        try:
            with urllib.request.urlopen(f"http://{self.admin}/metrics", timeout=ASK_SECONDS) as answer:
                lines = answer.read().decode().splitlines()
        except (urllib.error.URLError, OSError) as error:
            raise RigError(f"the server's /metrics does not answer: {error}") from error
        series: dict[str, float] = {}
        for line in lines:
            if line.startswith("#") or not line:
                continue
            name, value = line.rsplit(" ", 1)
            series[name] = float(value)
            plain = re.sub(r'(?<=[{,])loop="[^"]*",?', "", name).replace("{}", "").replace(",}", "}")
            if plain != name:
                series[plain] = series.get(plain, 0.0) + float(value)
        return series

    def pressure(self) -> str:
        """The level that /metrics tells."""
        series = self.metrics()
        levels = ("normal", "high", "critical")
        return next(level for level in levels if series[f'tickserver_memory_pressure{{level="{level}"}}'] == 1)

    def wait(self, reached: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        """The first ledger for which `reached` holds, or the last one in time."""
        deadline = time.monotonic() + seconds
        while not reached(ledger := self.ledger()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return ledger

    def runs(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> int:
        """Its exit status; negative: the signal that ended it."""
        if self.runs():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.wait()

    def kill(self) -> None:
        """For the end of a rig, whatever happened before."""
        if self.runs():
            self.process.kill()
        self.process.wait()


def is_empty(ledger: dict[str, Any]) -> bool:
    """Nobody is left, and nothing that somebody held."""
    total = ledger["total"]
    held = [total[name] for name in ("open", "closing", "seats", "rooms", "pinnedBytes")]
    return not any(held) and total["pool"]["leasedBuffers"] == 0
