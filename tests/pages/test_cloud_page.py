"""The Dynamic graph page on point clouds: its choices, its figures, the second run, every kind of run, every damage."""

import csv
import json
import shutil

import pytest
from damages import cases, damage

from workbench.pages.cloud_page import columns_of, plain_runs
from workbench.pages.shown import as_csv
from workbench.plots.cloud_arrays import read_clouds
from workbench.runs.folder import Run

RUN = "shapes-lsp-s0-0123456789ab"
PLAIN = "shapes-none-s0-0123456789ab"
DAMAGED = {
    "clouds": {
        "points": "short, empty, flat, deep, text, complex, without columns",
        "labels": "short, empty, deep, text, NaN, infinite, large, negative, unsigned",
        "shapes": "short, text, NaN, unsigned",
        "class_names": "short, empty, deep",
    },
    "teacher": {"logits": "short, empty, flat, text, complex, without columns", "features_0": "flat, text"},
    "student": {"features_1": "without columns", "neighbours_1": "short, flat, text, NaN, large, negative, unsigned"},
}


def charts(app):
    return app.get("plotly_chart")


def panels(app):
    """The titles of the panels of each figure."""
    figures = (json.loads(chart.proto.spec) for chart in charts(app))
    return [[title["text"] for title in figure["layout"]["annotations"]] for figure in figures]


def metrics(app):
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def python(app):
    return app.code[0].value


@pytest.fixture
def both(make_cloud_folder):
    make_cloud_folder(PLAIN, method="none")
    make_cloud_folder(RUN)


def test_without_runs_the_page_says_what_to_do(open_page, texts, make_run_folder, no_examples):
    make_run_folder()
    app = open_page("dynamic_graph")
    assert not app.exception
    assert "builtin\\-shapes" in texts(app)
    assert not charts(app)


def test_a_run_alone_shows_teacher_and_student(open_page, texts, make_cloud_folder):
    make_cloud_folder()
    app = open_page("dynamic_graph", run=RUN)
    assert not app.exception
    assert not app.error
    assert panels(app) == [
        ["Teacher<br>EdgeConv 3 of 3", "Student with lsp<br>EdgeConv 2 of 2"],
        ["Teacher<br>EdgeConv 3 of 3, k = 5", "Student with lsp<br>EdgeConv 2 of 2, k = 3"],
    ]
    assert "method *none* would be shown beside" in texts(app)
    assert metrics(app) == {
        "Teacher: test accuracy": ("90.0 %", ""),
        "Teacher: class mean": ("85.0 %", ""),
        "Student: test accuracy": ("80.0 %", ""),
        "Student: class mean": ("75.0 %", ""),
    }


def test_the_same_run_without_distillation_stands_beside(open_page, both):
    app = open_page("dynamic_graph", run=RUN)
    assert not app.exception
    assert app.selectbox(key="choice-plain").value == PLAIN
    assert panels(app)[0][2] == "Student without distillation<br>EdgeConv 2 of 2"
    assert metrics(app)["Student: test accuracy"] == ("80.0 %", "+10.0 by distilling")
    assert metrics(app)["Student alone: class mean"] == ("65.0 %", "")
    assert f"plain=wb.find_run('{PLAIN}')" in python(app)


def test_another_seed_is_no_measure_of_distilling(open_page, make_cloud_folder):
    make_cloud_folder(RUN)
    make_cloud_folder("other-seed", method="none", seed=1)
    app = open_page("dynamic_graph", run=RUN)
    assert app.selectbox(key="choice-plain").value == "none"  # nobody, to begin with
    app.selectbox(key="choice-plain").set_value("other-seed").run()
    assert metrics(app)["Student: test accuracy"] == ("80.0 %", "")
    assert metrics(app)["Student alone: test accuracy"] == ("70.0 %", "")


def test_the_second_slot_can_be_emptied(open_page, both):
    app = open_page("dynamic_graph", run=RUN, plain="none")
    assert len(panels(app)[0]) == 2
    assert "plain=" not in python(app)
    app.selectbox(key="choice-plain").set_value(PLAIN).run()
    assert app.query_params["plain"] == PLAIN
    assert len(panels(app)[0]) == 3


def test_shape_layer_and_point_stand_in_the_address(open_page, texts, both):
    app = open_page("dynamic_graph", run=RUN, shape="2", layer="1", point="7")
    assert "A **torus** from the test set: the teacher says *torus*, the student says *cube*" in texts(app)
    assert panels(app)[0][0] == "Teacher<br>EdgeConv 1 of 3"
    assert f"wb.plots.feature_distances(run, shape=2, point=7, layer=1, plain=wb.find_run('{PLAIN}'))" in python(app)
    assert "wb.plots.cloud_graphs(run, shape=2, point=7, layer=1)" in python(app)
    assert app.code[1].value == f"workbench show {RUN}"
    app.selectbox(key="choice-shape").set_value(1).run()
    app.select_slider(key="choice-point").set_value(8).run()
    assert not app.exception
    assert "A **cube**" in texts(app)
    assert (app.query_params["shape"], app.query_params["point"]) == ("1", "8")
    assert "layer=1" in python(app)


def test_the_copied_python_draws_what_is_on_the_screen(open_page, both):
    app = open_page("dynamic_graph", run=RUN, shape="2", layer="3", point="7")
    *lines, distances, graphs = python(app).splitlines()
    place = {}
    exec("\n".join(lines), place)
    for line, shown in zip((distances, graphs), panels(app), strict=True):
        assert [title.text for title in eval(line, place).layout.annotations] == shown


@pytest.mark.parametrize(
    ("name", "kept"), [("shape", "0"), ("layer", "last"), ("point", "0"), ("plain", PLAIN), ("run", RUN)]
)
def test_a_wrong_address_falls_back_and_says_so(open_page, both, name, kept):
    app = open_page("dynamic_graph", **{"run": RUN, name: "<nonsense>"})
    assert not app.exception
    assert "\\<nonsense\\>" in app.toast[0].value
    assert app.query_params[name] == kept


def test_only_finished_runs_without_distillation_on_the_same_shapes_may_stand_beside(make_cloud_folder):
    run = Run(make_cloud_folder(RUN))
    runs = [
        Run(make_cloud_folder(PLAIN, method="none")),
        Run(make_cloud_folder("other-seed", method="none", seed=1)),
        Run(make_cloud_folder("other-shapes", method="none", drawn=1)),
        Run(make_cloud_folder("not-yet", method="none", state="running")),
        Run(make_cloud_folder("distilled", seed=1)),
        run,
    ]
    assert [found.id for found in plain_runs(run, runs)] == [PLAIN, "other-seed"]
    assert plain_runs(runs[0], runs) == [runs[1]]  # not itself


def test_a_second_run_that_was_chosen_for_another_run_is_forgotten(open_page, make_cloud_folder, both):
    make_cloud_folder("lsp-one", seed=1)
    make_cloud_folder("none-one", method="none", seed=1)
    app = open_page("dynamic_graph", run=RUN)
    assert app.selectbox(key="choice-plain").value == PLAIN
    app.selectbox(key="choice-run").set_value("lsp-one").run()
    assert not app.exception
    assert app.selectbox(key="choice-plain").value == "none-one"


def test_clouds_that_differ_all_the_same_are_a_message(open_page, make_cloud_folder, both):
    other = make_cloud_folder("drawn-anew", method="none", drawn=1)
    shutil.copyfile(other / "arrays/clouds.npz", other.parent / PLAIN / "arrays/clouds.npz")
    app = open_page("dynamic_graph", run=RUN)
    assert not app.exception
    assert "the points of shape 0" in app.error[0].value
    assert not charts(app)


def test_runs_of_both_kinds_are_offered(open_page, make_cloud_folder, make_snapshot_folder, make_run_folder):
    make_run_folder("on-one-graph")
    make_cloud_folder(RUN)
    make_snapshot_folder("snapshots")
    app = open_page("dynamic_graph", run="snapshots")
    assert not app.exception
    own = [option for option in app.selectbox(key="choice-run").options if "example" not in option]
    assert len(own) == 2
    assert len(app.get("plotly_chart")) == 2
    app.selectbox(key="choice-run").set_value(RUN).run()
    assert not app.exception
    assert panels(app)[0][1].startswith("Student with lsp")


@pytest.mark.parametrize("state", ["queued", "running", "failed", "stopped", "lost"])
def test_an_unfinished_run_is_a_message(open_page, texts, make_cloud_folder, state):
    make_cloud_folder(state=state)
    app = open_page("dynamic_graph", run=RUN)
    assert not app.exception
    assert not charts(app)
    assert "no point clouds to show" in texts(app)


@pytest.mark.parametrize("name", ["clouds", "teacher", "student"])
def test_damaged_arrays_are_a_message(open_page, make_cloud_folder, name):
    folder = make_cloud_folder()
    (folder / f"arrays/{name}.npz").write_bytes(b"half")
    app = open_page("dynamic_graph", run=RUN)
    assert not app.exception
    assert "damaged" in app.error[0].value


@pytest.mark.parametrize(
    ("file", "name", "kind"), [(file, *case) for file, table in DAMAGED.items() for case in cases(table)]
)
def test_arrays_that_do_not_fit_are_a_message(open_page, make_cloud_folder, file, name, kind):
    damage(make_cloud_folder(), file, name, kind)
    app = open_page("dynamic_graph", run=RUN)
    assert not app.exception
    assert ["damaged, '" in error.value for error in app.error] == [True]
    assert not charts(app)


def test_metrics_that_were_not_finite_are_no_traceback(open_page, make_cloud_folder):
    folder = make_cloud_folder()
    result = json.loads((folder / "result.json").read_text())
    result["student"]["metrics"]["test"] = {"accuracy": None, "mean_class_accuracy": None}
    (folder / "result.json").write_text(json.dumps(result))
    app = open_page("dynamic_graph", run=RUN)
    assert not app.exception
    assert metrics(app)["Student: test accuracy"] == ("–", "")


def test_a_run_that_is_deleted_while_it_is_shown_is_a_message(open_page, make_cloud_folder):
    make_cloud_folder("other-run", seed=5)
    folder = make_cloud_folder()
    app = open_page("dynamic_graph", run=RUN)
    shutil.rmtree(folder)
    app.run()
    assert not app.exception
    assert app.query_params["run"] != RUN


def test_the_table_holds_what_both_models_say(open_page, both):
    table = open_page("dynamic_graph", run=RUN).dataframe[0].value
    assert list(table["shape"]) == [10, 11, 12, 13]
    assert list(table["class"]) == list(table["teacher says"]) == ["sphere", "cube", "torus", "sphere"]
    assert list(table["student says"]) == ["sphere", "cube", "cube", "sphere"]
    assert "student without distillation says" in table


def test_the_file_is_the_table(make_cloud_folder):
    clouds = read_clouds(Run(make_cloud_folder()))
    rows = list(csv.DictReader(as_csv(columns_of(clouds, None)).splitlines()))
    assert rows[2] == {"shape": "12", "class": "torus", "teacher says": "torus", "student says": "cube"}
    assert len(rows) == 4
