"""The rig of the two failures: servers under a memory limit, clients against them, samples, figures, charts."""

import sys
from pathlib import Path

# Memory cgroups and sizes are those of the project's other rigs.
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts/rigs"))
