"""The Compare page: any set of runs, every filter, every damage."""

import csv
import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats
from scored_folders import write_scored
from streamlit.testing.v1 import AppTest

import workbench as wb
from workbench.pages import leaderboard_table, shown
from workbench.pages.compare import _ranges
from workbench.pages.leaderboard_table import BASELINE, BELOW, BETTER, NO_NUMBER, WORSE
from workbench.plots.pareto import score_against_cost
from workbench.plots.seed_scores import scores_by_seed
from workbench.runs.leaderboard import leaderboard

KARATE, CITATION = "builtin-karate", "builtin-citation"


@pytest.fixture
def add(runs_root):
    """``add(0.8, seed=1, method="lsp")`` writes a finished run on the karate club and returns its folder."""
    number = iter(range(1000))
    return lambda score, **more: write_scored(runs_root, f"run-{next(number):03d}-0123456789ab", score, **more)


def figures(app):
    return app.get("plotly_chart")


def rows(app):
    """The leaderboard, as one mapping per row, by the name of its entry."""
    frame = app.dataframe[0].value
    return {row["entry"]: row for row in frame.to_dict("records")}


def links(app):
    return [element.proto.query_string for element in app.get("page_link")]


def copied(code):
    """The figures that Python makes in the last two lines."""
    *setting_up, cost, seeds = code.splitlines()
    space = {}
    exec("\n".join(setting_up), space)
    return [json.loads(eval(line, space).to_json()) for line in (cost, seeds)]


def test_without_runs_the_page_says_what_to_do(open_page, texts, no_examples):
    app = open_page("compare")
    assert not app.exception
    assert "distil a first one" in texts(app)


def test_with_the_examples_alone_they_are_compared(open_page, texts, examples):
    app = open_page("compare", dataset=CITATION)
    assert not app.exception
    assert not app.error
    assert len(figures(app)) == 2
    assert {row["paper %"] for row in rows(app).values()} == {NO_NUMBER}
    of_citation = [example for example in examples if example.document["dataset"]["name"] == CITATION]
    assert [row["n"] for row in rows(app).values()] == [1] * len(of_citation)


@pytest.mark.parametrize("state", ["queued", "running", "failed", "stopped", "lost"])
def test_unfinished_runs_alone_are_a_message(open_page, texts, make_run_folder, no_examples, state):
    make_run_folder(state=state)
    app = open_page("compare")
    assert not app.exception
    assert not figures(app)
    assert "None of these runs is finished. Left out: 1 not finished." in texts(app)


def test_unfinished_and_damaged_runs_are_left_out_and_counted(open_page, texts, add, make_run_folder):
    add(0.8)
    make_run_folder("waiting-0123456789ab", state="queued", seed=3)
    (add(0.7, seed=1) / "result.json").write_text('{"teacher": 1}')
    (add(0.7, seed=2) / "spec.yaml").write_text("{")
    app = open_page("compare", whose="mine")
    assert not app.exception
    assert "Left out: 1 not finished, 2 damaged" in texts(app)
    assert [row["n"] for row in rows(app).values()] == [1]


def test_the_newest_of_ones_own_runs_chooses_the_dataset(open_page, add, examples):
    add(0.8)
    app = open_page("compare")
    assert app.selectbox(key="choice-dataset").value == KARATE
    assert CITATION in app.selectbox(key="choice-dataset").options


def test_a_row_has_mean_spread_and_the_difference_to_the_student_alone(open_page, add):
    ours, theirs = np.array([0.80, 0.83, 0.78]), np.array([0.78, 0.79, 0.77])
    for seed, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        add(float(a), seed=seed)
        add(float(b), seed=seed, method="none")
    row = rows(open_page("compare", whose="mine"))["KD · gcn → gcn"]
    assert row["n"] == 3
    assert row["student %"] == pytest.approx(100 * ours.mean(), abs=0.001)
    assert row["± std"] == pytest.approx(100 * ours.std(ddof=1), abs=0.001)
    assert row["teacher %"] == pytest.approx(90.0)
    apart = ours - theirs
    assert row["− baseline"] == pytest.approx(100 * apart.mean(), abs=0.001)
    assert row["p"] == pytest.approx(stats.ttest_rel(ours, theirs).pvalue)
    assert row["d_z"] == pytest.approx(apart.mean() / apart.std(ddof=1), abs=0.001)
    assert row["verdict"] == BETTER
    assert (row["parameters"], row["× smaller"], row["ms"]) == (1000, 12.345, 1.25)


def test_rows_that_are_worse_are_kept_and_marked_in_words(open_page, add):
    add(0.6)
    add(0.7, method="none")
    found = rows(open_page("compare", whose="mine"))
    assert found["KD · gcn → gcn"]["verdict"] == WORSE
    assert found["Student alone · gcn → gcn"]["verdict"] == ""


def test_any_entry_can_be_the_baseline(open_page, add):
    add(0.6)
    add(0.7, method="lsp")
    app = open_page("compare", whose="mine")
    select = app.selectbox(key="choice-baseline")
    assert select.options[:2] == ["The student alone of each", "None"]
    lsp = next(entry for entry in leaderboard(wb.list_runs()).entries if entry.method == "lsp")
    select.select(lsp.id).run()
    assert not app.exception
    assert app.query_params["baseline"] == lsp.id
    assert rows(app)["LSP · gcn → gcn"]["verdict"] == BASELINE
    assert rows(app)["KD · gcn → gcn"]["− baseline"] == pytest.approx(-10)
    app.selectbox(key="choice-baseline").select("none").run()
    assert {row["verdict"] for row in rows(app).values()} == {""}


def cloud_spec(method):
    dgcnn = {"name": "dgcnn"}
    return {"dataset": {"name": "modelnet40"}, "teacher": dgcnn, "student": dgcnn, "method": [{"name": method}]}


def test_the_papers_number_stands_beside_ours_and_what_is_below_it_is_marked(open_page, texts, add):
    add(0.91, spec=cloud_spec("lsp"), facts={"parameters": 99_560})
    add(0.93, spec=cloud_spec("kd"), facts={"parameters": 5_000})
    add(0.90, spec=cloud_spec("gcrd"), facts={"parameters": 99_560})
    app = open_page("compare", dataset="modelnet40")
    found = rows(app)
    lsp, kd, gcrd = (found[f"{name} · dgcnn → dgcnn"] for name in ("LSP", "KD", "G-CRD"))
    assert (lsp["paper %"], lsp["verdict"]) == ("91.9", BELOW)
    assert lsp["− paper"] == pytest.approx(91.0 - 91.9)
    assert kd["paper %"] == "91.6 (student of 99,560)"  # not the same student: no difference is taken
    assert np.isnan(kd["− paper"])
    assert gcrd["paper %"] == NO_NUMBER
    assert "Yang et al" in texts(app)


def test_missing_students_alone_are_offered(open_page, texts, add):
    for seed in range(4):
        add(0.8, seed=seed)
    app = open_page("compare", whose="mine")
    assert "has not been run for seeds 0–3" in texts(app).replace("\\", "")
    (copied,) = [query for query in links(app) if query.startswith("copy=")]
    assert copied.removeprefix("copy=").startswith("run-")
    alone = add(0.7, method="none", seed=2)
    app = open_page("compare", whose="mine")
    assert "seeds 0–1, 3: change its seed" in texts(app).replace("\\", "")
    assert f"copy={alone.name}" in links(app)


def test_filters_narrow_the_rows_and_live_in_the_address(open_page, add):
    add(0.8)
    add(0.7, method="lsp")
    add(0.6, method="lsp", spec={"student": {"name": "mlp"}})
    app = open_page("compare", whose="mine", method="lsp", student="mlp")
    assert list(rows(app)) == ["LSP · gcn → mlp"]
    app.selectbox(key="choice-student").select("all").run()
    assert list(rows(app)) == ["LSP · gcn → gcn", "LSP · gcn → mlp"]
    app.selectbox(key="choice-method").select("kd").run()
    assert (app.query_params["method"], app.query_params["student"]) == ("kd", "all")
    assert list(rows(app)) == ["KD · gcn → gcn"]


def test_words_are_searched_in_names_options_and_runs(open_page, add):
    add(0.8, spec={"student": {"name": "gcn", "hidden_channels": 4}})
    add(0.7, spec={"student": {"name": "gcn", "hidden_channels": 8}})
    app = open_page("compare", whose="mine", search="KD hidden 8")
    assert [row["student %"] for row in rows(app).values()] == [pytest.approx(70)]
    app.text_input(key="choice-search").set_value("run-000").run()
    assert [row["student %"] for row in rows(app).values()] == [pytest.approx(80)]
    assert app.query_params["search"] == "run-000"
    app.text_input(key="choice-search").set_value("").run()
    assert len(rows(app)) == 2
    assert "search" not in app.query_params


def test_filters_that_leave_nothing_can_be_cleared(open_page, add):
    add(0.8)
    app = open_page("compare", whose="mine", search="<b>nothing</b>")
    assert not app.exception
    assert "No finished run fits" in app.info[0].value
    app.button[0].click().run()
    assert not app.exception
    assert len(rows(app)) == 1
    assert "search" not in app.query_params


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("dataset", KARATE),
        ("method", "all"),
        ("student", "all"),
        ("whose", "all"),
        ("baseline", "alone"),
        ("cost", "parameters"),
    ],
)
def test_a_wrong_address_falls_back_and_says_so(open_page, add, name, kept):
    add(0.8)
    app = open_page("compare", **{name: "<nonsense>"})
    assert not app.exception
    assert len(figures(app)) == 2
    assert "\\<nonsense\\>" in app.toast[0].value
    assert app.query_params[name] == kept


def test_nobodys_own_runs_are_a_message(open_page, texts, examples):
    app = open_page("compare", whose="mine")
    assert not app.exception
    assert "There is none of these runs yet" in texts(app)
    assert app.selectbox(key="choice-whose").value == "mine"


def test_examples_and_ones_own_can_be_told_apart(open_page, add, examples):
    add(0.8)
    assert KARATE not in open_page("compare", whose="examples").selectbox(key="choice-dataset").options
    assert CITATION not in open_page("compare", whose="mine").selectbox(key="choice-dataset").options


def test_all_datasets_share_a_table_but_no_figure(open_page, texts, add, make_snapshot_folder):
    add(0.8)
    make_snapshot_folder()
    app = open_page("compare", whose="mine", dataset="all")
    assert not app.exception
    assert not figures(app)
    assert "do not compare" in texts(app)
    frame = app.dataframe[0].value
    assert sorted(zip(frame["dataset"], frame["metric"], strict=True)) == [
        ("builtin-communities", "AUC"),
        (KARATE, "accuracy"),
    ]
    # Entries of several datasets may be called alike.
    assert {name.rpartition(" · ")[2] for name in app.selectbox(key="choice-baseline").options[2:]} == {
        KARATE,
        "builtin-communities",
    }


def test_runs_on_snapshots_are_held_against_the_student_trained_beside(open_page, make_snapshot_folder):
    for seed in (0, 1):
        make_snapshot_folder(f"links-s{seed}-0123456789ab", seed=seed)
    app = open_page("compare", whose="mine")
    (row,) = rows(app).values()
    assert row["− baseline"] == pytest.approx(6.0)  # 0.75 and 0.77 by the fixture, against 0.7
    assert len(figures(app)) == 2


def test_runs_on_point_clouds_are_compared(open_page, make_cloud_folder):
    make_cloud_folder("shapes-lsp-0123456789ab")
    make_cloud_folder("shapes-none-0123456789ab", method="none")
    app = open_page("compare", whose="mine")
    assert not app.exception
    assert rows(app)["LSP · dgcnn → dgcnn"]["− baseline"] == pytest.approx(10)  # 0.8 and 0.7 by the fixture


@pytest.mark.parametrize("cost", ["parameters", "bytes", "latency_ms"])
@pytest.mark.parametrize("filters", [{}, {"method": "lsp"}])
def test_what_can_be_copied_draws_both_figures(open_page, add, monkeypatch, cost, filters):
    for seed in (0, 1):
        add(0.8 + seed / 50, seed=seed, method="lsp")
        add(0.7 + seed / 70, seed=seed, method="none")
    add(0.75)
    for view in (score_against_cost, scores_by_seed):
        monkeypatch.setattr(wb.plots, view.__name__, view, raising=False)
    app = open_page("compare", whose="mine", cost=cost, **filters)
    assert [json.loads(figure.proto.spec) for figure in figures(app)] == copied(app.code[0].value)


def test_a_chosen_baseline_that_is_filtered_out_can_be_copied_too(open_page, add, monkeypatch):
    add(0.8, method="lsp")
    add(0.7)
    for view in (score_against_cost, scores_by_seed):
        monkeypatch.setattr(wb.plots, view.__name__, view, raising=False)
    kd = next(entry for entry in leaderboard(wb.list_runs()).entries if entry.method == "kd")
    app = open_page("compare", whose="mine", method="lsp", baseline=kd.id)
    assert rows(app)["LSP · gcn → gcn"]["− baseline"] == pytest.approx(10)
    assert json.loads(figures(app)[1].proto.spec) == copied(app.code[0].value)[1]


def test_the_table_can_be_taken_away(add):
    add(0.6)
    add(0.7, method="lsp", seed=1)
    columns = leaderboard_table.leaderboard_columns(leaderboard(wb.list_runs()).entries, {}, "none")
    table = list(csv.reader(io.StringIO(shown.as_csv(columns))))
    assert table[0][0] == "entry"
    assert [line[0] for line in table[1:]] == ["LSP · gcn → gcn", "KD · gcn → gcn"]
    assert shown.as_latex(columns).count(r"\\") == 3


def test_a_model_without_any_latency_is_a_message_below_the_table(open_page, add):
    folder = add(0.8, facts={"latency_ms": None})
    result = json.loads((folder / "result.json").read_text())
    result["teacher"]["latency_ms"] = None
    (folder / "result.json").write_text(json.dumps(result))
    app = open_page("compare", whose="mine", cost="latency_ms")
    assert not app.exception
    assert "has not been measured" in app.error[0].value
    assert len(figures(app)) == 1


def test_runs_whose_scores_were_lost_are_no_traceback(open_page, texts, make_run_folder, lose_numbers, no_examples):
    lose_numbers(make_run_folder())
    app = open_page("compare")
    assert not app.exception
    assert "1 damaged" in texts(app)


def test_a_run_that_is_deleted_while_it_is_shown_leaves_the_table(open_page, add):
    folder = add(0.8)
    add(0.7, method="lsp")
    app = open_page("compare", whose="mine")
    assert len(rows(app)) == 2
    shutil.rmtree(folder)
    app.run()
    assert not app.exception
    assert list(rows(app)) == ["LSP · gcn → gcn"]


def test_a_name_with_markup_is_shown_as_it_is(open_page, texts, add):
    add(0.8, spec={"dataset": {"name": "own", "path": "/data/**bold**.npz"}, "student": {"name": "<b>mine</b>"}})
    app = open_page("compare", whose="mine")
    assert not app.exception
    assert app.selectbox(key="choice-dataset").value == "**bold**.npz"
    assert "\\<b\\>mine\\</b\\>" in texts(app)


def test_every_control_says_what_it_does(open_page, add):
    add(0.8)
    app = open_page("compare")
    assert len(app.selectbox) == 5
    assert all(widget.help for widget in [*app.selectbox, *app.text_input])


def test_a_hidden_filter_holds_all_the_same(runs_root, add):
    add(0.8)
    add(0.7, method="lsp")
    script = "from workbench.pages import class_mode, compare\nclass_mode.begin()\ncompare.show()\n"
    app = AppTest.from_string(script, default_timeout=60)
    hide = {"mode": "class", "hide": "search,method,downloads,notes"}
    app.query_params.update({"whose": "mine", "search": "lsp", "method": "lsp", **hide})
    for _ in range(2):
        app.run()
        assert not app.exception
        assert list(rows(app)) == ["LSP · gcn → gcn"]
        assert not app.text_input
    assert "Method" not in [select.label for select in app.selectbox]


def test_the_page_needs_no_torch(runs_root, examples):
    script = (
        "import sys\nfrom streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_string('from workbench.pages.compare import show\\nshow()', default_timeout=60).run()\n"
        "assert not app.exception and len(app.get('plotly_chart')) == 2\n"
        "assert not {'torch', 'sklearn', 'umap'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("seeds", "words"), [((3,), "3"), ((0, 1, 2, 7), "0–2, 7"), ((1, 3, 5), "1, 3, 5"), ((4, 5), "4–5")]
)
def test_seeds_are_written_as_ranges(seeds, words):
    assert _ranges(seeds) == words
