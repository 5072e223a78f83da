"""``wb.controls``: what controls share with the method, what they do not, and the table that joins them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import workbench as wb
from workbench.errors import UsageError
from workbench.runs.control_table import QUESTIONS, SAME_UPDATES, Controls, tabulate
from workbench.runs.controls import control_plan, same_updates
from workbench.runs.folder import Run
from workbench.runs.store import run_folders
from workbench.spec import Spec

SHORT = {"epochs": 30, "patience": 4, "keep_every": 0}
ROWS = [
    "kd",
    "student alone",
    "student alone, same updates",
    "label smoothing",
    "untrained teacher",
    "label-shuffled teacher",
]
SPEC = Spec.parse({"dataset": "builtin-karate", "teacher": "gcn", "student": "gcn", "method": "kd", "training": SHORT})


def quick(root: Path, dataset: Any = "builtin-karate", **changes: Any) -> Controls:
    options = {"teacher": "gcn", "seeds": [0, 3], "training": SHORT, "teacher_training": SHORT}
    return wb.controls(dataset, **{**options, **changes}, device="cpu", root=root)


def results(runs: tuple[Run | None, ...]) -> list[dict[str, Any]]:
    return [run.result for run in runs if run is not None and run.result is not None]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def heard() -> list[tuple[str, float]]:
    return []


@pytest.fixture(scope="module")
def finished(root: Path, heard: list[tuple[str, float]]) -> Controls:
    return quick(root, progress=lambda what, share: heard.append((what, share)))


def test_each_control_changes_one_thing() -> None:
    plan = control_plan([SPEC.replace(seed=seed) for seed in (5, 7)])
    changes = {"student alone": "method", "label smoothing": "method"}
    changes |= {"untrained teacher": "teacher_control", "label-shuffled teacher": "teacher_control"}
    assert list(plan) == [name for name in ROWS if name != SAME_UPDATES]
    for name, changed in changes.items():
        assert [made.seed for made in plan[name]] == [5, 7]
        for made, own in zip(plan[name], plan["kd"], strict=True):
            assert made != own
            assert made.replace(**{changed: getattr(own, changed)}) == own


def test_a_sum_is_held_against_the_same_controls() -> None:
    plan = control_plan([SPEC.replace(method="kd+at")])
    assert next(iter(plan)) == "kd+at"
    assert [part.name for part in plan["untrained teacher"][0].method] == ["kd", "at"]
    assert "label-smoothing+gcrd" in control_plan([SPEC.replace(method="label-smoothing+gcrd")])


def test_every_row_has_every_seed_and_its_score(finished: Controls) -> None:
    assert [row.name for row in finished.rows] == ROWS
    assert finished.seeds == (0, 3)
    for row in finished.rows:
        scores = [found["student"]["metrics"]["test"]["accuracy"] for found in results(row.runs)]
        assert list(row.values) == scores
        assert [run.seed for run in row.runs if run is not None] == [0, 3]
    assert finished.rows[0].difference is None
    method = finished.rows[0].values
    for row in finished.rows[1:]:
        assert row.difference is not None
        differences = [a - b for a, b in zip(method, row.values, strict=True) if a is not None and b is not None]
        assert row.difference.difference == pytest.approx(sum(differences) / 2)
        assert row.difference.n == 2


def test_the_student_alone_makes_as_many_updates_as_the_distilled_one(finished: Controls) -> None:
    rows = {row.name: row.runs for row in finished.rows}
    wanted = [found["student"]["epochs"] for found in results(rows["kd"])]
    assert min(wanted) < 30, "patience ended one of them early, or this test shows nothing"
    assert [found["student"]["epochs"] for found in results(rows[SAME_UPDATES])] == wanted
    for run in rows[SAME_UPDATES]:
        assert run is not None
        assert (run.spec.objective.name, run.spec.training.patience) == ("none", 0)


def test_teachers_are_what_the_rows_say(finished: Controls) -> None:
    found = {row.name: [result["teacher"].get("control") for result in results(row.runs)] for row in finished.rows}
    assert found.pop("untrained teacher") == ["untrained"] * 2
    assert found.pop("label-shuffled teacher") == ["shuffled"] * 2
    assert all(control == [None, None] for control in found.values())


def test_progress_hears_of_every_run(finished: Controls, heard: list[tuple[str, float]]) -> None:
    told = [f"{name}, seed {seed}" for name in (*ROWS[:2], *ROWS[3:], SAME_UPDATES) for seed in (0, 3)]
    assert [what for what, _ in heard] == [*told, "controls"]
    assert [share for _, share in heard] == pytest.approx([k / 12 for k in range(13)])


def test_a_second_call_runs_nothing_again(finished: Controls, root: Path) -> None:
    def stamps() -> dict[str, int]:
        return {folder.name: (folder / "result.json").stat().st_mtime_ns for folder in run_folders(root)}

    before = stamps()
    assert len(before) == 12
    assert quick(root).to_dict() == finished.to_dict()
    assert stamps() == before
    one = quick(root, seeds=(3,))
    assert stamps() == before, "a seed that was run is not run again"
    assert [row.values for row in one.rows] == [row.values[1:] for row in finished.rows]


def test_the_document_holds_everything_and_is_json(finished: Controls) -> None:
    document = json.loads(json.dumps(finished.to_dict(), allow_nan=False))
    assert [row["name"] for row in document["rows"]] == ROWS
    assert document["seeds"] == [0, 3]
    assert (document["metric"], document["split"]) == ("accuracy", "test")
    assert document["spec"]["method"][0]["name"] == "kd"
    assert "seed" not in document["spec"]
    assert all(len(row["runs"]) == len(row["values"]) == row["n"] == 2 for row in document["rows"])


def test_ones_own_graph_may_be_used(tmp_path: Path) -> None:
    data = wb.load_dataset("builtin-karate").clone()
    table = quick(tmp_path, data, seeds=[0], training={"epochs": 4}, teacher_training={"epochs": 4})
    assert all(value is not None for row in table.rows for value in row.values)
    assert "One seed" in table.notes[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "none"}, "method 'none' does not use the teacher"),
        ({"method": "label-smoothing"}, "method 'label-smoothing' does not use the teacher"),
        ({"method": "kdd"}, "did you mean 'kd'"),
        ({"teacher": nn.Linear(2, 2)}, "your own teacher is trained in place"),
        ({"student": nn.Linear(2, 2)}, "your own student is trained in place"),
        ({"seeds": 5}, r"such as range\(5\)"),
        ({"seeds": "01"}, r"such as range\(5\)"),
        ({"seeds": []}, "seeds are empty"),
        ({"seeds": [0, -1]}, "greater than or equal to 0"),
        ({"method": "lsp", "student": {"name": "gcn", "num_layers": 1}}, "this student has none"),
    ],
)
def test_what_cannot_be_held_against_controls_is_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        quick(tmp_path / "runs", **options)
    assert not (tmp_path / "runs").exists()


def test_a_seed_counts_once_however_it_is_written(finished: Controls, root: Path) -> None:
    assert quick(root, seeds=["3", 3, 0, 3]).seeds == (3, 0)


def test_the_docstring_asks_the_questions_of_the_table() -> None:
    text = " ".join((wb.controls.__doc__ or "").split())
    assert len(QUESTIONS) == 5
    assert all(f"*{name}*: {question}" in text for name, question in QUESTIONS.items())


def test_how_true_shuffled_labels_are_is_noted(finished: Controls) -> None:
    shares = [found["teacher"]["labels_still_true"] for found in results(finished.rows[-1].runs)]
    train, val = (50 * (shares[0][split] + shares[1][split]) for split in ("train", "val"))
    note = f"by chance {train:.0f} % of its training and {val:.0f} % of its validation labels stayed true."
    assert finished.notes[-1] == f"label-shuffled teacher: {note}"


def test_students_alone_of_the_same_training_are_said_to_be_one(tmp_path: Path, finished: Controls) -> None:
    data = wb.load_dataset("builtin-karate").clone()
    short = {"epochs": 4, "patience": 0}
    table = quick(tmp_path, data, training=short, teacher_training={"epochs": 4})
    rows = {row.name: row for row in table.rows}
    assert f"{SAME_UPDATES}: the very same training as student alone for seed 0, 3." in table.notes
    assert rows[SAME_UPDATES].runs == rows["student alone"].runs, "and one's own graph is not trained on twice"
    assert len(list(run_folders(tmp_path))) == 10
    made = {row.name: [found["student"]["epochs"] for found in results(row.runs)] for row in finished.rows}
    same = [seed for k, seed in enumerate((0, 3)) if made["student alone"][k] == made[SAME_UPDATES][k]]
    assert any("the very same" in note for note in finished.notes) == bool(same)


def test_a_control_of_a_control_is_refused() -> None:
    with pytest.raises(UsageError, match="set by the controls themselves"):
        control_plan([SPEC.replace(teacher_control="untrained")])


@pytest.fixture
def scored(make_run_folder: Callable[..., Path]) -> Callable[..., Run]:
    """A finished run whose student has this test accuracy."""

    def make(name: str, accuracy: float, **options: Any) -> Run:
        folder = make_run_folder(name, **options)
        document = json.loads((folder / "result.json").read_text())
        document["student"]["metrics"]["test"]["accuracy"] = accuracy
        (folder / "result.json").write_text(json.dumps(document))
        return Run(folder)

    return make


def test_the_statistics_are_those_of_pairs(scored: Callable[..., Run]) -> None:
    method = [scored(f"m{k}", value) for k, value in enumerate((0.52, 0.64, 0.76))]
    control = [scored(f"c{k}", value) for k, value in enumerate((0.51, 0.62, 0.73))]
    first, second = tabulate(SPEC, "accuracy", [0, 1, 2], {"kd": method, "student alone": control}).rows
    # Differences of 1, 2 and 3 points: t = 2 √3 with two degrees of freedom.
    t = 2 * math.sqrt(3)
    assert second.difference is not None
    assert second.difference.difference == pytest.approx(0.02)
    assert second.difference.p == pytest.approx(1 - t / math.sqrt(t * t + 2))
    assert first.summary is not None
    assert (first.summary.mean, first.summary.std) == (pytest.approx(0.64), pytest.approx(0.12))


def test_the_table_reads_in_percent_points(scored: Callable[..., Run]) -> None:
    method = [scored(f"m{k}", value) for k, value in enumerate((0.52, 0.64, 0.76))]
    control = [scored(f"c{k}", value) for k, value in enumerate((0.51, 0.62, 0.73))]
    table = tabulate(SPEC, "accuracy", [0, 1, 2], {"kd": method, "student alone": control})
    lines = str(table).splitlines()
    assert lines[0] == "| student | test accuracy % | kd minus it | 95 % interval | p | it asks |"
    assert lines[2].startswith("| kd | 64.0 ± 12.0 |  |  |  |")
    # 2 points plus or minus 4.303 standard errors of 1 / √3.
    assert lines[3].startswith("| student alone | 62.0 ± 11.0 | +2.0 | -0.5 to +4.5 | 0.074 | does distillation")
    assert "not corrected for the 1 comparisons" in lines[-1]
    html = table._repr_html_()
    assert html.count("<tr>") == 3
    assert "<td>62.0 ± 11.0</td>" in html
    frame = table.to_frame()
    assert list(frame.index) == ["kd", "student alone"]
    assert frame.loc["student alone", "difference"] == pytest.approx(0.02)
    assert frame.loc["student alone", "seed 2"] == 0.73


def test_one_seed_gives_differences_without_a_test(scored: Callable[..., Run]) -> None:
    table = tabulate(SPEC, "accuracy", [0], {"kd": [scored("m", 0.6)], "student alone": [scored("c", 0.5)]})
    document = table.to_dict()["rows"][1]["difference"]
    assert document == {"mean": pytest.approx(0.1), "interval": None, "p": None, "n": 1}
    assert "| +10.0 | – | – |" in str(table)
    assert "One seed" in table.notes[0]


def test_the_same_difference_of_every_seed_makes_no_test_and_that_is_said(scored: Callable[..., Run]) -> None:
    method = [scored(f"m{k}", value) for k, value in enumerate((0.815, 0.702))]
    control = [scored(f"c{k}", value) for k, value in enumerate((0.802, 0.689))]
    table = tabulate(SPEC, "accuracy", [0, 1], {"kd": method, "student alone": control})
    assert "| +1.3 | – | – |" in str(table)
    assert "– for student alone: every seed differs by the same amount: no test." in table.notes


def test_what_did_not_finish_is_left_out_and_said(scored: Callable[..., Run], make_run_folder: Any) -> None:
    method = [scored("m0", 0.6), scored("m1", 0.7), Run(make_run_folder("m2", state="failed"))]
    alone = [scored("c0", 0.5), Run(make_run_folder("c1", state="stopped")), scored("c2", 0.5)]
    rows = {"kd": method, "student alone": alone, SAME_UPDATES: [None, None, None]}
    table = tabulate(SPEC, "accuracy", [4, 5, 6], rows)
    assert table.rows[0].values == (0.6, 0.7, None)
    assert table.rows[1].difference is not None
    assert table.rows[1].difference.n == 1, "only seed 4 has both"
    assert table.rows[2].summary is None
    assert table.rows[2].difference is None
    assert "kd: not finished, and so left out, for seed 6." in table.notes
    assert "student alone: not finished, and so left out, for seed 5." in table.notes
    assert table.to_dict()["rows"][2]["n"] == 0
    assert "| student alone, same updates | – |" in str(table)


def test_how_many_updates_are_the_same_comes_from_the_run(make_run_folder: Callable[..., Path]) -> None:
    made = same_updates(SPEC, Run(make_run_folder()))  # whose student made 40 epochs
    assert (made.training.epochs, made.training.patience) == (40, 0)
    assert made.training.replace(epochs=30, patience=4) == SPEC.training
    assert made.objective.name == "none"
