"""The three similarity figures of many runs, against formulas in full matrices."""

import numpy as np
import pytest
from damages import change_arrays
from run_folders import write_run

from workbench.runs.folder import Run
from workbench.runs.similarity_table import FIGURES, similarity, similarity_table

NAME = "karate-kd-s{seed}-0123456789ab"


@pytest.fixture
def run(make_run_folder):
    return Run(make_run_folder(NAME.format(seed=0), nodes=60))


def in_full(run):
    """All three from n × n matrices of cosines, in float64."""
    graph = run.arrays("graph")
    chosen = np.flatnonzero(graph["split"] == 2)
    rows = [run.arrays(who, "embedding")["embedding"][chosen].astype(np.float64) for who in ("teacher", "student")]
    rows = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in rows]
    far = [1 - x @ x.T for x in rows]
    upper = np.triu_indices(len(chosen), k=1)
    place = {node: at for at, node in enumerate(chosen.tolist())}
    edges = [(place[a], place[b]) for a, b in graph["edge_index"].T.tolist() if a in place and b in place]
    source, target = np.array(edges).T
    centred = [x - x.mean(axis=0) for x in rows]
    grams = [x @ x.T for x in centred]
    cka = (grams[0] * grams[1]).sum() / np.linalg.norm(grams[0]) / np.linalg.norm(grams[1])
    return {
        "global": np.corrcoef(far[0][upper], far[1][upper])[0, 1],
        "local": np.corrcoef(far[0][source, target], far[1][source, target])[0, 1],
        "cka": cka,
    }, len(edges)


def test_the_figures_are_those_of_the_full_matrices(run):
    found = similarity(run)
    expected, edges = in_full(run)
    assert found.values == pytest.approx(expected, abs=1e-9)
    assert (found.nodes, found.edges) == (20, edges)  # every third node is of the validation split
    assert set(found.values) == set(FIGURES)


def test_equal_embeddings_are_alike_in_every_figure(run):
    change_arrays(run.path, "student", embedding=3 * run.arrays("teacher")["embedding"][:, ::-1].astype(np.float64))
    assert similarity(run).values == pytest.approx({"global": 1, "local": 1, "cka": 1})


def test_without_edges_the_local_figure_is_left_open(run):
    change_arrays(run.path, "graph", edge_index=None)
    found = similarity(run)
    assert (found.values["local"], found.edges) == (None, None)
    assert found.values["global"] is not None


def test_seeds_of_one_spec_are_one_row_with_mean_and_spread(runs_root):
    runs = [Run(write_run(runs_root, NAME.format(seed=seed), nodes=60, seed=seed)) for seed in range(3)]
    for seed, run in enumerate(runs):
        noise = np.random.default_rng(seed).normal(size=(60, 2))
        change_arrays(run.path, "student", embedding=run.arrays("student")["embedding"] + noise)
    (row,) = similarity_table(runs).rows
    for figure in FIGURES:
        values = [in_full(run)[0][figure] for run in runs]
        summary = row.summary(figure)
        assert (summary.mean, summary.std, summary.n) == pytest.approx((np.mean(values), np.std(values, ddof=1), 3))
    document = row.to_dict()
    assert [run["seed"] for run in document["runs"]] == [0, 1, 2]
    assert document["cka"]["n"] == 3


def test_runs_that_cannot_be_compared_are_named(run, make_run_folder, make_snapshot_folder, make_cloud_folder):
    waiting = Run(make_run_folder("waiting-0123456789ab", state="queued", seed=3))
    damaged = Run(make_run_folder("damaged-0123456789ab", seed=4))
    (damaged.path / "arrays/student.npz").write_bytes(b"PK\x03\x04 half of a file")
    short = Run(make_run_folder("short-0123456789ab", seed=5))
    change_arrays(short.path, "student", embedding=np.ones((4, 2)))
    none = Run(make_run_folder("none-0123456789ab", seed=6))
    change_arrays(none.path, "graph", split=np.ones(30, dtype=int))
    others = [Run(make_snapshot_folder()), Run(make_cloud_folder())]
    table = similarity_table([run, waiting, damaged, short, none, *others])
    assert [[each.run for each in row.runs] for row in table.rows] == [[run.id]]
    assert set(table.left_out) == {damaged.id, short.id, none.id, *(other.id for other in others)}
    assert "is damaged" in table.left_out[damaged.id]
    assert "not of the same nodes" in table.left_out[short.id]
    assert "three are needed" in table.left_out[none.id]
    assert table.to_dict()["left_out"] == table.left_out


def test_a_figure_that_is_not_defined_is_none(run):
    change_arrays(run.path, "student", embedding=np.ones((60, 2)))  # all nodes in one place
    found = similarity(run)
    assert (found.values["global"], found.values["local"]) == (None, None)
    assert found.values["cka"] == pytest.approx(0, abs=1e-12)
    (row,) = similarity_table([run]).rows
    assert row.summary("global") is None
    assert row.to_dict()["global"] is None
