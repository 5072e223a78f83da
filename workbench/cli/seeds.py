"""Seeds as people write them: ``0-4,7``."""

from __future__ import annotations

import re

from workbench.errors import UsageError

MOST = 100  # each waits in a process of its own, some 40 MB
LIMIT = 2**31


def parse_seeds(text: str) -> list[int]:
    """The seeds of ``"0-4,7"``, each once, in the order given. Raises UsageError for anything else."""
    seeds: dict[int, None] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        if match is None:
            raise UsageError(f"seeds are whole numbers and ranges such as 0-4,7 (got {text!r})")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise UsageError(f"the range of seeds {part.strip()!r} runs backwards: write {last}-{first}")
        if last >= LIMIT:
            raise UsageError(f"a seed is below {LIMIT} (got {last})")
        if last - first >= MOST or len(seeds) > MOST:
            raise UsageError(f"at most {MOST} seeds at a time (got {text!r})")
        seeds |= dict.fromkeys(range(first, last + 1))
    return list(seeds)
