"""Maps of layer pairs: which are there, what is drawn of them, and a pair of layers around a node."""

import json
import shutil

import numpy as np
import pytest
import yaml
from run_folders import pair_layers

from workbench.analysis.similarity import linear_cka
from workbench.errors import RunError, UsageError
from workbench.plots.layer_map import draw, layer_pairs
from workbench.plots.layer_map_arrays import LayerMap, layer_map, learned_map, nearest_kept, recorded, stops
from workbench.plots.layer_map_curves import SHARPEST, layer_pair_curves
from workbench.plots.layer_pair_ego import around, pair_on_ego_graph
from workbench.runs.folder import Run
from workbench.runs.side import Side


@pytest.fixture
def run(make_run_folder):
    return Run(make_run_folder())


@pytest.fixture
def paired(make_run_folder):
    folder = make_run_folder("karate-abkd-s0-0123456789ab")
    pair_layers(folder)
    return Run(folder)


def sides(run, epoch=None):
    return Side(run, "teacher"), Side(run, "student", epoch)


def cells(figure):
    """The number of every square, by row and column."""
    return {
        (int(row), int(column)): float(value)
        for trace in figure.data
        for (row, column, _), value in zip(trace.customdata, trace.marker.color, strict=True)
    }


def keys_without(arrays, *gone):
    return {key: value for key, value in arrays.items() if not key.startswith(gone)}


def test_cka_is_that_of_every_two_layers_rows_of_the_left_model(run):
    teacher, student = (side.arrays() for side in sides(run))
    rows = (teacher["hidden_0"], teacher["embedding"], teacher["logits"])
    columns = (student["embedding"], student["logits"])
    found = cells(layer_pairs(run))
    assert len(found) == 6
    for (i, j), value in found.items():
        assert value == pytest.approx(linear_cka(rows[i - 1], columns[j - 1]), abs=1e-6)


def test_the_scale_of_cka_does_not_depend_on_the_run(run):
    marker = layer_pairs(run).data[0].marker
    assert (marker.cmin, marker.cmax) == (0, 1)


def test_another_epoch_of_the_student_has_another_map(run):
    assert cells(layer_pairs(run, epoch=20)) != cells(layer_pairs(run))
    assert cells(layer_pairs(run, epoch=20)) == cells(layer_pairs(Side(run, "teacher"), Side(run, "student", 20)))


def test_pointing_at_a_square_says_which_layers_and_how_alike(run):
    said = {(row, column): text for row, column, text in layer_pairs(run).data[0].customdata}
    value = cells(layer_pairs(run))[2, 1]
    assert said[2, 1] == f"teacher layer 2 × student layer 1: <b>{value:.2f}</b>"
    assert said[3, 2].startswith("teacher logits × student logits")


def test_abkds_maps_are_those_of_the_best_epoch_or_of_the_one_asked_for(paired):
    assert cells(layer_pairs(paired, kind="attention"))[1, 1] == pytest.approx(0.5 + 0.01 * 31)  # the best one
    attention = cells(layer_pairs(paired, kind="attention", epoch=8))
    assert attention[1, 1] == pytest.approx(0.58)
    assert attention[3, 2] == pytest.approx(1 - 0.52)
    assert cells(layer_pairs(paired, kind="dissimilarity", epoch=8))[2, 2] == pytest.approx(4 / 8)


def test_distances_have_one_scale_for_all_epochs(paired):
    ends = {layer_pairs(paired, kind="dissimilarity", epoch=epoch).data[0].marker.cmax for epoch in (1, 8, 40)}
    assert ends == {4.0}  # 4 / epoch, at epoch 1


def test_what_a_run_does_not_have_is_refused_with_what_to_do(run, paired, make_run_folder):
    with pytest.raises(UsageError, match="with ABKD"):
        layer_pairs(run, kind="attention")
    with pytest.raises(UsageError, match="with ABKD"):
        layer_pairs(Side(paired, "student"), Side(paired, "teacher"), kind="attention")
    with pytest.raises(UsageError, match="did you mean 'attention'"):
        layer_pairs(paired, kind="atention")
    with pytest.raises(UsageError, match="no map of epoch 77"):
        layer_pairs(paired, kind="attention", epoch=77)
    with pytest.raises(UsageError, match="different graphs"):
        layer_pairs(run, Run(make_run_folder("other-graph-0123456789ab", nodes=40)))
    (paired.path / "metrics.jsonl").write_text("{}\n")
    with pytest.raises(RunError, match="recorded no map"):
        layer_pairs(paired, kind="attention")


def test_maps_too_large_for_the_log_are_read_from_the_kept_epochs(paired):
    text = (paired.path / "metrics.jsonl").read_text()
    (paired.path / "metrics.jsonl").write_text(text.replace("pictures", "nothing"))
    for epoch in (20, 40):
        name = f"epoch-{epoch:05d}"
        paired.store_arrays(name, **paired.arrays(name), **{"abkd-attention": np.full((3, 2), epoch / 100)})
    found = recorded(*sides(paired), "attention")
    assert found.epochs.tolist() == [20, 40]
    assert found.values[0].tolist() == [[0.2, 0.2]] * 3


def test_a_number_that_was_not_finite_is_a_grey_square_with_a_dash(paired):
    path = paired.path / "metrics.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for record in records:
        if record.get("pictures"):
            record["pictures"]["abkd-attention"][0][0] = None
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    figure = layer_pairs(paired, kind="attention")
    assert [len(trace.x) for trace in figure.data] == [5, 1]
    assert figure.data[1].text[0] == "–"


@pytest.mark.parametrize(
    ("options", "rows", "columns", "back"),
    [
        ({"layers": "all"}, ["layer 1", "layer 2", "logits"], ["layer 1", "logits"], 0),
        ({"layers": "hidden"}, ["layer 1", "layer 2", "layer 3"], ["layer 1", "layer 2"], 1),
    ],
)
def test_rows_and_columns_are_called_after_the_layers_that_took_part(paired, options, rows, columns, back):
    spec = yaml.safe_load((paired.path / "spec.yaml").read_text())
    spec["method"] = [{"name": "kd"}, {"name": "abkd", **options}]
    (paired.path / "spec.yaml").write_text(yaml.safe_dump(spec))
    run = Run(paired.path)
    found = layer_map(*sides(run), kind="attention")
    assert (found.rows, found.columns, found.back) == (rows, columns, back)


def test_the_film_has_the_first_the_best_the_last_and_the_kept_epochs(paired):
    found = recorded(*sides(paired), "attention")
    assert stops(found, paired, most=2) == [1, 20, 31, 40]
    assert stops(found, paired) == list(range(1, 41))


def test_states_are_those_of_the_nearest_stored_epoch(paired):
    assert nearest_kept(paired, 22).epoch == 20
    assert nearest_kept(paired, 30).epoch is None  # the best one was 31
    assert nearest_kept(paired, 39).epoch == 40


def test_squares_are_square_and_say_their_number_where_there_is_room():
    def made(rows, columns):
        names = [[f"layer {n}" for n in range(1, count)] + ["logits"] for count in (rows, columns)]
        return draw(LayerMap("cka", np.full((rows, columns), 0.5), *names, ("Teacher", "Student")), (2, 1))

    for rows, columns in ((2, 2), (65, 5), (5, 65)):
        figure = made(rows, columns)
        margin = figure.layout.margin
        cell = (figure.layout.height - margin.t - margin.b) / rows
        assert (figure.layout.width - margin.l - margin.r) / columns == pytest.approx(cell, rel=0.05)
        assert figure.data[0].marker.size < cell
        assert (figure.data[0].text is not None) == (cell >= 24)
        widths = figure.data[0].marker.line.width
        assert int(np.argmax(widths)) == columns  # the first of the second row
        assert len(set(widths)) == 2


def test_of_many_layers_some_are_named_and_the_last_one_is():
    names = [f"layer {n}" for n in range(1, 65)] + ["logits"]
    figure = draw(LayerMap("cka", np.full((65, 5), 0.5), names, names[-5:], ("Teacher", "Student")))
    assert figure.layout.yaxis.ticktext == ("8", "16", "24", "32", "40", "48", "56", "logits")
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # the input on top


def test_markup_in_a_models_name_is_no_markup(make_run_folder):
    folders = [make_run_folder("first-run-0123456789ab"), make_run_folder("other-run-0123456789ab", seed=1)]
    spec = yaml.safe_load((folders[1] / "spec.yaml").read_text())
    spec["student"]["name"] = "<b>gcn</b>"
    (folders[1] / "spec.yaml").write_text(yaml.safe_dump(spec))
    figure = layer_pairs(*(Side(Run(folder)) for folder in folders))
    assert "&lt;b&gt;gcn&lt;/b&gt;" in figure.layout.xaxis.title.text


def test_curves_of_few_pairs_are_the_pairs(paired):
    figure = layer_pair_curves(paired, "attention", epoch=10)
    lines = {trace.name: trace for trace in figure.data}
    assert set(lines) == {
        f"{row} × {column}" for row in ("layer 1", "layer 2", "logits") for column in ("layer 1", "logits")
    }
    np.testing.assert_allclose(lines["layer 2 × logits"].y, 0.5 - 0.005 * np.arange(1, 41), atol=1e-6)
    assert figure.layout.shapes[0].x0 == 10


def test_curves_of_many_pairs_are_means_over_the_teachers_layers(paired):
    path = paired.path / "metrics.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    wide = [[0.7, 0.1, 0.2], [0.1, 0.6, 0.3], [0.2, 0.3, 0.5]]
    for record in records:
        if record.get("pictures"):
            record["pictures"]["abkd-attention"] = wide
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    lines = {trace.name: trace.y[0] for trace in layer_pair_curves(paired).data}
    assert lines.pop(SHARPEST) == pytest.approx((0.7 + 0.6 + 0.5) / 3)
    assert list(lines.values()) == pytest.approx([1 / 3, 1 / 3, 1 / 3])


def test_cka_has_no_curves(paired):
    with pytest.raises(UsageError, match="not recorded"):
        layer_pair_curves(paired, "cka")


def told(run, pair, node=None, head="mean", epoch=None):
    first, second = sides(run, epoch)
    return around(first, second, layer_map(first, second), pair, node, head)


def test_an_edge_has_the_attention_of_the_chosen_head(run):
    arrays = run.arrays("teacher")
    pairs = {
        tuple(pair): weight
        for pair, weight in zip(arrays["attention_edge_index_1"].T, arrays["attention_1"], strict=True)
    }
    for head, of in ((1, lambda weight: weight[0]), (2, lambda weight: weight[1]), ("mean", np.mean)):
        found = told(run, (2, 1), node=7, head=head)
        assert found.ego.centre == 7
        expected = [of(pairs[tuple(edge)].astype(float)) for edge in found.ego.nodes[found.ego.edge_index].T]
        np.testing.assert_allclose(found.values[0], expected)
        assert found.heads == (2, 0)


def test_a_layer_that_does_not_attend_has_cosines_and_the_difference_is_of_cosines(run):
    def cosine(features, edges):
        ends = [features[end].astype(float) for end in edges]
        return np.sum(ends[0] * ends[1], axis=1) / np.prod([np.linalg.norm(end, axis=1) for end in ends], axis=0)

    found = told(run, (2, 1), node=7)
    edges = found.ego.nodes[found.ego.edge_index]
    left, right = (cosine(run.arrays(who)["embedding"], edges) for who in ("teacher", "student"))
    np.testing.assert_allclose(found.values[1], right)
    np.testing.assert_allclose(found.difference, right - left, atol=1e-12)
    assert found.what == ("attention, mean of 2 heads", "cosine of states")


def test_two_layers_that_attend_differ_in_attention(run):
    teacher = Side(run, "teacher")
    found = around(teacher, teacher, layer_map(teacher, teacher), (1, 3), 7, 2)
    np.testing.assert_allclose(found.difference, found.values[1] - found.values[0])
    assert found.what == ("attention, head 2 of 2", "attention")  # the output layer has one head


def test_three_panels_are_drawn_also_of_a_layer_beside_itself(run):
    figure = pair_on_ego_graph(Side(run, "teacher"), Side(run, "teacher"), pair=(3, 3), node=3)
    assert [title.text.split("<br>")[0] for title in figure.layout.annotations] == [
        "Teacher, logits",
        "Teacher, logits",
        "Right − left",
    ]


def test_a_pair_of_abkds_map_is_of_the_same_layers(paired):
    first, second = sides(paired)
    found = learned_map(first, second, "attention", recorded(first, second, "attention"), 22)
    assert around(first, second, found, (2, 1), 7).titles == ("Teacher, layer 2", "Student, epoch 20, layer 1")


def test_a_layer_whose_states_are_not_stored_says_so(paired):
    paired.store_arrays("teacher", **keys_without(paired.arrays("teacher"), "num_hidden", "hidden", "attention"))
    assert pair_on_ego_graph(paired, pair=(2, 1), kind="attention").data  # the last hidden layer is there
    with pytest.raises(RunError, match="older version"):
        pair_on_ego_graph(paired, pair=(1, 1), kind="attention")


def test_what_is_not_there_around_a_node_is_refused(run):
    with pytest.raises(UsageError, match=r"no pair \(4, 1\)"):
        pair_on_ego_graph(run, pair=(4, 1))
    with pytest.raises(UsageError, match="no node 30"):
        pair_on_ego_graph(run, node=30)
    with pytest.raises(UsageError, match="no head 0"):
        pair_on_ego_graph(run, head=0)
    run.store_arrays("graph", **keys_without(run.arrays("graph"), "edge_index"))
    with pytest.raises(RunError, match="too many edges"):
        pair_on_ego_graph(run)


def test_a_run_whose_folder_has_gone_is_a_message(run):
    shutil.rmtree(run.path)
    with pytest.raises(RunError):
        layer_pairs(run)
