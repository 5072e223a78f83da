"""The runs of a sweep as a list and as a table: what would run, and what came out, on average over seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.cli.output import count, duration, print_json, print_table, say
from workbench.cli.results import SIDES, entry, shown_metrics
from workbench.cli.summaries import mean_and_std, summary

if TYPE_CHECKING:
    from workbench.runs.sweep import Sweep
    from workbench.spec import Spec

PARTS = ("dataset", "teacher", "student", "method")
STATES = {"missing": "to run", "done": "finished", "queued": "going on", "running": "going on"}


def runs_in_words(number: int) -> str:
    return f"{number} run{'' if number == 1 else 's'}"


def list_runs(sweep: Sweep, slots: int, as_json: bool) -> None:
    """What would run, and what is finished."""
    from workbench.runs.sweep import state_of

    rows = [(id, _parts(job.spec), state_of(sweep.root / id)) for id, job in sweep.jobs.items()]
    if as_json:
        runs = [{"id": id, "spec": parts, "state": state} for id, parts, state in rows]
        return print_json({"name": sweep.name, "id": sweep.id, "slots": slots, "runs": runs})
    columns = (*PARTS, "seed", "state", "run")
    cells = [(*map(str, parts.values()), STATES.get(state, f"{state}, goes on"), id) for id, parts, state in rows]
    print_table(columns, cells, right=("seed",))
    done = sum(state == "done" for *_, state in rows)
    most = f"{slots} slot{'' if slots == 1 else 's'}"
    say(f"{sweep.name}: {runs_in_words(len(rows))}, {done} finished, {len(rows) - done} to run, with {most} at most")


def report_runs(sweep: Sweep, engine: str, seconds: float, as_json: bool) -> None:
    """Every run with its numbers as one document, or a table of means over seeds. ``seconds`` is what it took now."""
    entries = [{"spec": _parts(sweep.jobs[run.id].spec), **entry(run)} for run in sweep.runs]
    if as_json:
        head = {"name": sweep.name, "id": sweep.id, "engine": engine, "seconds": round(seconds, 3)}
        return print_json({**head, "runs": entries})
    groups: dict[str, list[dict[str, Any]]] = {}
    for job, found in zip(sweep.jobs.values(), entries, strict=True):
        groups.setdefault(job.spec.replace(seed=0).id, []).append(found)
    columns = (*PARTS, "runs", "metric", "teacher's", "student's", "parameters")
    print_table(columns, [_row(group) for group in groups.values()], right=columns[6:])
    say(f"{sweep.name}: {runs_in_words(len(entries))}, {duration(seconds)}")


def _row(group: list[dict[str, Any]]) -> list[str]:
    """The mean over the seeds of what is the same but for them."""
    done = [found for found in group if found["state"] == "done"]
    means = {side: summary(found[side] for found in done if found[side]) for side in SIDES}
    name = shown_metrics(means)[0]
    scores = [mean_and_std(means[side].get("test", {}).get(name)) for side in SIDES]
    sizes = dict.fromkeys(
        " → ".join(count(found[side] and found[side]["parameters"]) for side in SIDES) for found in done
    )
    counted = str(len(group)) if len(done) == len(group) else f"{len(done)} of {len(group)}"
    first = group[0]["spec"]
    return [*(str(first[part]) for part in PARTS), counted, name.replace("_", " "), *scores, ", ".join(sizes)]


def _parts(spec: Spec) -> dict[str, Any]:
    """What a person knows a run by, in the order of :data:`PARTS`, and its seed."""
    return {
        "dataset": spec.dataset.name,
        "teacher": spec.teacher.name,
        "student": spec.student.name,
        "method": spec.objective.name,
        "seed": spec.seed,
    }
