"""A leaderboard of finished runs: what is one entry, what it is called, and what it is held against."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats
from scored_folders import write_scored

from workbench.errors import UsageError
from workbench.registry import methods
from workbench.runs import entry_names, measured
from workbench.runs.entry_differences import (
    baseline_of,
    comparable,
    difference,
    effect_size,
    interval,
    missing_alone,
    student_alone,
)
from workbench.runs.folder import Run
from workbench.runs.leaderboard import leaderboard, one_dataset, teachers
from workbench.runs.store import demo_runs, list_runs
from workbench.spec import OBSERVING


@pytest.fixture
def add(runs_root):
    """``add(0.8, seed=1, method="lsp")`` writes a finished run and returns it."""
    number = iter(range(1000))
    return lambda score, **more: Run(write_scored(runs_root, f"run-{next(number):03d}-0123456789ab", score, **more))


def entries(runs):
    return leaderboard(runs).entries


def titles(runs):
    return sorted(entry.title for entry in entries(runs))


def test_seeds_of_one_spec_are_one_entry_with_their_mean_and_sample_deviation(add):
    scores = {3: 0.80, 0: 0.74, 1: 0.83}
    (entry,) = entries([add(score, seed=seed, teacher=score + 0.1) for seed, score in scores.items()])
    assert entry.values() == scores
    assert [run.seed for run in entry.runs] == [0, 1, 3]
    found = entry.summary()
    assert (found.mean, found.std, found.n) == pytest.approx(
        (np.mean([*scores.values()]), np.std([0.8, 0.74, 0.83], ddof=1), 3)
    )
    assert entry.summary("teacher").mean == pytest.approx(np.mean([*scores.values()]) + 0.1)
    assert entry.summary("plain") is None


@pytest.mark.parametrize(
    "change",
    [
        {"device": "cuda:1"},
        {"umap": True},
        {"training": {"epochs": 40, "keep_every": 5, "lens_every": 3, "cuda_graph": True}},
        {"teacher_training": {"epochs": 40.0, "lens_every": 0}},
        {"training": {"epochs": 40, "batch_size": None}, "online": None},
        {"teacher_control": "none", "format": 1},
    ],
    ids=lambda change: "-".join(change),
)
def test_where_and_how_a_run_was_watched_does_not_part_its_entry(add, change):
    (entry,) = entries([add(0.8), add(0.8, seed=1, spec=change)])
    assert len(entry.runs) == 2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"student": {"name": "gcn", "hidden_channels": 4}}, ("hidden 2", "hidden 4")),
        ({"method": [{"name": "kd", "alpha": 0.5, "temperature": 2.0}]}, ("", "T 2")),
        ({"teacher": {"name": "gcn", "hidden_channels": 64}}, ("teacher hidden 16", "teacher hidden 64")),
        ({"training": {"epochs": 80, "keep_every": 20}}, ("epochs 40", "epochs 80")),
        ({"teacher_training": {"epochs": 9}}, ("teacher epochs 40", "teacher epochs 9")),
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_other_option_does_and_is_named_where_it_differs(add, change, named):
    usual = {"method": [{"name": "kd", "alpha": 0.5}]}
    found = titles([add(0.8, spec=usual), add(0.7, spec=usual | change)])
    assert found == sorted(f"KD · gcn → gcn ({words})" if words else "KD · gcn → gcn" for words in named)


def test_what_entries_of_other_components_have_is_not_named(add):
    runs = [add(0.8), add(0.8, spec={"student": {"name": "mlp", "hidden_channels": 64}}), add(0.7, method="lsp")]
    assert titles(runs) == ["KD · gcn → gcn", "KD · gcn → mlp", "LSP · gcn → gcn"]


def test_a_switch_is_named_in_words(add):
    students = [{"name": "gcn", "batch_norm": on} for on in (True, False)]
    assert titles([add(0.8, spec={"student": student}) for student in students]) == [
        "KD · gcn → gcn (batch norm)",
        "KD · gcn → gcn (no batch norm)",
    ]


def test_a_sum_is_called_after_its_parts_in_one_order(add):
    sums = [[{"name": "gcrd", "weight": 0.01}, {"name": "kd"}], [{"name": "gcrd", "weight": 0.1}, {"name": "kd"}]]
    runs = [add(0.8, method=each) for each in sums]
    assert [entry.method for entry in entries(runs)] == ["kd+gcrd", "kd+gcrd"]
    assert titles(runs) == ["KD + G-CRD · gcn → gcn (G-CRD weight 0.01)", "KD + G-CRD · gcn → gcn (G-CRD weight 0.1)"]


def test_a_teacher_that_is_a_control_is_called_one(add):
    assert titles([add(0.8, spec={"teacher_control": "untrained"})]) == ["KD · untrained gcn → gcn"]


def test_the_same_spec_on_other_data_is_another_entry_that_is_not_compared(add):
    here, there = entries([add(0.8), add(0.7, fingerprint="another-graph")])
    assert not comparable(here, there)
    assert here.dataset != there.dataset
    unknown, other = entries([add(0.8, fingerprint=None), add(0.7, fingerprint=None, method="lsp")])
    assert not comparable(unknown, other)


def test_datasets_are_told_apart_by_their_options(add):
    drawn = [{"dataset": {"name": "builtin-citation", "graph_seed": seed}} for seed in (0, 1)]
    runs = [add(0.8, spec=spec, fingerprint=str(number)) for number, spec in enumerate(drawn)]
    assert [e.dataset for e in entries(runs)] == ["builtin-citation (graph seed 0)", "builtin-citation (graph seed 1)"]
    assert [e.dataset for e in entries(runs[:1])] == ["builtin-citation"]


def test_a_persons_own_file_goes_by_its_name(add):
    (entry,) = entries([add(0.8, spec={"dataset": {"name": "own", "path": "/somewhere/of/mine/roads.npz"}})])
    assert entry.dataset == "roads.npz"


def test_of_a_spec_and_seed_that_was_run_twice_the_first_given_counts(add):
    newer, older = add(0.81), add(0.79)
    (entry,) = entries([newer, older])
    assert entry.values() == {0: 0.81}
    assert [run.run for run in entry.runs] == [newer.id]


def test_the_best_stands_first(add):
    runs = [add(0.7, method="lsp"), add(0.9, method="gcrd"), add(0.8)]
    assert [entry.method for entry in entries(runs)] == ["gcrd", "kd", "lsp"]


def test_links_are_judged_by_auc_and_have_the_student_alone_beside(make_snapshot_folder):
    runs = [Run(make_snapshot_folder(f"links-s{seed}-0123456789ab", seed=seed)) for seed in (0, 1)]
    (entry,) = entries(runs)
    assert entry.metric == "auc"
    # By the fixture: 0.7 + step / 100 + seed / 50 at steps 4, 5 and 6.
    assert list(entry.values().values()) == pytest.approx([0.75, 0.77])
    baseline = student_alone(entry, [entry])
    assert list(baseline.values.values()) == pytest.approx([0.7, 0.7])
    assert difference(entry, baseline).paired.difference == pytest.approx(0.06)
    assert missing_alone([entry], [entry]) == []


def damage(run, how):
    """Spoil one file of a finished run."""
    path, result = run.path / "result.json", json.loads((run.path / "result.json").read_text())
    texts = {
        "no result": "",
        "half a result": path.read_text()[:50],
        "no numbers": "{}",
        "a list": "[]",
        "no metrics": json.dumps({**result, "student": {"parameters": 3}}),
        "no mapping": json.dumps({**result, "teacher": "gcn"}),
        "score lost": json.dumps({**result, "student": {**result["student"], "metrics": {"test": {"accuracy": None}}}}),
        "score not finite": path.read_text().replace("0.85", "NaN"),
    }
    path.write_text(texts[how])


HOWS = (
    "no result",
    "half a result",
    "no numbers",
    "a list",
    "no metrics",
    "no mapping",
    "score lost",
    "score not finite",
)


@pytest.mark.parametrize("how", HOWS)
def test_a_damaged_result_is_left_out_and_counted(add, how):
    spoilt = add(0.85)
    damage(spoilt, how)
    found = leaderboard([spoilt, add(0.7, seed=1)])
    assert [entry.values() for entry in found.entries] == [{1: 0.7}]
    assert (found.damaged, found.unfinished) == (1, 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "method: [",
        "dataset: {}\nteacher: {}\nstudent: {}\nmethod: []",
        "dataset: 1\nteacher: 2\nstudent: 3\nmethod: 4",
    ],
)
def test_a_damaged_spec_is_left_out_and_counted(add, text):
    run = add(0.8)
    (run.path / "spec.yaml").write_text(text)
    found = leaderboard([Run(run.path)])
    assert (found.entries, found.damaged) == ((), 1)


@pytest.mark.parametrize("state", ["queued", "running", "failed", "stopped", "lost"])
def test_a_run_that_is_not_finished_is_left_out_and_counted(add, state):
    found = leaderboard([add(0.8, state=state)])
    assert (found.entries, found.unfinished, found.damaged) == ((), 1, 0)


def test_runs_from_the_index_make_the_same_leaderboard_as_their_folders(add):
    runs = [add(0.8, seed=seed) for seed in range(3)]
    list_runs()
    assert [e.id for e in entries(list_runs())] == [e.id for e in entries(runs)]


def test_sizes_are_means_over_the_runs_and_none_where_nothing_was_measured(add):
    (entry,) = entries([add(0.8, facts={"latency_ms": 1.0}), add(0.8, seed=1, facts={"latency_ms": 2.0})])
    assert (entry.size("student").latency_ms, entry.size("student").parameters) == (1.5, 1000)
    (unknown,) = entries([add(0.8, facts={"latency_ms": None, "bytes": math.nan, "parameters": "many"})])
    assert unknown.size("student") == measured.Size(None, None, None)


def test_a_teacher_of_several_students_is_one(add):
    runs = [add(0.8, seed=0, teacher=0.9), add(0.8, seed=1, teacher=0.92), add(0.7, method="lsp", seed=1, teacher=0.92)]
    other = {"teacher": {"name": "gat", "heads": 8}}
    found = teachers(entries([*runs, add(0.8, spec=other, teacher=0.95)]))
    assert sorted((entry.teacher, entry.values("teacher")[0]) for entry in found) == [("gat", 0.95), ("gcn", 0.9)]
    assert next(entry for entry in found if entry.teacher == "gcn").summary("teacher").n == 2


def test_a_difference_is_paired_over_shared_seeds(add):
    ours, theirs = {0: 0.80, 1: 0.83, 2: 0.78, 5: 0.99}, {0: 0.78, 1: 0.79, 2: 0.79, 7: 0.10}
    entry = entries([add(score, seed=seed) for seed, score in ours.items()])[0]
    alone = entries([add(score, seed=seed, method="none") for seed, score in theirs.items()])[0]
    found = difference(entry, baseline_of(entry, alone))
    left, right = np.array([0.80, 0.83, 0.78]), np.array([0.78, 0.79, 0.79])
    assert found.paired.n == 3
    assert found.paired.difference == pytest.approx((left - right).mean())
    assert found.paired.p == pytest.approx(stats.ttest_rel(left, right).pvalue)
    t = stats.ttest_rel(left, right).statistic
    assert found.effect == pytest.approx(t / np.sqrt(3))  # d_z = t / √n


def test_an_effect_size_needs_two_pairs_and_a_spread():
    assert effect_size([0.8], [0.7]) is None
    assert effect_size([0.8, 0.9], [0.7, 0.8]) is None  # equal but for rounding
    assert effect_size([0.5, 0.5], [0.5, 0.5]) is None
    assert effect_size([0.8, 0.9, 0.7], [0.7, 0.7, 0.7]) == pytest.approx(0.1 / 0.1)


def test_the_interval_of_a_mean_is_that_of_students_t():
    values = [0.80, 0.83, 0.78, 0.81]
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert interval(values) == pytest.approx((low, high))
    assert interval([0.8]) is None
    assert interval([0.8, 0.8]) is None
    assert interval([0.0, 0.0]) is None


def test_an_entry_is_not_its_own_baseline_nor_one_of_other_data(add):
    runs = [add(0.8), add(0.7, method="lsp"), add(0.6, fingerprint="another-graph")]
    first, second, elsewhere = sorted(entries(runs), key=lambda entry: -entry.values()[0])
    assert baseline_of(first, first) is None
    assert baseline_of(first, elsewhere) is None
    assert baseline_of(first, second).values == {0: 0.7}
    assert difference(first, None) is None
    other_seed = entries([add(0.5, seed=4, method="gsp")])[0]
    assert difference(first, baseline_of(first, other_seed)) is None


def test_the_student_alone_is_the_same_student_trained_the_same_way(add):
    (entry,) = entries([add(0.8)])
    wider = {"student": {"name": "gcn", "hidden_channels": 4}}
    longer = {"training": {"epochs": 4000}}
    others = [add(0.1, method="none", spec=wider), add(0.2, method="none", spec=longer)]
    assert student_alone(entry, [entry, *entries(others)]) is None
    assert student_alone(entry, entries([*others, add(0.3, method="none", fingerprint="another-graph")])) is None
    right = add(0.7, method="none", spec={"teacher": {"name": "gat"}})  # it learns from none, so any will do
    assert student_alone(entry, entries([*others, right])).values == {0: 0.7}
    assert student_alone(entries([right])[0], entries([*others, right])) is None


def test_of_two_students_alone_the_one_with_more_shared_seeds_is_taken(add):
    (entry,) = entries([add(0.8, seed=seed) for seed in range(3)])
    few = [add(0.6, method="none", seed=0)]
    many = [add(0.7, method="none", seed=seed, spec={"teacher": {"name": "gat"}}) for seed in (0, 1)]
    assert student_alone(entry, entries([*few, *many])).values == {0: 0.7, 1: 0.7}


def test_seeds_that_the_student_alone_lacks_are_named_with_a_run_to_copy(add):
    distilled = [add(0.8, seed=seed) for seed in range(4)] + [add(0.8, method="lsp", seed=9)]
    (gap,) = missing_alone(entries(distilled), entries(distilled))
    assert (gap.seeds, gap.alone) == ((0, 1, 2, 3, 9), False)
    assert gap.run in [run.id for run in distilled]
    alone = add(0.7, method="none", seed=2)
    found = entries([*distilled, alone])
    (gap,) = missing_alone(found, found)
    assert (gap.seeds, gap.alone, gap.run) == ((0, 1, 3, 9), True, alone.id)
    rest = [add(0.7, method="none", seed=seed) for seed in (0, 1, 3, 9)]
    found = entries([*distilled, alone, *rest])
    assert missing_alone(found, found) == []


def test_runs_on_several_datasets_do_not_stand_in_one_figure(add):
    with pytest.raises(UsageError, match="several datasets"):
        one_dataset(entries([add(0.8), add(0.7, fingerprint="another-graph")]))
    with pytest.raises(UsageError, match="none of these runs is finished"):
        one_dataset([])
    with pytest.raises(UsageError, match="AUC"):
        one_dataset(entries([add(0.8), add(0.7, metric="auc")]))


def cloud_spec(method):
    dgcnn = {"name": "dgcnn"}
    return {"dataset": {"name": "modelnet40"}, "teacher": dgcnn, "student": dgcnn, "method": [method]}


@pytest.mark.parametrize(
    ("method", "parameters", "mean"),
    [
        ({"name": "lsp"}, 99_560, 91.9),
        ({"name": "lsp", "kernel": "rbf"}, 99_560, 91.9),
        ({"name": "lsp", "kernel": "poly"}, 99_560, 91.7),
        ({"name": "lsp", "kernel": "rbf"}, 440_000, 92.3),
        ({"name": "none"}, 99_560, 91.2),
    ],
)
def test_an_entry_knows_the_number_of_the_paper(add, method, parameters, mean):
    (entry,) = entries([add(0.9, spec=cloud_spec(method), facts={"parameters": parameters})])
    assert entry.of_paper.mean == mean
    assert entry.of_paper.metric == "accuracy"


@pytest.mark.parametrize(
    "change",
    [
        {"method": [{"name": "lsp", "kernel": "cosine"}]},
        {"method": [{"name": "abkd"}]},
        {"teacher_control": "untrained"},
        {"dataset": {"name": "modelnet10"}},
    ],
)
def test_where_the_paper_has_no_number_there_is_none(add, change):
    (entry,) = entries([add(0.9, spec=cloud_spec({"name": "lsp"}) | change)])
    assert entry.of_paper is None


def test_examples_are_entries_too():
    found = leaderboard(demo_runs())
    assert (found.damaged, found.unfinished) == (0, 0)
    assert sum(len(entry.runs) for entry in found.entries) == len(demo_runs())


def test_methods_are_called_as_their_classes_are():
    assert {name: methods[name].title for name in methods.builtin_names()} == dict(entry_names.METHODS)


def test_every_option_that_only_observes_is_known():
    assert set(OBSERVING) <= set(measured.OBSERVING)


def test_reading_runs_needs_no_torch():
    script = (
        "import sys\nfrom workbench.runs.leaderboard import leaderboard\nfrom workbench.runs.store import demo_runs\n"
        "from workbench.runs import entry_differences\nassert leaderboard(demo_runs()).entries\n"
        "assert not {'torch', 'streamlit', 'plotly', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
