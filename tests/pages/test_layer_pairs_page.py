"""The Layer pairs page: every kind of run, every choice, every damage."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from run_folders import pair_layers
from streamlit.testing.v1 import AppTest

import workbench.plots
from workbench.pages.layer_pair_around import clicked
from workbench.pages.shown import carried
from workbench.runs.folder import Run

RUN = "karate-kd-s0-0123456789ab"


@pytest.fixture
def run(make_run_folder):
    return Run(make_run_folder(RUN))


@pytest.fixture
def paired(run):
    pair_layers(run.path)
    return Run(run.path)


def open_at(open_page, **address):
    app = open_page("layer_pairs", run=RUN, **address)
    assert not app.exception
    return app


def figures(app):
    return app.get("plotly_chart")


def forget(run, name, *starts):
    run.store_arrays(name, **{key: of for key, of in run.arrays(name).items() if not key.startswith(starts)})


def test_without_runs_the_page_says_what_to_do(open_page, texts, no_examples):
    app = open_page("layer_pairs")
    assert not app.exception
    assert "distil a first one" in texts(app)


def test_every_example_on_the_nodes_of_a_graph_is_drawn(open_page, examples):
    from workbench.pages.tasks import page_of

    for example in (example for example in examples if page_of(example) == "embeddings"):
        app = open_page("layer_pairs", run=example.id)
        assert not app.exception
        assert not app.error
        assert len(figures(app)) == (3 if "-abkd-" in example.id else 2)  # ABKD's map moves over the epochs


def test_any_method_has_a_map_of_cka_and_a_pair_on_a_graph(open_page, run):
    app = open_at(open_page)
    assert not app.error
    assert len(figures(app)) == 2
    assert app.button_group(key="choice-map").options == ["Linear CKA"]


def test_a_run_with_abkd_shows_its_attention_first_and_how_it_moved(open_page, paired, texts):
    app = open_at(open_page)
    assert not app.error
    assert len(figures(app)) == 3
    assert app.query_params["map"] == "attention"
    assert "sums to 1" in texts(app)
    assert "a sharp one need not be meaningful" in texts(app)


@pytest.mark.parametrize(("kind", "count"), [("attention", 3), ("dissimilarity", 3), ("cka", 2)])
def test_the_address_chooses_the_map(open_page, paired, kind, count):
    app = open_at(open_page, map=kind)
    assert not app.error
    assert len(figures(app)) == count
    assert f"kind='{kind}'" in app.code[0].value


def test_abkds_maps_are_gone_where_other_models_are_compared(open_page, paired):
    app = open_at(open_page, map="attention", right="teacher")
    assert app.toast
    assert app.query_params["map"] == "cka"
    assert len(figures(app)) == 2


def test_the_film_of_cka_is_over_the_kept_epochs(open_page, run):
    app = open_at(open_page)
    film = app.select_slider(key="choice-right-epoch")
    assert list(film.options) == ["20", "40", "best"]
    before = table(app)
    film.set_value(20).run()
    assert not app.exception
    assert table(app) != before
    assert "'student', epoch=20)" in app.code[0].value


def test_the_film_of_abkd_is_over_all_recorded_epochs_and_begins_at_the_best(open_page, paired):
    app = open_at(open_page)
    film = app.select_slider(key="choice-map-epoch")
    assert film.value == 31
    assert film.options[:2] == ["1", "2"]
    film.set_value(8).run()
    assert not app.exception
    assert app.query_params["map-epoch"] == "8"
    assert table(app)[0] == pytest.approx(0.58)


def table(app):
    """The column of numbers of the map's table."""
    return app.dataframe[0].value.iloc[:, 2].tolist()


def test_a_pair_a_node_and_a_head_are_chosen_by_the_address(open_page, run):
    app = open_at(open_page, pair="2-1", node="7", head="2")
    assert not app.error
    assert (app.selectbox(key="choice-pair").value, app.number_input(key="choice-node").value) == ("2-1", 7)
    assert "pair_on_ego_graph(run, kind='cka', pair=(2, 1), node=7, head=2)" in app.code[0].value


def test_a_choice_on_the_page_goes_into_the_address(open_page, run):
    app = open_at(open_page)
    app.selectbox(key="choice-pair").select("3-2").run()
    app.number_input(key="choice-node").set_value(5).run()
    assert not app.exception
    assert (app.query_params["pair"], app.query_params["node"]) == ("3-2", "5")


def test_heads_are_offered_only_where_a_layer_has_several(open_page, run):
    keys = [widget.key for widget in open_at(open_page, pair="3-1").selectbox]
    assert "choice-head" not in keys  # the output layer has one head
    app = open_at(open_page, pair="1-1")
    assert app.selectbox(key="choice-head").options == ["Mean of all", "Head 1", "Head 2"]


@pytest.mark.parametrize(
    ("name", "kept"), [("map", "cka"), ("pair", "1-1"), ("node", "0"), ("right-epoch", "0"), ("head", "mean")]
)
@pytest.mark.parametrize("value", ["<nonsense>", "999", "-1"])
def test_a_wrong_address_falls_back_and_says_so(open_page, run, name, kept, value):
    app = open_at(open_page, **{name: value})
    assert not app.error
    assert len(figures(app)) == 2
    assert len(app.toast) == 1
    assert app.query_params[name] == kept


def test_every_snippet_makes_the_figures(open_page, paired, monkeypatch):
    homes = {"layer_pairs": "layer_map", "layer_pair_curves": "layer_map_curves", "pair_on_ego_graph": "layer_pair_ego"}
    for view, module in homes.items():
        monkeypatch.setitem(workbench.plots._VIEWS, view, f"workbench.plots.{module}")
    for address in ({}, {"map": "cka", "right-epoch": "20"}, {"left": "student", "right": "teacher", "map": "cka"}):
        python = open_at(open_page, **address).code[0].value
        made = [line for line in python.splitlines() if line.startswith("wb.plots.")]
        assert len(made) == (3 if not address else 2)
        space = {}
        exec(python, space)
        for line in made:
            assert eval(line, space).data


@pytest.mark.parametrize("state", ["queued", "running", "failed", "stopped", "lost"])
def test_an_unfinished_run_says_where_to_go(open_page, make_run_folder, texts, state):
    make_run_folder(RUN, state=state)
    app = open_at(open_page)
    assert not figures(app)
    assert "This run has no layer pairs to show" in texts(app)


def test_an_older_run_shows_what_it_has_and_says_what_to_do(open_page, run, texts):
    for name in ("teacher", "student", "epoch-00020", "epoch-00040"):
        forget(run, name, "hidden", "num_hidden", "attention")
    app = open_at(open_page)
    assert not app.error
    assert len(figures(app)) == 2
    assert app.selectbox(key="choice-pair").options[0] == "last hidden layer × last hidden layer"
    assert "older version" in texts(app)
    assert "Distil the same spec again" in texts(app)


def test_layers_too_large_to_be_stored_are_said_to_be(open_page, run, texts):
    forget(run, "teacher", "hidden_")
    app = open_at(open_page)
    assert not app.error
    assert app.selectbox(key="choice-pair").options[0] == "layer 2 × layer 1"
    assert "more numbers in its hidden layers than are stored" in texts(app)
    assert "Distil the same spec again" not in texts(app)


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("teacher", {"hidden_0": np.ones((3, 2))}, "not of the same nodes"),
        ("student", {"embedding": np.full((30, 2), np.nan)}, "diverged"),
        ("student", {"num_hidden": np.array([[1, 2]])}, "damaged"),
    ],
)
def test_damaged_arrays_are_a_message(open_page, run, name, damage, message):
    run.store_arrays(name, **run.arrays(name) | damage)
    app = open_at(open_page)
    assert message in app.error[0].value


@pytest.mark.parametrize("name", ["teacher", "student", "graph"])
@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_half_written_or_missing_file_is_a_message(open_page, run, name, how):
    file = run.path / f"arrays/{name}.npz"
    file.write_bytes(file.read_bytes()[:200]) if how == "cut" else file.unlink()
    app = open_at(open_page)
    assert app.error


def test_a_graph_that_was_too_large_to_store_leaves_the_map(open_page, run):
    forget(run, "graph", "edge_index")
    app = open_at(open_page)
    assert len(figures(app)) == 1
    assert "too many edges" in app.error[0].value
    assert "pair_on_ego_graph" not in app.code[0].value


def test_abkd_without_recorded_maps_is_a_message_and_cka_is_left(open_page, paired):
    (paired.path / "metrics.jsonl").write_text("")
    assert "recorded no map" in open_at(open_page, map="attention").error[0].value
    assert len(figures(open_at(open_page, map="cka"))) == 2


@pytest.mark.parametrize("kind", ["attention", "dissimilarity"])
def test_maps_of_more_pairs_than_the_method_has_are_a_message(open_page, paired, kind):
    spec = yaml.safe_load((paired.path / "spec.yaml").read_text())
    spec["method"] = [{"name": "abkd", "pairs": "last"}]
    (paired.path / "spec.yaml").write_text(yaml.safe_dump(spec))
    assert "not those of its method" in open_at(open_page, map=kind).error[0].value


def test_a_map_of_numbers_without_end_is_left_out(open_page, paired):
    lines = (paired.path / "metrics.jsonl").read_text().splitlines()
    record = next(json.loads(line) for line in lines if "pictures" in json.loads(line))
    record["pictures"] = {name: [[10**400]] for name in record["pictures"]}
    (paired.path / "metrics.jsonl").write_text(json.dumps(record) + "\n")
    assert "recorded no map" in open_at(open_page, map="attention").error[0].value


def test_a_run_that_is_deleted_while_the_page_is_open_is_a_message(open_page, run, texts, no_examples):
    app = open_at(open_page)
    shutil.rmtree(run.path)
    app.run()
    assert not app.exception
    assert "distil a first one" in texts(app)


def test_a_run_of_another_task_is_sent_to_its_page(open_page, make_snapshot_folder, texts, run):
    other = make_snapshot_folder()
    app = open_page("layer_pairs", run=other.name)
    assert not app.exception
    assert "is no run on the nodes of one graph" in texts(app)


def test_class_mode_hides_a_control_and_keeps_its_value(run, runs_root):
    script = "from workbench.pages import class_mode, layer_pairs\nclass_mode.begin()\nlayer_pairs.show()\n"
    app = AppTest.from_string(script, default_timeout=60)
    app.query_params.update({"run": RUN, "mode": "class", "hide": "pair,code", "pair": "2-1"})
    app.run()
    assert not app.exception
    assert len(figures(app)) == 2
    assert "choice-pair" not in [widget.key for widget in app.selectbox]
    assert app.query_params["pair"] == "2-1"
    assert "wb.plots" not in "".join(block.value for block in app.code)


def test_a_click_is_read_in_both_ways_that_it_comes_back():
    assert carried({"customdata": [2, 1, "said"]}, 1) == 1
    assert carried({"customdata": {"0": 2, "1": 1, "2": "said"}}, 0) == 2


def test_a_click_beside_everything_is_no_click(monkeypatch):
    for points, found in (([], None), ([{"x": 1}], None), ([{"customdata": [7]}], {"customdata": [7]})):
        state = {"chart": SimpleNamespace(selection=SimpleNamespace(points=points))}
        monkeypatch.setattr("workbench.pages.layer_pair_around.st.session_state", state)
        assert clicked("chart") == found
