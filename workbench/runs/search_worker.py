"""A process that takes part in a search: ``python -m workbench.runs.search_worker TRIALS STUDY…``."""

from __future__ import annotations

import sys
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.runs.search import work_here
from workbench.runs.search_study import Study


def main(arguments: list[str]) -> int:
    """Try configurations of the study folders that are named until each has its budget."""
    trials, *folders = arguments
    try:
        work_here([Study(Path(folder)) for folder in folders], int(trials))
    except WorkbenchError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
