"""A side of a comparison: which arrays it reads, how it is called, and what cannot be compared."""

import json

import numpy as np
import pytest

from workbench.errors import RunError, UsageError
from workbench.runs.folder import Run
from workbench.runs.layer_arrays import layers
from workbench.runs.side import Side, check_same_graph, kept_epochs, sides, titles


@pytest.fixture
def run(make_run_folder):
    return Run(make_run_folder())


def test_a_run_alone_gives_its_teacher_and_its_student(run):
    assert sides(run) == (Side(run, "teacher"), Side(run, "student"))


def test_two_runs_give_their_students(run, make_run_folder):
    other = Run(make_run_folder("other-run-0123456789ab", seed=5))
    assert sides(run, other) == (Side(run, "student"), Side(other, "student"))


def test_a_side_reads_the_arrays_of_its_model_and_epoch(run):
    for side, file in ((Side(run, "teacher"), "teacher"), (Side(run), "student"), (Side(run, epoch=20), "epoch-00020")):
        with np.load(run.path / f"arrays/{file}.npz") as stored:
            np.testing.assert_array_equal(side.arrays()["embedding"], stored["embedding"])


def test_epochs_that_were_kept_are_listed_in_order(run):
    assert kept_epochs(run) == [20, 40]


@pytest.mark.parametrize(("who", "epoch", "said"), [("teacher", 20, "of the student"), ("nobody", None, "'nobody'")])
def test_a_side_that_cannot_be_is_refused(run, who, epoch, said):
    with pytest.raises(UsageError, match=said):
        Side(run, who, epoch)


def test_runs_on_different_graphs_are_not_compared(run, make_run_folder):
    other = Run(make_run_folder("other-run-0123456789ab", nodes=60))
    with pytest.raises(UsageError, match="different graphs"):
        sides(run, other)


def test_a_run_without_a_fingerprint_can_be_compared_with_itself_only(run, make_run_folder):
    folder = make_run_folder("older-run-0123456789ab")
    result = json.loads((folder / "result.json").read_text())
    del result["dataset"]["fingerprint"]
    (folder / "result.json").write_text(json.dumps(result))
    check_same_graph(Run(folder), Run(folder))
    with pytest.raises(UsageError, match="different graphs"):
        check_same_graph(Run(folder), run)


@pytest.mark.parametrize("missing", ["embedding", "logits"])
def test_arrays_that_lack_something_are_an_error_for_people(run, missing):
    with np.load(run.path / "arrays/student.npz") as stored:
        kept = {name: stored[name] for name in stored.files if name != missing}
    np.savez(run.path / "arrays/student.npz", **kept)
    with pytest.raises(RunError, match=f"no '{missing}'"):
        Side(run).arrays()


def test_sides_are_called_by_what_tells_them_apart(run, make_run_folder):
    other = Run(make_run_folder("other-run-0123456789ab", seed=5))
    assert titles(Side(run, "teacher"), Side(run, epoch=20)) == ("Teacher", "Student, epoch 20")
    assert titles(Side(run), Side(other)) == ("Student (seed 0)", "Student (seed 5)")
    assert titles(Side(run), Side(run)) == ("Student, left", "Student, right")


@pytest.mark.parametrize("name", ["embedding", "logits"])
@pytest.mark.parametrize(
    "wrong", [np.full((30, 2), "x"), np.zeros(30), np.array(3.0), np.zeros((30, 0)), np.zeros((30, 2), dtype=bool)]
)
def test_what_are_no_numbers_of_nodes_is_refused(run, name, wrong):
    run.store_arrays("student", **{**run.arrays("student"), name: wrong})
    with pytest.raises(RunError, match=f"no numbers in '{name}'"):
        Side(run).arrays(name)


@pytest.mark.parametrize("name", ["hidden_0", "attention_0"])
def test_layers_that_are_text_are_refused(run, name):
    run.store_arrays("teacher", **{**run.arrays("teacher"), name: np.full((30, 2), "x")})
    with pytest.raises(RunError, match=f"no numbers in '{name}'"):
        layers(Side(run, "teacher"))


@pytest.mark.parametrize("wrong", [np.array("x"), np.array(1.5), np.array(-1), np.array(2000), np.array([1, 2])])
def test_the_number_of_layers_is_a_whole_one_that_can_be(run, wrong):
    run.store_arrays("teacher", **{**run.arrays("teacher"), "num_hidden": wrong})
    with pytest.raises(RunError, match=r"damaged|no numbers in 'num_hidden'"):
        layers(Side(run, "teacher"))


def test_attention_along_no_edge_or_of_no_head_is_as_if_there_were_none(run):
    stored = run.arrays("teacher")
    for weight, edges in (((0, 2), (2, 0)), ((90, 0), (2, 90))):
        changes = {"attention_0": np.zeros(weight), "attention_edge_index_0": np.zeros(edges, dtype=np.int32)}
        run.store_arrays("teacher", **{**stored, **changes})
        assert [of is None for of in layers(Side(run, "teacher")).attention] == [True, False, False]
