"""The Knowledge gap page: every kind of run, every choice, every damage."""

import csv
import io
import shutil

import numpy as np
import pytest

from workbench.analysis.knowledge_gap import slices
from workbench.analysis.node_bins import category_bins
from workbench.pages import shown
from workbench.pages.gap_nodes import clicked_bar, clicked_cell, columns_of
from workbench.pages.tasks import page_of
from workbench.plots.gap_arrays import read_gap
from workbench.runs.folder import Run
from workbench.runs.side import sides

RUN = "karate-kd-s0-0123456789ab"
FIGURES = 3  # the map, the bars, the confusion difference


def figures(app):
    return app.get("plotly_chart")


def listed(app):
    """The nodes in the table."""
    return app.dataframe[0].value["node"].tolist() if app.dataframe else []


@pytest.fixture
def views(monkeypatch):
    """The views of this page on ``wb.plots``."""
    import workbench.plots

    homes = {"knowledge_gap": "gap_map", "gap_slices": "gap_bars", "confusion_difference": "gap_confusion"}
    for view, module in homes.items():
        monkeypatch.setitem(workbench.plots._VIEWS, view, f"workbench.plots.{module}")


def test_without_runs_the_page_says_what_to_do(open_page, texts, no_examples):
    app = open_page("knowledge_gap")
    assert not app.exception
    assert "distil a first one" in texts(app)


def test_every_example_is_drawn(open_page, examples):
    for example in (example for example in examples if page_of(example) == "embeddings"):
        app = open_page("knowledge_gap", run=example.id)
        assert not app.exception
        assert not app.error
        assert len(figures(app)) == FIGURES


def test_the_four_cases_are_counted(open_page, make_run_folder):
    make_run_folder()  # the student has nodes 0, 10 and 20 wrong; of these, 20 is one of ten test nodes
    app = open_page("knowledge_gap")
    assert [(metric.label, metric.value, metric.delta) for metric in app.metric] == [
        ("Both right", "90.0 %", "9 of 10 nodes"),
        ("Teacher only", "10.0 %", "1 of 10 nodes"),
        ("Student only", "0.0 %", "0 of 10 nodes"),
        ("Both wrong", "0.0 %", "0 of 10 nodes"),
    ]


def test_what_the_student_has_lost_is_listed_first(open_page, make_run_folder):
    make_run_folder()
    assert listed(open_page("knowledge_gap")) == [20]
    assert sorted(listed(open_page("knowledge_gap", split="all"))) == [0, 10, 20]


def test_the_address_chooses_the_nodes_of_a_bar(open_page, make_run_folder):
    make_run_folder()
    app = open_page("knowledge_gap", split="all", by="class", bin="class 1", case="both right")
    assert not app.toast
    assert sorted(listed(app)) == [1, 4, 7, 13, 16, 19, 22, 25, 28]  # class 1 without node 10


def test_the_address_chooses_the_nodes_of_a_cell(open_page, make_run_folder):
    make_run_folder()
    where = {"behind": "cell", "true-class": "2", "predicted-class": "0"}
    app = open_page("knowledge_gap", split="all", **where)
    assert not app.toast
    assert listed(app) == [20]


def test_a_choice_on_the_page_goes_into_the_address(open_page, make_run_folder):
    make_run_folder()
    app = open_page("knowledge_gap", split="all")
    app.selectbox(key="choice-by").select("class").run()
    app.selectbox(key="choice-bin").select("class 0").run()
    assert not app.exception
    assert not app.toast
    assert (app.query_params["by"], app.query_params["bin"], app.query_params["case"]) == (
        "class",
        "class 0",
        "left only",
    )
    assert listed(app) == [0]


def test_a_bin_of_another_property_is_forgotten_without_a_word(open_page, make_run_folder):
    make_run_folder()
    app = open_page("knowledge_gap", by="class", bin="class 2")
    app.selectbox(key="choice-by").select("degree").run()
    assert not app.toast
    assert app.query_params["bin"] == "any"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("run", RUN),
        ("split", "test"),
        ("by", "degree"),
        ("projection", "pca"),
        ("unit", "nodes"),
        ("bin", "any"),
        ("case", "left only"),
        ("behind", "bar"),
        ("node", "20"),
        ("right-epoch", "0"),
    ],
)
def test_a_wrong_address_falls_back_and_says_so(open_page, make_run_folder, name, kept):
    make_run_folder()
    app = open_page("knowledge_gap", **{name: "<nonsense>"})
    assert not app.exception
    assert len(figures(app)) == FIGURES
    assert "\\<nonsense\\>" in app.toast[0].value
    assert app.query_params[name] == kept


@pytest.mark.parametrize("carried", [[2, 1, 7, 10], {"0": 2, "1": 1}])
def test_a_clicked_part_of_a_bar_moves_the_controls(carried):
    found = slices(category_bins([0, 2, 2], ["a", "b", "c"]), [0, 1, 1], [False, True, True])
    found.bins[:] = 2  # the bins before it are empty
    assert clicked_bar({"x": 0.7, "customdata": carried}, found) == {
        "choice-behind": "bar",
        "choice-bin": "c",
        "choice-case": "left only",
    }


@pytest.mark.parametrize("carried", [[4, 5, 7], {"0": 4, "1": 5}])
def test_a_clicked_square_moves_the_controls(carried):
    assert clicked_cell({"customdata": carried}) == {
        "choice-behind": "cell",
        "choice-true-class": 4,
        "choice-predicted-class": 5,
    }


@pytest.mark.parametrize("split", ["test", "validation", "train", "all"])
@pytest.mark.parametrize("by", ["degree", "homophily", "distance", "class", "split"])
def test_every_split_is_drawn_by_every_property(open_page, make_run_folder, split, by):
    make_run_folder()
    app = open_page("knowledge_gap", split=split, by=by)
    assert not app.exception
    assert not app.toast
    assert len(figures(app)) == FIGURES


def test_a_umap_is_offered_where_one_is_stored(open_page, make_run_folder):
    make_run_folder()
    make_run_folder("with-umap-0123456789ab", umap=True)
    app = open_page("knowledge_gap", run="with-umap-0123456789ab", projection="umap")
    assert not app.toast
    assert len(figures(app)) == FIGURES
    assert "umap" in open_page("knowledge_gap", run=RUN, projection="umap").toast[0].value


def test_the_film_shows_the_right_model_at_a_kept_epoch(open_page, make_run_folder):
    folder = make_run_folder()
    with np.load(folder / "arrays/epoch-00020.npz") as arrays:
        embedding = arrays["embedding"]
    np.savez(folder / "arrays/epoch-00020.npz", embedding=embedding, logits=4 * np.eye(3)[(np.arange(30) + 1) % 3])
    app = open_page("knowledge_gap", **{"right-epoch": "20"})  # it was wrong everywhere then
    assert not app.toast
    labels = [metric.label for metric in app.metric]
    assert labels == ["Both right", "Teacher only", "Only student, epoch 20", "Both wrong"]
    assert app.metric[1].value == "100.0 %"


def test_two_runs_are_named_by_what_tells_them_apart(open_page, make_run_folder):
    make_run_folder()
    make_run_folder("karate-kd-s5-0123456789ab", seed=5)
    where = {"run": RUN, "left": "student", "right-run": "karate-kd-s5-0123456789ab"}
    app = open_page("knowledge_gap", **where)
    assert not app.exception
    labels = [metric.label.replace("\\", "") for metric in app.metric]
    assert labels == ["Both right", "Only student (seed 0)", "Only student (seed 5)", "Both wrong"]
    assert {"Student (seed 0) says", "Student (seed 5) says"} <= set(
        open_page("knowledge_gap", **where, case="any").dataframe[0].value.columns
    )


def test_the_same_model_on_both_sides_has_no_gap(open_page, texts, make_run_folder):
    make_run_folder()
    app = open_page("knowledge_gap", left="student")
    assert not app.exception
    assert app.metric[1].value == app.metric[2].value == "0.0 %"
    assert "no such node" in texts(app)


@pytest.mark.parametrize(
    "address",
    [
        {},
        {"split": "all", "by": "class", "bin": "class 1", "case": "both right", "unit": "share"},
        {"behind": "cell", "true-class": "2", "predicted-class": "0", "case": "any"},
        {"left": "student", "right-epoch": "20", "case": "any"},
    ],
)
def test_what_is_copied_draws_what_is_on_the_screen(open_page, make_run_folder, views, monkeypatch, address):
    drawn = []
    monkeypatch.setattr(shown, "figure", lambda figure, *_, **__: drawn.append(figure))
    make_run_folder()
    python, command = (block.value for block in open_page("knowledge_gap", **address).code[:2])
    assert command == f"workbench show {RUN}"
    *head, first, second, third = python.splitlines()
    space = {}
    exec("\n".join([*head, f"figures = [{first}, {second}, {third}]"]), space)
    assert sorted(figure.to_json() for figure in space["figures"]) == sorted(figure.to_json() for figure in drawn)


def test_the_table_says_what_is_known_of_a_node(make_run_folder):
    gap = read_gap(*sides(Run(make_run_folder())))
    gap.graph.homophily[3], gap.graph.distance[3] = np.nan, -1
    (row,) = csv.DictReader(io.StringIO(shown.as_csv(columns_of(gap, np.array([10])))))
    assert (row["node"], row["true class"], row["Teacher says"], row["Student says"]) == ("10", "1", "1", "2")
    sure = np.exp(4) / (np.exp(4) + 2)  # a logit of 4 beside two of 0
    assert float(row["Teacher sure"]) == pytest.approx(sure, abs=5e-4)
    # classes 1 and 2 have changed places: KL is the difference of their probabilities times that of their logits
    assert float(row["KL (nats)"]) == pytest.approx(4 * (sure - np.exp(-4) * sure), abs=5e-4)
    assert (row["degree"], row["homophily"], row["split"]) == ("2", "1.0", "validation")
    (lonely,) = csv.DictReader(io.StringIO(shown.as_csv(columns_of(gap, np.array([3])))))
    assert (lonely["homophily"], lonely["distance"]) == ("", "")


def test_without_stored_edges_the_page_says_what_is_missing(open_page, texts, make_run_folder):
    folder = make_run_folder()
    with np.load(folder / "arrays/graph.npz") as arrays:
        kept = {name: arrays[name] for name in ("y", "split", "degree")}
    np.savez(folder / "arrays/graph.npz", **kept)
    app = open_page("knowledge_gap")
    assert not app.exception
    assert len(figures(app)) == FIGURES
    assert "has not stored its edges" in texts(app)
    assert app.selectbox(key="choice-by").options == ["Degree", "True class", "Split"]
    assert "homophily" not in app.dataframe[0].value


@pytest.mark.parametrize(("most", "said"), [(20, True), (40, False)])
def test_a_map_of_a_sample_says_so(open_page, texts, make_run_folder, monkeypatch, most, said):
    monkeypatch.setattr("workbench.plots.gap_map.MOST", most)
    make_run_folder()
    assert ("A sample of 20 of 30 nodes" in texts(open_page("knowledge_gap", split="all"))) == said


def test_a_long_list_shows_the_largest_divergences(open_page, texts, make_run_folder, monkeypatch):
    for module in ("plots.gap_map", "pages.gap_nodes"):
        monkeypatch.setattr(f"workbench.{module}.RINGED", 2)
    make_run_folder()
    app = open_page("knowledge_gap", split="all", case="any")
    assert not app.exception
    assert len(listed(app)) == 2
    assert set(listed(app)) <= {0, 10, 20}  # the others are answered alike
    assert "The 2 with the largest KL of 30 nodes" in texts(app)


def test_a_split_without_nodes_is_a_message(open_page, make_run_folder):
    folder = make_run_folder()
    with np.load(folder / "arrays/graph.npz") as arrays:
        kept = dict(arrays)
    np.savez(folder / "arrays/graph.npz", **kept | {"split": np.ones(30, dtype=np.int8)})
    app = open_page("knowledge_gap", split="validation")
    assert not app.exception
    assert "no validation nodes" in app.error[0].value


@pytest.mark.parametrize("state", ["queued", "running", "failed", "stopped", "lost"])
def test_an_unfinished_run_is_a_message(open_page, texts, make_run_folder, state):
    make_run_folder(state=state)
    app = open_page("knowledge_gap")
    assert not app.exception
    assert not figures(app)
    assert "no predictions to show" in texts(app)


@pytest.mark.parametrize("name", ["graph", "teacher", "student", "epoch-00020"])
def test_damaged_or_missing_arrays_are_a_message(open_page, make_run_folder, name):
    folder = make_run_folder()
    file = folder / f"arrays/{name}.npz"
    file.write_bytes(b"half")
    address = {"right-epoch": "20"} if name.startswith("epoch") else {}
    app = open_page("knowledge_gap", **address)
    assert not app.exception
    assert "damaged" in app.error[0].value
    if not address:
        file.unlink()
        app.run()
        assert not app.exception
        assert "has no arrays" in app.error[0].value


def test_predictions_that_are_not_finite_are_a_message(open_page, make_run_folder):
    folder = make_run_folder()
    np.savez(folder / "arrays/student.npz", embedding=np.ones((30, 2)), logits=np.full((30, 3), np.nan))
    app = open_page("knowledge_gap")
    assert not app.exception
    assert "diverged" in app.error[0].value


def test_a_run_that_is_deleted_while_it_is_shown_gives_way_to_another(open_page, make_run_folder):
    make_run_folder("other-run-0123456789ab", seed=5)
    folder = make_run_folder()
    app = open_page("knowledge_gap", run=RUN)
    shutil.rmtree(folder)
    app.run()
    assert not app.exception
    assert app.query_params["run"] == "other-run-0123456789ab"


def test_a_run_of_another_task_is_sent_to_its_page(open_page, texts, make_run_folder, make_snapshot_folder):
    make_run_folder()
    folder = make_snapshot_folder()
    app = open_page("knowledge_gap", run=folder.name)
    assert not app.exception
    assert "is no run on the nodes of one graph" in texts(app)
    assert len(figures(app)) == FIGURES


def test_a_lecturer_can_hide_every_control(open_page, make_run_folder):
    make_run_folder()
    controls = ("split", "by", "projection", "unit", "behind", "bin", "case", "node", "tables", "notes", "code")
    script = "from workbench.pages import class_mode, knowledge_gap\nclass_mode.begin()\nknowledge_gap.show()\n"
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_string(script, default_timeout=60)
    app.query_params.update({"mode": "class", "hide": ",".join(controls), "case": "any"})
    app.run()
    assert not app.exception
    assert len(figures(app)) == FIGURES
    assert not app.dataframe
    assert not {f"choice-{name}" for name in controls} & {box.key for box in app.selectbox}
