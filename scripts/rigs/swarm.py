"""A bot swarm as a process of its own, and its report."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from cores import stay_on
from server import RigError


class Swarm:
    """`arguments` are those of botswarm; its report is written to `report`.json and `report`.html.

    A `quiet` one prints nothing here: for rigs that run many. It runs on `cores` alone.
    """

    def __init__(
        self,
        binary: Path,
        target: str,
        report: Path,
        arguments: list[str],
        quiet: bool = False,
        cores: set[int] | None = None,
    ):
        if not binary.exists():
            raise RigError(f"{binary} does not exist: run `make release`")
        self.report = report
        report.with_suffix(".json").unlink(missing_ok=True)
        command = [str(binary), "--target", target, *arguments]
        command += ["--json", str(report.with_suffix(".json")), "--html", str(report.with_suffix(".html"))]
        output = subprocess.DEVNULL if quiet else None
        self.process = subprocess.Popen(command, stdout=output, stderr=output, preexec_fn=lambda: stay_on(cores))

    def runs(self) -> bool:
        return self.process.poll() is None

    def finish(self, seconds: float) -> dict[str, Any]:
        """Waits for its end; gives its report, with `exitStatus`."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            self.stop()
            raise RigError(f"the swarm did not end within {seconds:.0f} s") from error
        file = self.report.with_suffix(".json")
        if not file.exists():
            raise RigError(f"the swarm wrote no report and ended with {status}")
        return dict(json.loads(file.read_text())) | {"exitStatus": status}

    def stop(self) -> None:
        if self.runs():
            self.process.kill()
        self.process.wait()
