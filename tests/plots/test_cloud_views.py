"""Views of runs on point clouds: whose features and graphs are drawn, of which layer, and what is refused."""

import numpy as np
import pytest
from cloud_folders import CLASSES, LABELS, NEIGHBOURS, WIDTHS
from damages import change_arrays

from workbench.errors import RunError, UsageError
from workbench.plots import cloud_graphs, feature_distances
from workbench.plots.cloud_arrays import read_clouds
from workbench.runs.folder import Run

PLAIN = "shapes-none-s0-0123456789ab"


@pytest.fixture
def run(make_cloud_folder):
    return Run(make_cloud_folder())


@pytest.fixture
def plain(make_cloud_folder):
    return Run(make_cloud_folder(PLAIN, method="none"))


def titles(figure):
    return [title.text for title in figure.layout.annotations]


def in_scene(figure, number):
    name = "scene" if number == 1 else f"scene{number}"
    return [trace for trace in figure.data if (trace.scene or "scene") == name]


@pytest.mark.parametrize(("layer", "places"), [(None, (2, 1, 1)), (1, (0, 0, 0)), (2, (1, 1, 1)), (3, (2, 1, 1))])
def test_shapes_are_coloured_by_distance_in_the_chosen_layer_of_every_model(run, plain, layer, places):
    figure = feature_distances(run, shape=2, point=7, layer=layer, plain=plain)
    models = ((run, "teacher"), (run, "student"), (plain, "student"))
    for number, ((of, role), place) in enumerate(zip(models, places, strict=True), start=1):
        features = of.arrays(role)[f"features_{place}"][2].astype(np.float64)
        far = np.linalg.norm(features - features[7], axis=1)
        cloud, chosen = in_scene(figure, number)
        assert cloud.marker.color == pytest.approx(far / far.max(), rel=1e-5)
        points = run.arrays("clouds")["points"][2].astype(np.float64)
        assert np.stack([cloud.x, cloud.y, cloud.z], axis=1) == pytest.approx(points)
        assert (chosen.x[0], chosen.y[0], chosen.z[0]) == pytest.approx(tuple(points[7]))


def test_titles_say_whose_layer_it_is_and_how_the_student_was_taught(run, plain):
    assert titles(feature_distances(run)) == ["Teacher<br>EdgeConv 3 of 3", "Student with lsp<br>EdgeConv 2 of 2"]
    assert titles(feature_distances(run, layer=1, plain=plain)) == [
        "Teacher<br>EdgeConv 1 of 3",
        "Student with lsp<br>EdgeConv 1 of 2",
        "Student without distillation<br>EdgeConv 1 of 2",
    ]


def test_a_model_without_the_layer_shows_its_last_one_and_says_so(run):
    expected = ["Teacher<br>EdgeConv 3 of 3", "Student with lsp<br>EdgeConv 2 of 2 (there is no 3)"]
    assert titles(feature_distances(run, layer=3)) == expected
    assert titles(cloud_graphs(run, layer=3)) == [f"{expected[0]}, k = 5", f"{expected[1]}, k = 3"]


@pytest.mark.parametrize(("layer", "places"), [(None, (2, 1)), (1, (0, 0)), (3, (2, 1))])
def test_the_graphs_of_the_chosen_layer_are_drawn(run, layer, places):
    figure = cloud_graphs(run, shape=1, layer=layer, point=4)
    points = run.arrays("clouds")["points"][1].astype(np.float32)
    for number, (role, place) in enumerate(zip(("teacher", "student"), places, strict=True), start=1):
        table = run.arrays(role)[f"neighbours_{place}"][1]
        pairs = {tuple(sorted((int(j), i))) for i, row in enumerate(table) for j in row if i != j}
        lines, _, bold, _ = in_scene(figure, number)
        assert len(lines.x) == 3 * len(pairs)  # both ends and a gap
        ends = {tuple(place) for place in np.stack([bold.x, bold.y, bold.z], axis=1)[::3]}
        assert ends == {tuple(points[j]) for j in table[4] if j != 4}


def test_everything_stored_is_read(run):
    clouds = read_clouds(run)
    assert len(clouds) == len(LABELS)
    assert clouds.true == [CLASSES[label] for label in LABELS]
    assert clouds.predicted(clouds.teacher) == clouds.true
    assert clouds.predicted(clouds.student) == ["sphere", "cube", "cube", "sphere"]
    for role in ("teacher", "student"):
        model = getattr(clouds, role)
        assert tuple(features.shape[2] for features in model.features) == WIDTHS[role]
        source, centre = model.edge_index(0, 0)
        assert np.bincount(centre).tolist() == [NEIGHBOURS[role]] * 40
        assert np.array_equal(source[centre == 9], run.arrays(role)["neighbours_0"][0, 9])


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"shape": 4}, "no shape 4: the run has stored the shapes 0 to 3"),
        ({"shape": -1}, "no shape -1"),
        ({"shape": "cube"}, "no shape 'cube'"),
        ({"point": 40}, "no point 40: a shape of this run has the points 0 to 39"),
        ({"point": -1}, "no point -1"),
        ({"point": 1.5}, "no point 1.5"),
        ({"layer": 0}, "no layer 0: choose one of 1 to 3, or None"),
        ({"layer": 4}, "no layer 4"),
        ({"layer": "last"}, "no layer 'last'"),
    ],
)
@pytest.mark.parametrize("view", [feature_distances, cloud_graphs])
def test_a_choice_that_there_is_not_is_explained(run, view, choice, message):
    with pytest.raises(UsageError, match=message):
        view(run, **choice)


@pytest.mark.parametrize("view", [feature_distances, cloud_graphs])
def test_a_run_without_clouds_is_explained(make_run_folder, make_cloud_folder, view):
    for folder in (make_run_folder(), make_cloud_folder(state="queued")):
        with pytest.raises(RunError, match="has no point clouds"):
            view(Run(folder))


def test_a_second_run_without_clouds_is_explained(run, make_run_folder):
    with pytest.raises(RunError, match="has no point clouds"):
        feature_distances(run, plain=Run(make_run_folder()))


def test_a_second_run_must_have_the_same_shapes(run, plain, make_cloud_folder):
    fewer = Run(make_cloud_folder("fewer-points", method="none", points=30))
    with pytest.raises(UsageError, match="0123456789ab has 4 shapes of 40 points, fewer-points has 4 shapes of 30"):
        feature_distances(run, plain=fewer)
    drawn = Run(make_cloud_folder("drawn-anew", method="none", drawn=1))
    with pytest.raises(UsageError, match=r"the points of shape 0 \(a sphere and a sphere\) are others"):
        feature_distances(run, plain=drawn)
    change_arrays(plain.path, "clouds", shapes=np.array([10, 11, 99, 13]))
    with pytest.raises(UsageError, match=f"shape 2 is number 12 of the dataset in {run.id}, and number 99 in {PLAIN}"):
        feature_distances(run, plain=plain)


@pytest.mark.parametrize(
    ("file", "name"),
    [("clouds", "labels"), ("clouds", "class_names"), ("teacher", "logits"), ("student", "neighbours_1")],
)
def test_arrays_that_are_missing_are_explained(run, file, name):
    change_arrays(run.path, file, **{name: None})
    with pytest.raises(RunError, match=f"hold no '{name}': run the spec again"):
        feature_distances(run)


def test_arrays_of_other_shapes_are_explained(run, make_cloud_folder):
    other = Run(make_cloud_folder("fewer-points", points=30))
    change_arrays(run.path, "student", **other.arrays("student"))
    with pytest.raises(RunError, match="damaged, 'features_0' does not fit"):
        feature_distances(run)
    change_arrays(run.path, "student", features_0=None, features_1=None, neighbours_0=None, neighbours_1=None)
    with pytest.raises(RunError, match="damaged, 'features' does not fit"):
        cloud_graphs(run)


def test_a_spec_that_cannot_tell_the_method_is_a_message(run):
    spec = (run.path / "spec.yaml").read_text()
    (run.path / "spec.yaml").write_text(spec.replace("- name: lsp", "- {}"))
    with pytest.raises(RunError, match="does not hold a spec"):
        feature_distances(Run(run.path))
