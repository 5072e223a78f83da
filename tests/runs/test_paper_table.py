"""Ours beside the papers': what a row says, which rows there are, and the command that makes one again."""

import csv
import io
import json
import re

import numpy as np
import pytest
from scipy import stats
from scored_folders import write_scored

from workbench.analysis.published import PUBLISHED
from workbench.analysis.statistics import Summary
from workbench.errors import UsageError
from workbench.runs.folder import Run
from workbench.runs.leaderboard import METRICS
from workbench.runs.paper_row import Row, decimals, signed
from workbench.runs.paper_table import rows, table
from workbench.runs.table_text import FORMATS, as_csv, as_latex, as_markdown

ARXIV = {"dataset": {"name": "arxiv"}, "teacher": {"name": "gat"}, "student": {"name": "gcn"}}
OF_THE_PAPER = {"parameters": 43_816}  # G-CRD's GCN on ogbn-arxiv


@pytest.fixture
def add(runs_root):
    number = iter(range(1000))
    return lambda score, **more: Run(write_scored(runs_root, f"run-{next(number):03d}-0123456789ab", score, **more))


def of(method, found):
    (row,) = [row for row in found if row.method == method]
    return row


def test_a_row_holds_mean_spread_and_the_paired_test_against_the_student_alone(add):
    alone, distilled = [0.70, 0.72, 0.71, 0.69], [0.73, 0.725, 0.70, 0.74]
    for seed, (a, d) in enumerate(zip(alone, distilled, strict=True)):
        add(a, method="none", seed=seed)
        add(d, seed=seed)
    add(0.9, seed=9)  # has no student alone beside it
    row = of("kd", rows())
    values = [*distilled, 0.9]
    assert (row.ours.mean, row.ours.std, row.ours.n) == pytest.approx((np.mean(values), np.std(values, ddof=1), 5))
    test = stats.ttest_rel(distilled, alone)
    assert (row.alone.difference, row.alone.p, row.alone.n) == pytest.approx(
        (np.mean(distilled) - np.mean(alone), test.pvalue, 4)
    )
    assert (row.seeds, len(row.runs)) == ((0, 1, 2, 3, 9), 5)
    assert (row.verdict, row.is_red, row.gap) == ("better than alone", False, "")
    assert row.paper_cell == "no published number"
    document = of_dict("kd", table())
    assert document["minus_alone"] == pytest.approx(100 * (np.mean(distilled) - np.mean(alone)), abs=1e-4)
    assert (document["p"], document["pairs"], document["source"]) == (row.alone.p, 4, "no published number")


def of_dict(method, found):
    (row,) = [row for row in found if row["method"] == method]
    return row


def test_students_alone_are_found_among_runs_that_are_not_shown(add):
    add(0.7, method="none")
    run = add(0.6)
    row = of("kd", rows([run]))
    assert {each.method for each in rows([run])} == {"teacher", "kd"}
    assert row.alone.difference == pytest.approx(-0.1)
    assert (row.verdict, row.is_red) == ("worse than alone", True)
    assert of("kd", rows([add(0.6, spec=ARXIV)])).verdict.startswith("student alone not run")


def test_the_papers_number_stands_beside_ours_with_the_difference_and_the_gap(add):
    for seed, score in enumerate([0.7150, 0.7180]):
        add(score, method="gcrd", seed=seed, spec={**ARXIV, "training": {"epochs": 50}}, facts=OF_THE_PAPER)
    row = of("gcrd", [row for row in rows(papers=True) if row.runs])
    assert row.paper_cell == "71.64 ± 0.16"
    assert row.minus_paper == pytest.approx(71.65 - 71.64)
    assert row.minus_paper_cell == "+0.01"
    assert row.verdict == "student alone not run, above paper"
    assert "2 seeds here, 10 seeds in the paper." in row.gap
    assert "At most 50 epochs here, 500 in the paper." in row.gap
    assert "training nodes only" in row.gap
    assert row.to_dict()["source"] == "Joshi et al., TNNLS 2022"


def test_a_row_below_the_paper_is_kept_and_marked(add):
    add(0.5, method="gcrd", spec=ARXIV, facts=OF_THE_PAPER)
    row = of("gcrd", rows())
    assert (row.verdict, row.is_red) == ("student alone not run, below paper", True)
    assert row.to_dict()["red"] is True


def test_no_difference_is_taken_to_a_student_of_another_size(add):
    add(0.75, method="gcrd", spec=ARXIV, facts={"parameters": 1000})
    row = of("gcrd", rows())
    assert (row.paper_cell, row.minus_paper, row.minus_paper_cell) == ("71.64 ± 0.16", None, "–")
    assert "The paper's student has 43,816 parameters, ours 1,000" in row.gap


def test_modelnet10_stands_beside_modelnet40_without_a_difference(add):
    spec = {"dataset": {"name": "modelnet10"}, "teacher": {"name": "dgcnn"}, "student": {"name": "dgcnn"}}
    add(0.90, method="lsp", spec=spec, facts={"parameters": 99_560})
    row = of("lsp", rows())
    assert row.paper_cell == "91.9 (modelnet40)"
    assert row.minus_paper is None
    assert "10 of the 40 classes" in row.gap
    assert [each.method for each in rows(papers=True) if each.runs] == ["lsp"]


def test_re_derived_labels_of_ppi_are_said_and_no_difference_is_taken(add):
    spec = {"dataset": {"name": "ppi"}, "teacher": {"name": "gat"}, "student": {"name": "gat"}}
    add(0.85, method="lsp", spec=spec, facts={"parameters": 176_846}, metric="micro_f1")
    row = of("lsp", rows())
    assert row.paper_cell == "97.81"
    assert row.minus_paper is None
    assert "re-derived labels" in row.gap
    assert "Yang et al., CVPR 2020: 96.1." in row.gap  # the other paper's number for the same
    students = [each for each in rows(papers=True) if (each.method, each.parameters) == ("lsp", 176_846)]
    assert [bool(each.runs) for each in students] == [True]  # it is not called a row that nobody has run


def test_a_quick_preset_is_said(add):
    usual, quick = (with_training(epochs) for epochs in (None, "quick"))
    assert of("kd", rows([add(0.5, spec=usual, fingerprint="a")])).gap == ""
    assert "quick preset" in of("kd", rows([add(0.5, spec=quick, fingerprint="b")])).gap


def with_training(preset):
    """The spec of ENZYMES, by a preset or as it is usual."""
    from workbench.spec import Spec

    found = Spec.parse({"dataset": "enzymes", "method": "kd"} | ({"preset": preset} if preset else {}))
    return found.model_dump(mode="json", exclude={"seed", "method"})


def test_a_teacher_has_a_row_beside_the_papers_teacher(add, runs_root):
    spec = {"dataset": {"name": "molhiv"}, "teacher": {"name": "pna"}, "student": {"name": "gin-graph"}}
    for seed, teacher in enumerate([0.77, 0.79]):
        run = add(
            0.75, method="gcrd", seed=seed, teacher=teacher, spec=spec, metric="auc", facts={"parameters": 10_951}
        )
        document = json.loads((run.path / "result.json").read_text())
        document["teacher"]["parameters"] = 2_433_901
        (run.path / "result.json").write_text(json.dumps(document))
    row = of("teacher", rows())
    assert (row.models, row.ours.mean, row.parameters) == ("pna", pytest.approx(0.78), 2_433_901)
    assert (row.paper_cell, row.minus_paper) == ("77.48 ± 1.71", pytest.approx(0.52))
    assert of("gcrd", rows()).paper_cell == "75.77 ± 2.02"  # by the name that the paper's model has here


def test_with_papers_every_published_number_without_a_run_is_a_row(add):
    before = rows(papers=True)
    assert {row.verdict for row in before} == {"not run"}
    assert {(row.paper.number.mean, row.paper.number.source) for row in before} == {
        (number.mean, number.source) for number in PUBLISHED if number.metric != "mean_class_accuracy"
    }
    assert sum(row.method == "teacher" and row.name == "arxiv" for row in before) == 1
    add(0.7, method="gcrd", spec=ARXIV, facts=OF_THE_PAPER)
    add(0.8)  # has no published number
    after = rows(papers=True)
    assert len(after) == len(before) + 1  # the teacher of our run is not of the paper's size: both stand there
    assert [row.title for row in after if row.runs] == ["Teacher", "G-CRD"]


def test_the_order_does_not_depend_on_the_scores(add):
    def order(scores):
        methods = ("kd", "none", [{"name": "kd"}, {"name": "gcrd"}], "lsp")
        runs = [add(score, method=method) for score, method in zip(scores, methods, strict=True)]
        return [row.title for row in rows(runs)]

    assert order((0.1, 0.2, 0.3, 0.4)) == order((0.4, 0.3, 0.2, 0.1)) == [
        "Teacher", "Student alone", "KD", "LSP", "KD + G-CRD",
    ]  # fmt: skip


def test_rows_are_of_the_datasets_that_are_wanted(add):
    add(0.7, spec=ARXIV)
    add(0.8, fingerprint="other")
    assert {row.name for row in rows(datasets=["arxiv"])} == {"arxiv"}
    with pytest.raises(UsageError, match=r"did you mean 'arxiv'.*builtin-karate"):
        rows(datasets=["arxi"])


@pytest.mark.parametrize(
    ("std", "digits"), [(None, 1), (0.123, 0), (0.0123, 1), (0.00123, 2), (0.000012, 2), (0.0, 2), (0.0999, 1)]
)
def test_a_score_has_the_digits_that_its_spread_allows(std, digits):
    assert decimals(std) == digits


@pytest.mark.parametrize(("value", "text"), [(1.26, "+1.3"), (-0.31, "−0.3"), (0.04, "0.0"), (-0.04, "0.0")])
def test_a_difference_has_its_sign_unless_it_is_nothing(value, text):
    assert signed(value, 1) == text


AWKWARD = Row(
    dataset="my|data_set & 50 %",
    teacher="gat",
    student="own*net",
    method="kd",
    metric="accuracy",
    parameters=1234,
    options=("σ^2 {x}", "a`b\nc"),
    ours=Summary(0.5, 0.012, 3),
    seeds=(0, 1, 2),
    runs=("run_1", "run_2"),
    command="workbench distill 'my|data`set' --kd.alpha 0.5",
)


def test_markdown_keeps_what_would_be_markup_in_its_cell():
    lines = as_markdown([AWKWARD]).splitlines()
    cells = re.split(r"(?<!\\)\|", lines[2])
    assert len(cells) == len(re.split(r"(?<!\\)\|", lines[0]))
    assert cells[2].strip() == r"my\|data\_set & 50 %"
    assert r"own\*net" in cells[3]
    assert r"a\`b c" in cells[4]
    assert cells[7].strip() == "50.0 ± 1.2"
    assert "- 1: `` workbench distill 'my|data`set' --kd.alpha 0.5 `` (`run_1`, `run_2`)" in lines


def test_latex_escapes_and_keeps_runs_and_command_as_comments():
    text = as_latex([AWKWARD])
    assert r"my\textbar{}data\_set \& 50 \%" in text
    assert r"\textasciicircum{}2 \{x\}" in text
    assert r"50.0 $\pm$ 1.2" in text
    body = [line for line in text.splitlines() if not line.startswith("%")]
    (row,) = [line for line in body if "own" in line]
    assert row.endswith(r"\\")
    assert len(re.findall(r"(?<!\\)&", row)) == len(re.findall(r"(?<!\\)&", body[2]))
    assert "% command: workbench distill 'my|data`set' --kd.alpha 0.5" in text
    assert "% runs: run_1 run_2" in text


def test_csv_and_json_hold_the_numbers_themselves():
    (row,) = csv.DictReader(io.StringIO(as_csv([AWKWARD])))
    assert row["dataset"] == AWKWARD.dataset
    assert (float(row["mean"]), float(row["std"]), row["n"]) == (50.0, 1.2, "3")
    assert (row["runs"], row["command"]) == ("run_1 run_2", AWKWARD.command)
    (document,) = json.loads(FORMATS["json"]([AWKWARD]))
    assert document["runs"] == ["run_1", "run_2"]
    assert {key: "" if value is None else value for key, value in document.items()}.keys() == row.keys()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_table_without_a_row_has_its_head(kind):
    text = FORMATS[kind]([])
    assert json.loads(text) == [] if kind == "json" else "method" in text


def test_every_metric_has_its_name_in_the_table(add):
    for metric in METRICS:
        add(0.8, metric=metric, spec={"dataset": {"name": metric}})
    text = as_markdown(rows())
    assert all(f", {name} |" in text for metric, name in METRICS.items() if metric != "accuracy")
