"""The Local structure page: every kind of run, every choice, every node, every damage."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

import workbench
from workbench.pages import local_structure
from workbench.pages.tasks import page_of

RUN = "karate-kd-s0-0123456789ab"
VIEWS = {
    "neighbourhood": "workbench.plots.local_structure",
    "neighbourhood_divergence": "workbench.plots.local_divergence",
}


def figures(app):
    return [json.loads(figure.proto.spec) for figure in app.get("plotly_chart")]


def head(app):
    """The title of the first figure, which names the node."""
    return figures(app)[0]["layout"]["title"]["text"]


def worst_listed(app):
    (table,) = app.dataframe
    return table.value


def change(folder, name, **changes):
    path = folder / f"arrays/{name}.npz"
    with np.load(path) as file:
        arrays = {**file, **changes}
    np.savez(path, **{key: array for key, array in arrays.items() if array is not None})


def test_without_runs_the_page_says_what_to_do(open_page, texts, no_examples):
    app = open_page("local_structure")
    assert not app.exception
    assert "distil a first one" in texts(app)


def test_every_example_is_drawn(open_page, examples):
    for example in (example for example in examples if page_of(example) == "embeddings"):
        app = open_page("local_structure", run=example.id)
        assert not app.exception
        assert not app.error
        assert len(figures(app)) == 2


def test_both_models_stand_beside_each_other(open_page, make_run_folder):
    make_run_folder()
    first, every = figures(open_page("local_structure"))
    assert [title["text"] for title in first["layout"]["annotations"][:2]] == ["Teacher", "Student"]
    assert every["layout"]["annotations"][0]["text"].startswith("Mean over all nodes")


def test_the_worst_matched_node_is_shown_first_and_leads_the_list(open_page, make_run_folder):
    make_run_folder()
    app = open_page("local_structure")
    table = worst_listed(app)
    assert list(table["KL, nats"]) == sorted(table["KL, nats"], reverse=True)
    assert len(table) == 30
    assert head(app).startswith(f"Node {table['node'][0]},")  # all have four neighbours
    assert "node" not in app.query_params


def test_the_list_says_what_both_models_predict(open_page, make_run_folder):
    folder = make_run_folder()
    table = worst_listed(open_page("local_structure"))
    with np.load(folder / "arrays/graph.npz") as graph, np.load(folder / "arrays/student.npz") as student:
        assert list(table["class"]) == graph["y"][table["node"]].tolist()
        assert list(table["Student says"]) == student["logits"].argmax(1)[table["node"]].tolist()
        degree = np.bincount(graph["edge_index"][1], minlength=30)
        assert list(table["neighbours"]) == degree[table["node"]].tolist()


def test_a_node_in_the_address_is_shown(open_page, make_run_folder):
    make_run_folder()
    app = open_page("local_structure", node="7")
    assert head(app).startswith("Node 7,")
    assert app.text_input(key="local-node").value == "7"


def test_a_node_that_is_typed_goes_into_the_address_and_out_again(open_page, make_run_folder):
    make_run_folder()
    app = open_page("local_structure")
    first = head(app)
    app.text_input(key="local-node").set_value(" 8 ").run()
    assert head(app).startswith("Node 8,")
    assert app.query_params["node"] == "8"
    app.text_input(key="local-node").set_value("").run()
    assert head(app) == first
    assert "node" not in app.query_params


@pytest.mark.parametrize("text", ["99", "-1", "30", "three", "<b>1</b>", "1.5", "9" * 5000])
def test_what_is_no_node_is_said_and_the_list_stays(open_page, texts, make_run_folder, text):
    make_run_folder()
    app = open_page("local_structure", node=text)
    assert not app.exception
    assert "there is no node" in app.error[0].value
    assert "write a number from 0 to 29" in app.error[0].value.replace("\\", "")
    assert "<b>" not in app.error[0].value.replace("\\<", "")
    assert len(figures(app)) == 1
    assert len(worst_listed(app)) == 30
    assert "node=" not in app.code[0].value


def test_a_node_of_another_graph_is_forgotten(open_page, make_run_folder):
    make_run_folder("small-run-0123456789ab", nodes=12)
    make_run_folder("large-run-0123456789ab", nodes=40, seed=1)
    app = open_page("local_structure", run="large-run-0123456789ab", node="33")
    assert head(app).startswith("Node 33,")
    app.selectbox(key="choice-run").select("small-run-0123456789ab").run()
    assert not app.error
    assert "node" not in app.query_params


def test_an_isolated_node_is_said(open_page, texts, make_run_folder):
    folder = make_run_folder()
    change(folder, "graph", edge_index=np.array([[1, 2, 3, 4], [0, 0, 0, 1]]))
    app = open_page("local_structure", node="9")
    assert not app.exception
    assert not app.error
    assert "Node 9 is isolated" in app.info[0].value
    assert list(worst_listed(app)["node"]) == [0]  # the only one with two neighbours and more
    assert "node=" not in app.code[0].value


def test_a_graph_without_edges_is_said(open_page, make_run_folder):
    change(make_run_folder(), "graph", edge_index=np.zeros((2, 0), dtype=int))
    app = open_page("local_structure")
    assert not app.exception
    assert "No node of this graph has a neighbour" in app.info[0].value


@pytest.mark.parametrize("kernel", ["rbf", "l2", "poly", "linear", "laplace", "cosine", "cosine_squared", "l2_norm"])
def test_every_similarity_is_drawn_and_kept_in_the_address(open_page, make_run_folder, kernel):
    make_run_folder()
    app = open_page("local_structure", kernel=kernel)
    assert not app.exception
    assert not app.error
    assert len(figures(app)) == 2
    assert app.query_params["kernel"] == kernel
    assert [slider.key for slider in app.select_slider if slider.key == "choice-sigma"] == ["choice-sigma"] * (
        kernel == "rbf"
    )


def test_the_order_of_the_divergence_is_chosen_and_said(open_page, texts, make_run_folder):
    make_run_folder()
    app = open_page("local_structure")
    assert "KL(student ‖ teacher)" in head(app)
    assert "The paper puts the student first" in texts(app)
    assert "KL(teacher ‖ student)" in head(open_page("local_structure", direction="teacher_student"))


def test_a_run_of_lsp_begins_with_its_own_options(open_page, make_run_folder):
    spec = make_run_folder() / "spec.yaml"
    lsp = {"name": "lsp", "kernel": "rbf", "sigma": 0.55, "direction": "teacher_student"}
    spec.write_text(yaml.safe_dump({**yaml.safe_load(spec.read_text()), "method": [lsp]}))
    app = open_page("local_structure")
    assert (app.query_params["kernel"], app.query_params["sigma"]) == ("rbf", "0.55")
    assert app.query_params["direction"] == "teacher_student"


def test_options_of_a_damaged_spec_are_left_alone(open_page, make_run_folder):
    part = {"name": "lsp", "kernel": ["x"], "sigma": "wide", "direction": 3}
    spec = make_run_folder() / "spec.yaml"
    spec.write_text(yaml.safe_dump({**yaml.safe_load(spec.read_text()), "method": [part]}))
    app = open_page("local_structure")
    assert not app.exception
    assert (app.query_params["kernel"], app.query_params["sigma"]) == ("rbf", "1")


@pytest.mark.parametrize(
    ("name", "kept"),
    [("kernel", "rbf"), ("sigma", "1"), ("direction", "student_teacher"), ("right", "student"), ("run", RUN)],
)
def test_a_wrong_address_falls_back_and_says_so(open_page, make_run_folder, name, kept):
    make_run_folder()
    app = open_page("local_structure", **{name: "<nonsense>"})
    assert not app.exception
    assert len(figures(app)) == 2
    assert "\\<nonsense\\>" in app.toast[0].value
    assert app.query_params[name] == kept


def test_the_film_shows_kept_epochs_of_the_same_node(open_page, make_run_folder):
    make_run_folder()
    app = open_page("local_structure")
    node, best = head(app).split(":")
    app.select_slider(key="choice-right-epoch").set_value(20).run()
    assert not app.exception
    at_20 = head(app).split(":")
    assert at_20[0] == node
    assert at_20[1] != best
    assert figures(app)[0]["layout"]["annotations"][1]["text"] == "Student, epoch 20"


@pytest.mark.parametrize("state", ["queued", "running", "failed", "stopped", "lost"])
def test_a_run_that_is_not_finished_has_nothing_to_show(open_page, texts, no_examples, make_run_folder, state):
    make_run_folder(state=state)
    app = open_page("local_structure")
    assert not app.exception
    assert not figures(app)
    assert "no local structure to show" in texts(app)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("graph", {"edge_index": None}, "keeps no edges"),
        ("graph", {"edge_index": np.array([[0, 99], [1, 2]])}, "not between its nodes"),
        ("graph", {"edge_index": np.zeros((2, 4))}, "not between its nodes"),
        ("graph", {"y": None}, "hold no y"),
        ("graph", {"y": np.zeros(7, dtype=int)}, "not of the same nodes"),
        ("student", {"logits": None}, "hold no logits"),
        ("student", {"logits": np.zeros(30)}, "no numbers in logits"),
        ("student", {"logits": np.zeros((29, 4))}, "not one row per node"),
        ("teacher", {"embedding": np.full((30, 3), np.inf)}, "not finite"),
        ("teacher", {"embedding": np.array(["a"] * 30)}, "no numbers in embedding"),
    ],
)
def test_damaged_arrays_are_explained(open_page, make_run_folder, name, changes, message):
    change(make_run_folder(), name, **changes)
    app = open_page("local_structure")
    assert not app.exception
    said = " ".join(error.value for error in app.error).replace("\\", "").replace("'", "")
    assert message in said


@pytest.mark.parametrize("damage", ["no arrays", "half a file", "no result"])
def test_files_that_are_gone_or_half_written_are_explained(open_page, texts, no_examples, make_run_folder, damage):
    folder = make_run_folder()
    if damage == "no arrays":
        shutil.rmtree(folder / "arrays")
    elif damage == "no result":
        (folder / "result.json").unlink()
    else:
        whole = (folder / "arrays/student.npz").read_bytes()
        (folder / "arrays/student.npz").write_bytes(whole[: len(whole) // 2])
    app = open_page("local_structure")
    assert not app.exception
    assert not figures(app)
    said = texts(app).replace("\\", "")
    assert {"no arrays": "has no arrays", "half a file": "is damaged", "no result": "cannot be read"}[damage] in said


def test_a_run_of_another_task_is_sent_to_its_page(open_page, texts, make_run_folder, make_snapshot_folder):
    make_run_folder()
    other = make_snapshot_folder()
    app = open_page("local_structure", run=other.name)
    assert not app.exception
    assert "is no run on the nodes of one graph" in texts(app)
    assert app.query_params["run"] == RUN


def test_a_model_may_stand_on_both_sides(open_page, make_run_folder):
    make_run_folder()
    app = open_page("local_structure", right="teacher")
    assert not app.exception
    assert {"Teacher, left says", "Teacher, right says"} <= set(worst_listed(app).columns)
    assert set(worst_listed(app)["KL, nats"]) == {0.0}


@pytest.mark.parametrize(
    "address",
    [
        {},
        {"node": "7", "kernel": "cosine", "direction": "teacher_student"},
        {"node": "8", "right-epoch": "20", "sigma": "0.3"},
        {"left": "student", "right-run": "other-run-0123456789ab"},
    ],
)
def test_the_copied_python_makes_the_figures_on_the_screen(open_page, make_run_folder, monkeypatch, address):
    for view, module in VIEWS.items():
        monkeypatch.setitem(workbench.plots._VIEWS, view, module)
    make_run_folder("other-run-0123456789ab", seed=5)
    make_run_folder()
    app = open_page("local_structure", run=RUN, **address)
    assert not app.exception
    *before, first, every = app.code[0].value.splitlines()
    names: dict = {}
    exec("\n".join([*before, f"found = [{first}, {every}]"]), names)
    for made, shown in zip(names["found"], figures(app), strict=True):
        assert json.loads(made.to_json())["data"] == shown["data"]


def test_a_class_sees_only_what_is_left(open_page, make_run_folder):
    make_run_folder()
    app = open_page("local_structure", node="7")
    app.session_state["class-mode"] = frozenset({"node", "kernel", "sigma", "direction", "tables", "notes"})
    app.run()
    assert not app.exception
    assert not app.text_input
    assert not app.dataframe
    assert [box.key for box in app.selectbox if box.key == "choice-kernel"] == []
    assert head(app).startswith("Node 7,")


@pytest.mark.parametrize(
    ("points", "chosen"),
    [
        ([{"customdata": [12, "node 12"]}], "12"),
        ([{"customdata": {"0": 12}}], "12"),  # as the browser sends arrays
        ([{"x": 0.1, "y": 30}], "3"),  # a bar of the histogram is no node
        ([], "3"),
    ],
)
def test_a_click_on_a_node_chooses_it(monkeypatch, points, chosen):
    event = SimpleNamespace(selection=SimpleNamespace(points=points))
    session = {"figure": event, "local-node": "3"}
    monkeypatch.setattr("streamlit.session_state", session)
    local_structure._clicked("figure")
    assert session["local-node"] == chosen


def test_the_page_needs_no_torch():
    modules = ["pages.local_structure", "pages.local_arrays", "pages.node_table", "plots.local_divergence"]
    script = "import sys\n" + "".join(f"import workbench.{module}\n" for module in modules) + "print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert not {"torch", "umap", "networkx", "sklearn"} & set(done.stdout.split())
