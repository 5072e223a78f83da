"""Compare: a leaderboard over any set of finished runs, score against cost, and every seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import streamlit as st

from workbench.pages.compare_filters import ALL, clear_filters, pick_dataset, pick_entries, pick_whose
from workbench.pages.compare_snippet import comparison_as_python
from workbench.pages.frame import all_runs, as_code, choose, explained, is_example, link, note, nothing_here
from workbench.pages.leaderboard_table import paper_notes, show_table
from workbench.pages.robustness_section import robustness_section
from workbench.pages.similarity_section import similarity_section
from workbench.pages.wording import plain
from workbench.runs.entry_differences import Difference, baseline_of, difference, missing_alone, student_alone
from workbench.runs.folder import Run
from workbench.runs.leaderboard import ALONE, METRICS, Entry, Leaderboard, digest, leaderboard, named

if TYPE_CHECKING:
    from workbench.plots.pareto import Cost

COSTS: Mapping[Cost, str] = {"parameters": "Parameters", "bytes": "Size", "latency_ms": "Latency"}
STUDENT_ALONE, NOTHING = "alone", "none"  # choices of a baseline, besides an entry
BASELINES = {STUDENT_ALONE: "The student alone of each", NOTHING: "None"}
GAPS = 3  # links to set up what is missing; more would hide the leaderboard
KEPT = 12  # results kept per function, for all visitors together

LISTED = """import workbench as wb

[(run.title, run.result["student"]["metrics"]["test"]) for run in wb.list_runs() if run.result]"""


def show() -> None:
    st.title("Compare")
    runs = all_runs()
    if not runs:
        nothing_here("There is no run to compare yet: distil a first one.", "distil", "Set up a run")
        return
    filters = st.columns([3, 2, 2, 2, 3])
    with filters[3]:
        whose = pick_whose()
    chosen = [run for run in runs.values() if whose == ALL or is_example(run) == (whose == "examples")]
    with explained():
        stamp = digest([(run.id, str(run.path), run.status.state, run.status.updated) for run in chosen])
        board = _board(stamp, chosen)
        if not board.entries:
            _nothing_finished(board)
            return
        of_dataset = pick_dataset(filters[0], board.entries, chosen)
        entries = named(pick_entries(filters, of_dataset))
        if not entries:
            st.info("No finished run fits these filters.", icon=":material/filter_alt_off:")
            st.button("Clear the filters", on_click=clear_filters)
            return
        _compare(stamp, board, of_dataset, entries)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _board(stamp: str, _runs: Sequence[Run]) -> Leaderboard:
    return leaderboard(_runs)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _differences(stamp: str, baseline: str, data: Sequence[str], _known: Sequence[Entry]) -> dict[str, Difference]:
    """By entry, of those that there is something to hold against."""
    one = _held_against(_known, baseline)
    if one is None:
        return {}
    of = {e.id: student_alone(e, _known) if one == "alone" else baseline_of(e, one) for e in _known}
    found = {entry.id: difference(entry, of[entry.id]) for entry in _known}
    return {id: apart for id, apart in found.items() if apart is not None}


def _nothing_finished(board: Leaderboard) -> None:
    with st.container(border=True):
        if board.unfinished or board.damaged:
            st.markdown(f"None of these runs is finished. {_left_out(board)}")
            link("distil", "Watch the runs", view="watch")
        else:
            st.markdown("There is none of these runs yet.")
        link("distil", "Set up a run")


def _left_out(board: Leaderboard) -> str:
    counts = ((board.unfinished, "not finished"), (board.damaged, "damaged or without a score"))
    words = [f"{number} {what}" for number, what in counts if number]
    return f"Left out: {', '.join(words)}." if words else ""


def _compare(stamp: str, board: Leaderboard, known: Sequence[Entry], entries: Sequence[Entry]) -> None:
    """The leaderboard of ``entries``, and its figures; a baseline may be any of the ``known`` ones of the dataset."""
    several = len({entry.data for entry in known}) > 1
    names = BASELINES | {e.id: f"{e.title} · {e.dataset}" if several else e.title for e in known}
    baseline = choose(
        st.selectbox,
        "Baseline",
        "baseline",
        list(names),
        format_func=names.__getitem__,
        help="What every entry is held against, seed by seed. The student alone is the same student with the same "
        "training, without a teacher.",
    )
    differences = _differences(stamp, baseline, sorted({entry.data for entry in known}), known)
    runs = sum(len(entry.runs) for entry in entries)
    st.caption(f"{_several(len(entries), 'entry', 'entries')} of {_several(runs, 'run', 'runs')}. {_left_out(board)}")
    show_table(entries, differences, baseline)
    note(
        "Seeds of one spec are one entry: mean and sample standard deviation of the student's test score. Differences "
        "are in points, paired over the seeds that both have; p is that of a two-sided paired t-test, not corrected "
        "for the number of comparisons; d_z is their mean over their standard deviation. Nothing is left out for being "
        "worse: ▼ marks what is below the baseline or the paper."
    )
    paper_notes(entries)
    if baseline == STUDENT_ALONE:
        _missing(entries, known)
    if len({entry.data for entry in entries}) > 1:
        st.info("Scores on different datasets do not compare: choose one above for the figures.")
        as_code(LISTED, "workbench runs --json")
        return
    cost = _cost_figure(entries)
    _seed_figure(entries, known, baseline)
    robustness_section(entries)
    similarity_section(entries)
    beside = [entry for entry in known if entry.method == ALONE] if baseline == STUDENT_ALONE else []
    as_code(comparison_as_python(entries, cost, _held_against(known, baseline), beside), "workbench runs")


def _missing(entries: Sequence[Entry], known: Sequence[Entry]) -> None:
    """Links to set up students alone that have not been run."""
    gaps = missing_alone(entries, known)
    for gap in gaps[:GAPS]:
        seeds = f"seed{'s' if len(gap.seeds) > 1 else ''} {_ranges(gap.seeds)}"
        todo = "change its seed" if gap.alone else "choose the seed there"
        of = f"{gap.entry.short_title} on {gap.entry.dataset}"
        words = f"The student alone of {of} has not been run for {seeds}: {todo}."
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(plain(words), width="content")
            link("distil", "Set it up", copy=gap.run, **({} if gap.alone else {"method": "none"}))
    if len(gaps) > GAPS:
        st.caption(f"{len(gaps) - GAPS} more students have not been run alone for all seeds.")


def _cost_figure(entries: Sequence[Entry]) -> str:
    from workbench.pages import shown
    from workbench.plots import pareto

    st.subheader("Score against cost")
    options: list[Cost] = list(COSTS)
    help = "Number of parameters, their bytes, or the milliseconds of one pass on the machine of the run."
    cost = choose(
        st.segmented_control, "Cost", "cost", options, format_func=COSTS.__getitem__, required=True, help=help
    )
    with explained():
        shown.figure(
            pareto.draw(pareto.points(entries, cost), cost, METRICS[entries[0].metric]),
            f"compare-{cost}",
            "pareto",
            "A scatter plot of test score against cost on a logarithmic axis, with the Pareto front as steps.",
            "Up and to the left is better. No model on the dotted steps is beaten by a cheaper one; bars are one "
            "standard deviation over seeds; squares are teachers."
            + (" Latencies of different machines do not compare." if cost == "latency_ms" else ""),
        )
    return cost


def _seed_figure(entries: Sequence[Entry], known: Sequence[Entry], baseline: str) -> None:
    from workbench.pages import shown
    from workbench.plots import seed_scores

    st.subheader("Every seed")
    best = f" The best {seed_scores.MOST} of {len(entries)} entries." if len(entries) > seed_scores.MOST else ""
    shown.figure(
        seed_scores.draw(seed_scores.rows(entries, _held_against(known, baseline), known), METRICS[entries[0].metric]),
        "compare-seeds",
        "seeds",
        "A row of dots per entry, one per seed, with their mean and its 95 % interval.",
        "Bars hold the mean with 95 % confidence. Lines join the same seed with and without: where they all lean one "
        f"way, the difference is not that of the seeds.{best}",
    )


def _held_against(known: Sequence[Entry], baseline: str) -> Entry | Literal["alone"] | None:
    if baseline == STUDENT_ALONE:
        return "alone"
    return next((entry for entry in known if entry.id == baseline), None)


def _several(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _ranges(seeds: Sequence[int]) -> str:
    """``1–3, 7``."""
    rows: list[list[int]] = []
    for seed in seeds:
        if rows and seed == rows[-1][-1] + 1:
            rows[-1].append(seed)
        else:
            rows.append([seed])
    return ", ".join(str(row[0]) if len(row) == 1 else f"{row[0]}–{row[-1]}" for row in rows)
