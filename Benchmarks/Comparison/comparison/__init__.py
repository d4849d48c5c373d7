"""TickServer beside the physical floor and beside others: servers, runs, figures, the report."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
FOLDER = Path(__file__).resolve().parents[1]
# Pages, tables and checks are those of the project's other rigs.
sys.path.insert(0, str(REPOSITORY / "scripts/rigs"))
