"""Both figures of a comparison as Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from workbench.runs.leaderboard import Entry


def comparison_as_python(
    entries: Sequence[Entry], cost: str, baseline: Entry | Literal["alone"] | None, alone: Sequence[Entry]
) -> str:
    """``wb.plots.score_against_cost`` and ``wb.plots.scores_by_seed`` of the runs of ``entries``.

    A ``baseline``, and the students ``alone`` that some are held against, are given beside where they have no row.
    """
    drawn = {entry.id for entry in entries}
    needed = [baseline] if isinstance(baseline, Entry) else alone
    lines = ["import workbench as wb", "", *_runs("runs", entries)]
    beside = [entry for entry in needed if entry.id not in drawn]
    lines += _runs("beside", beside) if beside else []
    held = f"wb.find_run({baseline.runs[0].run!r})" if isinstance(baseline, Entry) else repr(baseline)
    more = ", beside=beside" if beside else ""
    lines.append(f"wb.plots.score_against_cost(runs, x={cost!r})")
    return "\n".join([*lines, f"wb.plots.scores_by_seed(runs, baseline={held}{more})"])


def _runs(name: str, entries: Sequence[Entry]) -> list[str]:
    ids = (run.run for entry in entries for run in entry.runs)
    return [f"{name} = [", *(f"    wb.find_run({id!r})," for id in ids), "]"]
