"""Several runs at once: which ones a form asks for, what there is of them already, and how they stand in line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from workbench.datasets.base import DatasetConfig
from workbench.errors import UsageError, WorkbenchError
from workbench.pages.frame import explained, link
from workbench.pages.run_rows import POLL_SECONDS, run_row
from workbench.pages.sizes import stamp
from workbench.pages.wording import by_line, plain
from workbench.runs.folder import Run
from workbench.runs.status import Status
from workbench.runs.store import PRIVATE, runs_root
from workbench.spec import Spec

MOST_RUNS = 100  # of one launch: each waits in a process of its own
LAUNCHED, FAULTS = "launched", "launch-faults"


def each_method(document: Mapping[str, Any], compare: bool) -> list[dict[str, Any]]:
    """The documents that a form stands for: one, or one for every method where these are compared."""
    if not compare:
        return [dict(document)]
    return [{**document, "method": [method]} for method in document["method"]]


def wanted_specs(documents: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> list[Spec]:
    """A spec for every document and seed, seed by seed, so that a teacher is used while it is fresh.

    Raises UsageError for what is no spec, and for more of them than one launch starts.
    """
    if (number := len(documents) * len(seeds)) > MOST_RUNS:
        raise UsageError(f"these are {number} runs, and at most {MOST_RUNS} are launched at once: take fewer seeds")
    first = [Spec.parse({**document, "seed": seeds[0]}, "") for document in documents]
    return [spec.replace(seed=seed) for seed in seeds for spec in first]


def earlier_run(spec: Spec) -> Run | None:
    """The run that launching this very spec would lead to, where there is one; nothing is loaded for it."""
    from workbench.runs.claim import run_id
    from workbench.training.device import resolve_device

    try:
        dataset = _pinned(spec.dataset.model_dump_json(), stamp(spec.dataset), spec.dataset)
        settled = spec.replace(device=str(resolve_device(spec.device)), dataset=dataset)
    except UsageError:  # the launch will say what is missing
        return None
    folder = runs_root() / run_id(settled)
    return Run(folder) if folder.is_dir() else None


@st.cache_data(max_entries=100, show_spinner="Reading your files …")
def _pinned(text: str, stamp: list[int], _dataset: DatasetConfig) -> DatasetConfig:
    return _dataset.pinned()


def launch_all(specs: Sequence[Spec], fresh: bool) -> None:
    """Start every run and go to watch the first; what cannot be started is said there, or here where nothing can."""
    from workbench.runs.launch import launch

    news = {
        "finished": "This very spec has already been run; here is its result.",
        "running": "This very spec is already on its way; here it is.",
        "resumed": "This spec was begun before; it goes on from its checkpoint.",
    }
    bar = st.progress(0.0, text="Checking the spec …")
    notes = st.session_state.setdefault("launch-notes", {})
    launched, faults = [], []
    try:
        for number, spec in enumerate(specs, start=1):
            which = f"Run {number} of {len(specs)}: " if len(specs) > 1 else ""
            try:
                one = launch(spec, fresh=fresh, progress=partial(_tell, bar, which))
            except WorkbenchError as error:
                if len(specs) == 1:
                    raise
                faults.append(f"{spec.objective.name}, seed {spec.seed}: {error}")
                continue
            notes[one.run.id] = [*([news[one.status]] if one.status in news else []), *one.notes]
            launched.append(one.run.id)
    finally:
        bar.empty()  # where nothing could be started, the form stays
    if not launched:
        raise UsageError("\n".join(["none of these runs can be started:", *faults]))
    st.session_state.update({LAUNCHED: launched, FAULTS: faults})
    st.query_params.update({"view": "watch", "run": launched[0]})
    st.rerun()


def _tell(bar: Any, which: str, text: str, share: float) -> None:
    bar.progress(min(share, 1.0), plain(which + text))


def show_queue(runs: Mapping[str, Run]) -> None:
    """Runs that are going on or wait, and those of the last launch; nothing where there are fewer than two."""
    for fault in st.session_state.get(FAULTS, []):
        st.warning(f"Not started: {by_line(fault)}")
    together = st.session_state.get(LAUNCHED, [])
    shown = [run for id, run in runs.items() if run.status.alive or (len(together) > 1 and id in together)]
    if len(shown) < 2:
        return
    alive = any(run.status.alive for run in shown)
    with st.expander(f"Queue: {len(shown)} runs", icon=":material/format_list_numbered:", expanded=alive):
        st.fragment(_rows, run_every=POLL_SECONDS if alive else None)([run.path for run in shown], alive)


def _rows(paths: Sequence[Path], was_alive: bool) -> None:
    runs = in_line([Run(path) for path in paths if path.is_dir()], runs_root())
    alive = [run for run in runs if run.status.alive]
    summary, button = st.columns([5, 1], vertical_alignment="center")
    summary.caption(_summary(runs))
    if alive and button.button(
        "Stop all",
        icon=":material/stop:",
        key="stop-all",
        width="stretch",
        help="Every run of this list keeps its checkpoint.",
    ):
        with explained():
            with st.spinner("Stopping all of them after their epoch …"):
                stop_all(alive)
            st.rerun()
    for run in runs:
        with explained():
            run_row(run, _stop_button)
    if not alive:
        link("compare", "Compare them")
    if was_alive and not alive:
        st.rerun()  # of the whole page, which then stops polling


def _stop_button(run: Run, status: Status) -> None:
    if status.alive and st.button("Stop", icon=":material/stop:", key=f"stop-in-queue-{run.id}", width="stretch"):
        from workbench.runs.launch import stop

        with st.spinner("Stopping …"):
            stop(run)
        st.rerun()


def stop_all(runs: Sequence[Run]) -> None:
    """Stop runs, all at the same time, so that none takes the place of another meanwhile."""
    from workbench.runs.launch import stop

    def stop_one(run: Run) -> None:
        with suppress(WorkbenchError, FileNotFoundError):  # it has ended by itself, or somebody deleted it
            stop(run)

    with ThreadPoolExecutor(max_workers=len(runs)) as pool:
        list(pool.map(stop_one, runs))


def in_line(runs: Sequence[Run], root: Path) -> list[Run]:
    """Running ones first, then those that wait, in the order in which they will start, then those that have ended."""
    # A waiting process leaves a ticket that is named after the moment when it was drawn, and after the process.
    tickets = {
        ticket.stem.rpartition("-")[2]: ticket.stem for ticket in (root / PRIVATE / "queue").glob("*/[!.]*.json")
    }

    def place(run: Run) -> tuple[int, str, float]:
        status = run.status
        group = ("running", "queued").index(status.state) if status.alive else 2
        return group, tickets.get(str(status.pid), "~"), status.created

    return sorted(runs, key=place)


def _summary(runs: Sequence[Run]) -> str:
    """How many there are of each state, on which device."""
    found: Counter[tuple[str, str]] = Counter()
    for run in runs:
        with suppress(WorkbenchError):
            found[str(run.document.get("device", "")), run.status.state] += 1
    devices = sorted({device for device, _ in found})
    states = ("running", "queued", "done", "failed", "stopped", "lost")
    each = (
        f"**{plain(device)}** · " + ", ".join(f"{found[device, s]} {s}" for s in states if found[device, s])
        for device in devices
    )
    return "; ".join(each) + ". One run at a time has a device, first come, first served."
