"""How fast a core runs, watched all the time: when the machine slows down, what is measured is the machine."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from cores import stay_on
from server import RigError

# As in Benchmarks/Comparison/speed.h: below this share of the best speed a core is slow.
SLOW_SHARE = 0.6
# How often the program looks.
LOOK_SECONDS = 0.005
# After a slow moment, so long nothing counts: what had piled up is being served.
RECOVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Speeds:
    """Looks at a core: when (time.monotonic), and as what share of the best speed it ran."""

    looks: list[tuple[float, float]]

    def are_steady(self, first: float, last: float) -> bool:
        """Whether the core kept its speed from `first` to `last`, and before for as long as recovery takes."""
        within = [share for moment, share in self.looks if first <= moment <= last + LOOK_SECONDS]
        before = [share for moment, share in self.looks if first - RECOVERY_SECONDS <= moment < first]
        # A watch that waited for the core saw nothing, which is no good sign.
        was_watched = len(within) >= (last - first) / LOOK_SECONDS / 2
        return was_watched and min(within + before) >= SLOW_SHARE


def parsed(text: str) -> Speeds:
    """Of lines of a time and the ns that a fixed piece of work took; the last may be cut off."""
    looks = [(int(words[0]) / 1e9, int(words[1])) for line in text.split("\n")[:-1] if len(words := line.split()) == 2]
    least = min((taken for _, taken in looks), default=0)
    return Speeds([(moment, least / taken) for moment, taken in looks])


class CoreSpeed:
    """Runs the program on a core until it is left; then `speeds` has what it saw."""

    def __init__(self, program: Path, cores: set[int] | None):
        if not os.access(program, os.X_OK):
            raise RigError(f"{program} does not exist: run `make bench-scale`, which builds it")
        self.speeds = Speeds([])
        self._program, self._cores = program, cores

    def __enter__(self) -> CoreSpeed:
        self._output = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen([str(self._program)], stdout=self._output, preexec_fn=lambda: stay_on(self._cores))
        # So that the first window has a moment before it.
        time.sleep(RECOVERY_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._output.seek(0)
        self.speeds = parsed(self._output.read())
        self._output.close()
