"""Robustness, on Compare: accuracy on disturbed graphs, and a button for the runs that have not been measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from workbench.pages import class_mode, shown
from workbench.pages.frame import all_runs, choose, explained, title
from workbench.pages.runs_snippet import runs_as_command, runs_as_python, section_as_code
from workbench.pages.tasks import held_of
from workbench.pages.wording import plain
from workbench.pages.worker_tasks import at_work
from workbench.runs.folder import Run
from workbench.runs.leaderboard import Entry
from workbench.runs.robustness import FAILED, MEASURING
from workbench.runs.robustness_curves import Curve, Measured, curves, measured_entries
from workbench.runs.robustness_file import has_robustness
from workbench.runs.robustness_plan import LEVELS, SEEDS, Kind
from workbench.runs.stored_models import has_weights

TASK = "robustness"  # of a worker
NAMES: Mapping[Kind, str] = {
    "remove_edges": "Edges removed",
    "add_edges": "Edges added",
    "noisy_features": "Noise on features",
}


def robustness_section(entries: Sequence[Entry]) -> None:
    """What ``entries`` of one dataset have stored, and what they can be asked for; nothing where neither is there."""
    runs = all_runs()
    own = [runs[seed.run] for entry in entries for seed in entry.runs if seed.run in runs]
    having = [run for run in own if has_robustness(run)]
    missing = {run.id: run for run in own if not has_robustness(run) and _can_be_measured(run)}
    if not having and not missing:
        return
    st.subheader("Robustness")
    with explained():
        if having:
            _figure(measured_entries(having))
        if missing:
            _ask(missing)


def _can_be_measured(run: Run) -> bool:
    """Whether it is on the nodes of one graph, all of one type, and has its weights."""
    return "graph" in run.array_names() and held_of(run) == "graph" and has_weights(run)


def _figure(measured: Measured) -> None:
    from workbench.plots import robustness_curves

    kinds = measured.kinds
    if not kinds:
        st.info("No kind of disturbance was measured for all of these runs.", icon=":material/info:")
        return
    kind = choose(
        st.segmented_control,
        "Disturbance",
        "disturbance",
        kinds,
        format_func=NAMES.__getitem__,
        required=True,
        help="What is done to the graph before the finished models are tested on it. Nothing is trained again.",
    )
    found = curves(measured, kind)
    students = sum(curve.role == "student" for curve in found)
    best = f" The best {robustness_curves.MOST} of {students} students." if students > robustness_curves.MOST else ""
    shown.figure(
        robustness_curves.draw(found, kind, measured.entries[0].dataset),
        f"robustness-{kind}",
        "robustness",
        "Lines of test accuracy against the level of a disturbance: teacher, student alone and distilled students.",
        "All models see the same disturbed graphs, with the weights that they have. Lines are means; bands are one "
        f"standard deviation, over training seeds where there are several. {_reading(kind)}{best}",
    )
    columns = robustness_columns(found)
    one_digit = {
        name: st.column_config.NumberColumn(format="%.1f") for name in columns if name not in ("model", "over")
    }
    shown.table(columns, f"robustness-{kind}", "robustness-table", column_config=one_digit)
    ids = list(measured.records)
    section_as_code("the robustness", runs_as_python(ids, "robustness", kind=kind), _command(measured, kind))


def _reading(kind: Kind) -> str:
    if kind != "noisy_features":
        return "An edge goes or comes in both directions; at 100 % removed a model has the features alone."
    return (
        "At 1 the noise is as large as what tells nodes apart. Bags of words lose their zeros by it, and are not "
        "scaled again."
    )


def robustness_columns(found: Sequence[Curve]) -> dict[str, list[str | float | None]]:
    """Columns of the table, accuracies in percent."""
    levels = found[0].levels.tolist()
    columns: dict[str, list[str | float | None]] = {"model": [curve.name for curve in found]}
    for at, level in enumerate(levels):
        columns[f"at {level:g}"] = [round(100 * float(curve.mean[at]), 2) for curve in found]
    columns[f"drop at {levels[-1]:g}"] = [round(100 * curve.summary.drops[-1], 2) for curve in found]
    areas = [curve.area for curve in found]
    columns["mean over levels"] = [round(100 * area.mean, 2) for area in areas]
    columns["± std"] = [None if area.std is None else round(100 * area.std, 2) for area in areas]
    columns["over"] = [curve.over for curve in found]
    return columns


def _command(measured: Measured, kind: Kind) -> str:
    record = next(iter(measured.records.values()))
    options = ["--kinds", kind]
    if record.levels != LEVELS:
        options += ["--levels", ",".join(f"{level:g}" for level in record.levels)]
    if record.seeds != SEEDS:
        options += ["--seeds", str(record.seeds)]
    return runs_as_command("robustness", list(measured.records), *options)


def _ask(missing: Mapping[str, Run]) -> None:
    """Offer to measure one of the runs that have not been, or show how far those are that are being measured."""
    going_on = [run for run in missing.values() if run.path in at_work(TASK)]
    if going_on:
        st.fragment(_wait, run_every=1.0)([run.path for run in going_on])
    waiting = {id: run for id, run in missing.items() if run not in going_on}
    if not waiting or class_mode.hidden("launch", "Measuring robustness"):
        return
    with st.container(border=True):
        number = f"{len(waiting)} of these runs" if len(waiting) > 1 else "One of these runs"
        have = "have" if len(waiting) > 1 else "has"
        st.markdown(f"{number} {have} not been measured on disturbed graphs. It takes seconds to minutes each, once.")
        id = choose(
            st.selectbox,
            "Measure",
            "measure",
            list(waiting),
            format_func=lambda id: title(waiting[id]),
            help="Its teacher and its student, and the student alone of the same seed where that has been run.",
        )
        run = waiting[id]
        if failed := [warning for warning in run.status.warnings if warning.startswith(FAILED)]:
            st.warning(plain(failed[-1]), icon=":material/warning:")
        if st.button("Measure it now", type="primary", key="measure-robustness", icon=":material/query_stats:"):
            from workbench.runs.launch import start_worker

            start_worker(run, TASK)
            st.rerun()
        st.markdown("All of them at once, on the command line:")
        st.code(runs_as_command("robustness", list(waiting)), language="bash", wrap_lines=True)


def _wait(paths: Sequence[Path]) -> None:
    alive = at_work(TASK)
    if any(path not in alive for path in paths):
        st.rerun()  # the page shows what came of it
    for path in paths:
        run = Run(path)
        last = (run.log().strip().splitlines() or [""])[-1]
        _, _, done = last.partition(f" {MEASURING} ")
        share = int(done.split()[0]) / 100 if done.split() and done.split()[0].isdigit() else 0.0
        st.progress(min(share, 1.0), text=plain(f"Measuring {title(run)}"))
