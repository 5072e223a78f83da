"""Finished runs on disturbed graphs: the stored weights, the same graphs for all models, and a file that is checked."""

import json
import shutil

import numpy as np
import pytest
import torch
from run_folders import write_run

import workbench as wb
from workbench.analysis.robustness import add_edges, noisy_features, remove_edges
from workbench.errors import RunError, UsageError
from workbench.runs import robustness_judge as judging
from workbench.runs.folder import Run
from workbench.runs.recorder import RunRecorder
from workbench.runs.robustness import FAILED, measure_robustness, student_alone_of, try_robustness
from workbench.runs.robustness_file import FILE, has_robustness, read_robustness
from workbench.runs.robustness_plan import LEVELS, Plan
from workbench.runs.store import list_runs
from workbench.runs.stored_models import has_weights, weights_hash
from workbench.runs.worker import main as worker
from workbench.training.checkpoint import load_tensors

SHORT = {"epochs": 5, "patience": 0, "keep_every": 0}
PLAN = Plan(levels=(0.3, 1.0), seeds=2)
FUNCTIONS = {"remove_edges": remove_edges, "noisy_features": noisy_features}


def distilled(root, method="kd", **more):
    options = {"student": "gcn", "training": SHORT, "teacher_training": SHORT, "device": "cpu", **more}
    return wb.distill("builtin-karate", "gcn", method=method, root=root, **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return [distilled(root, method) for method in ("kd", "none", "fitnet")]


@pytest.fixture
def runs(trained, tmp_path):
    """KD, the student alone, and FitNet, in a root of their own."""
    root = shutil.copytree(trained[0].path.parent, tmp_path / "runs")
    return [Run(root / run.path.name) for run in trained]


def models(run):
    """Teacher and student of a run, built from its spec with the weights on disk."""
    cache = json.loads((run.path / "teacher").read_text())["cache"]
    files = {"teacher": run.path.parent / ".workbench/teachers" / cache / "teacher.safetensors"}
    files["student"] = run.path / "student.safetensors"
    found = {}
    for role, file in files.items():
        found[role] = getattr(run.spec, role).build(wb.load_dataset("builtin-karate").num_features, 4)
        found[role].load_state_dict(load_tensors(file).tensors)
        found[role].eval()
    return found


def accuracy(model, x, edges, data):
    with torch.no_grad():
        right = model(x, edges).argmax(1) == data.y
    return right[data.test_mask].double().mean().item()


@pytest.mark.parametrize("kind", ["remove_edges", "add_edges", "noisy_features"])
def test_every_number_is_that_of_the_stored_weights_on_that_graph(runs, kind):
    run, alone, _ = runs
    found = measure_robustness(run, PLAN)
    data = wb.load_dataset("builtin-karate")
    assert found.levels == (0.0, 0.3, 1.0)
    assert found.models["alone"].run == alone.id
    named = {**models(run), "alone": models(alone)["student"]}
    for role, model in named.items():
        for seed in range(2):
            for at, level in enumerate(found.levels):
                x, edges = data.x, data.edge_index
                if kind == "noisy_features":
                    x = torch.from_numpy(noisy_features(x.numpy(), level, seed))
                elif kind == "add_edges":
                    edges = torch.from_numpy(add_edges(edges.numpy(), len(x), level, seed))
                else:
                    edges = torch.from_numpy(remove_edges(edges.numpy(), level, seed))
                expected = accuracy(model, x, edges, data)
                assert found.models[role].accuracy[kind][seed, at] == pytest.approx(expected, abs=1e-6)


def test_undisturbed_it_is_the_test_accuracy_of_the_result(runs):
    run, alone, _ = runs
    found = measure_robustness(run, PLAN)
    of = {"teacher": (run, "teacher"), "student": (run, "student"), "alone": (alone, "student")}
    for role, (whose, who) in of.items():
        for scores in found.models[role].accuracy.values():
            assert (scores[:, 0] == whose.result[who]["metrics"]["test"]["accuracy"]).all()


def test_a_result_that_its_weights_do_not_bear_out_is_an_error_and_nothing_is_stored(runs):
    run = runs[0]
    result = run.result
    result["student"]["metrics"]["test"]["accuracy"] = (result["student"]["metrics"]["test"]["accuracy"] + 0.5) % 1
    (run.path / "result.json").write_text(json.dumps(result))
    with pytest.raises(RunError, match=r"the student of run .* has a test accuracy of .* nothing was stored"):
        measure_robustness(run, PLAN)
    assert not has_robustness(run)


def test_it_is_read_as_it_was_stored(runs):
    found = measure_robustness(runs[0], PLAN)
    read = read_robustness(runs[0])
    assert json.dumps(read.to_dict()) == json.dumps(found.to_dict())
    assert read.versions["torch"]
    assert read.nodes == int(wb.load_dataset("builtin-karate").test_mask.sum())
    assert list(runs[0].path.glob(".*")) == []  # nothing temporary is left
    assert read_robustness(runs[1]) is None


def counted(monkeypatch):
    graphs = []
    original = judging.disturbed

    def disturbed(data, kind, level, seed):
        graphs.append((kind, level, seed))
        return original(data, kind, level, seed)

    monkeypatch.setattr(judging, "disturbed", disturbed)
    return graphs


def test_every_graph_is_made_once_for_all_models(runs, monkeypatch):
    graphs = counted(monkeypatch)
    measure_robustness(runs[0], PLAN)
    assert len(graphs) == len(set(graphs)) == 3 * 2 * 2  # kinds, levels above 0, seeds


def test_what_is_stored_is_not_measured_again_and_another_kind_is_added_to_it(runs, monkeypatch):
    graphs = counted(monkeypatch)
    measure_robustness(runs[0], Plan(("remove_edges",), (1.0,), 1))
    graphs.clear()
    both = measure_robustness(runs[0], Plan(("add_edges",), (1.0,), 1))
    assert both.kinds == ("remove_edges", "add_edges")
    assert {kind for kind, *_ in graphs} == {"add_edges"}
    graphs.clear()
    measure_robustness(runs[0], Plan(("remove_edges",), (1.0,), 1))
    assert graphs == []
    measure_robustness(runs[0], Plan(("remove_edges",), (1.0,), 1), fresh=True)
    assert len(graphs) == 1
    other = measure_robustness(runs[0], Plan(("remove_edges",), (0.5,), 1))
    assert (other.kinds, other.levels) == (("remove_edges",), (0.0, 0.5))


def test_a_student_alone_that_comes_later_is_added(runs):
    run, alone, _ = runs
    assert "alone" not in measure_robustness(run, PLAN, among=[]).models
    assert measure_robustness(run, PLAN).models["alone"].run == alone.id


def test_runs_share_what_is_known_of_their_teacher(runs):
    known = {}
    first, second = (measure_robustness(run, PLAN, known=known) for run in (runs[0], runs[2]))
    assert first.models["teacher"].weights == second.models["teacher"].weights
    assert first.models["alone"].weights == second.models["alone"].weights
    assert first.models["student"].weights != second.models["student"].weights
    assert len(known) == 4 * 3  # a teacher, a student alone and two students; three kinds


def test_the_student_alone_is_the_one_of_the_same_student_training_seed_and_data(runs):
    run, alone, fitnet = runs
    root = run.path.parent
    assert student_alone_of(run, list_runs(root)).path == alone.path
    assert student_alone_of(alone, list_runs(root)) is None
    changes = [{"seed": 1}, {"training": {**SHORT, "epochs": 4}}, {"student": {"name": "gcn", "hidden_channels": 3}}]
    others = [distilled(root, "none", **change) for change in changes]
    assert student_alone_of(run, [fitnet, *others]) is None
    (alone.path / "spec.yaml").write_text("{")
    assert student_alone_of(run, [Run(alone.path)]) is None


def test_weights_that_are_gone_are_said(runs):
    run, alone, fitnet = runs
    (alone.path / "student.safetensors").unlink()
    assert set(measure_robustness(run, PLAN).models) == {"teacher", "student"}
    (fitnet.path / "student.safetensors").unlink()
    with pytest.raises(RunError, match=r"has no student\.safetensors: run its spec again"):
        measure_robustness(fitnet, PLAN)
    shutil.rmtree(run.path.parent / ".workbench/teachers")
    with pytest.raises(RunError, match=r"the teacher of run .* is not in the cache any more"):
        measure_robustness(run, PLAN)
    assert not has_weights(run)


def test_another_teacher_in_the_cache_is_not_taken(runs):
    (weights,) = runs[0].path.parent.glob(".workbench/teachers/*/teacher.safetensors")
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\1\0")
    with pytest.raises(RunError, match="another teacher by now"):
        measure_robustness(runs[0], PLAN)


@pytest.mark.parametrize("reference", ["", "[]", '{"cache": "../../elsewhere"}', '{"cache": 3}', "{}"])
def test_a_reference_that_is_none_leads_nowhere(runs, reference):
    (runs[0].path / "teacher").write_text(reference)
    with pytest.raises(RunError, match="does not say which teacher"):
        measure_robustness(runs[0], PLAN)


def test_data_that_has_changed_is_said(runs, monkeypatch):
    def changed(*arguments):
        data = wb.load_dataset("builtin-karate")
        data.x = 2 * data.x
        return data

    monkeypatch.setattr("workbench.datasets.load.load_dataset", changed)
    with pytest.raises(RunError, match="has changed since it was made"):
        measure_robustness(runs[0], PLAN)


def test_only_finished_runs_on_one_graph_are_measured(runs_root, make_run_folder, make_cloud_folder, trained, tmp_path):
    with pytest.raises(UsageError, match="is failed: only a finished run"):
        measure_robustness(Run(make_run_folder(state="failed")))
    judged_by_auc = make_run_folder("judged-by-auc-0123456789ab")
    result = json.loads((judged_by_auc / "result.json").read_text())
    result["student"]["metrics"]["test"]["auc"] = 0.7
    (judged_by_auc / "result.json").write_text(json.dumps(result))
    with pytest.raises(UsageError, match="not judged by its accuracy"):
        measure_robustness(Run(judged_by_auc))
    cloud = make_cloud_folder()
    shutil.copy(trained[0].path / "student.safetensors", cloud)
    shutil.copy(trained[0].path / "student.safetensors", cloud / "teacher.safetensors")
    reference = {"file": "teacher.safetensors", "sha256": weights_hash(Run(cloud), "student")}
    (cloud / "teacher").write_text(json.dumps(reference))
    with pytest.raises(UsageError, match="not about the nodes of one graph"):
        measure_robustness(Run(cloud))


def test_live_objects_cannot_be_built_again(tmp_path):
    data = wb.load_dataset("builtin-karate")
    run = wb.distill(data, "gcn", "gcn", "kd", training=SHORT, teacher_training=SHORT, device="cpu", root=tmp_path)
    assert has_weights(run)
    with pytest.raises(RunError, match="live Python objects"):
        measure_robustness(run, PLAN)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ("remove_nodes",)}, "did you mean 'remove_edges'"),
        ({"kinds": ()}, "no kind"),
        ({"levels": (-0.1,)}, "from 0 on"),
        ({"levels": (1.5,)}, "at most 1"),
        ({"levels": (float("nan"),)}, "from 0 on"),
        ({"levels": (0.0,)}, "one level above 0"),
        ({"levels": tuple(np.linspace(0, 1, 60))}, "49 at most"),
        ({"seeds": 0}, "between 1 and 100"),
        ({"seeds": 101}, "between 1 and 100"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Plan(**options)


def test_a_plan_is_put_in_order_with_level_zero_in_it():
    plan = Plan(("noisy_features", "remove_edges", "noisy_features"), (0.5, 0.1, 0.5))
    assert plan.kinds == ("remove_edges", "noisy_features")
    assert plan.levels == (0.0, 0.1, 0.5)
    assert Plan(("add_edges",), (3.0,)).levels == (0.0, 3.0)
    assert Plan().levels == LEVELS


def test_the_worker_adds_it_to_a_finished_run(runs):
    run = runs[0]
    before = run.status
    assert worker([str(run.path), "robustness"]) == 0
    assert read_robustness(run).levels == LEVELS
    assert run.status.state == before.state == "done"
    assert "robustness: 0 %" in run.log()
    assert "robustness: 100 %" in run.log()


def test_what_goes_wrong_in_the_worker_is_a_warning(runs):
    (runs[0].path / "student.safetensors").unlink()
    with RunRecorder(runs[0]) as recorder:
        try_robustness(recorder)
    (warning,) = [text for text in runs[0].status.warnings if text.startswith(FAILED)]
    assert "student.safetensors" in warning
    assert runs[0].status.state == "done"


def change(**parts):
    def damage(document):
        document.update(parts)

    return damage


def in_model(role, **parts):
    return lambda document: document["models"][role].update(parts)


def scores(value):
    return lambda document: document["models"]["student"]["accuracy"].update(add_edges=value)


DAMAGES = {
    "another format": change(format=2),
    "another metric": change(metric="auc"),
    "levels as text": change(levels="0.1"),
    "levels that fall": change(levels=[0.0, 1.0, 0.3]),
    "levels without zero": change(levels=[0.1, 0.3, 1.0]),
    "no levels": change(levels=[]),
    "seeds as text": change(seeds="two"),
    "no seeds": change(seeds=0),
    "true seeds": change(seeds=True),
    "more seeds": change(seeds=3),
    "no models": change(models={}),
    "models as a list": change(models=[1]),
    "no nodes": change(nodes=0),
    "no fingerprint": change(fingerprint=None),
    "no versions": change(versions=None),
    "no student": lambda document: document["models"].pop("student"),
    "a kind less": lambda document: document["models"]["teacher"]["accuracy"].pop("add_edges"),
    "nothing measured": in_model("student", accuracy={}),
    "run as a number": in_model("teacher", run=3),
    "no weights": in_model("teacher", weights=None),
    "above one": scores([[0.5, 1.5, 0.1]] * 2),
    "below zero": scores([[0.5, -0.5, 0.1]] * 2),
    "null": scores([[0.5, None, 0.1]] * 2),
    "short": scores([[0.5, 0.4, 0.1]]),
    "ragged": scores([[0.5, 0.4, 0.1], [0.5]]),
    "text": scores("many"),
    "huge": scores([[10**400, 0, 0]] * 2),
}


@pytest.fixture(scope="module")
def document(trained, tmp_path_factory):
    root = shutil.copytree(trained[0].path.parent, tmp_path_factory.mktemp("measured") / "runs")
    run = Run(root / trained[0].path.name)
    measure_robustness(run, PLAN)
    return (run.path / FILE).read_text()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path, document, damage):
    changed = json.loads(document)
    DAMAGES[damage](changed)
    folder = write_run(tmp_path, "karate-kd-s0-0123456789ab")
    (folder / FILE).write_text(document)
    assert read_robustness(Run(folder)).levels == (0.0, 0.3, 1.0)
    (folder / FILE).write_text(json.dumps(changed))
    with pytest.raises(RunError, match=r"is damaged: `workbench robustness .* --fresh`"):
        read_robustness(Run(folder))


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "null", "\ud800".encode("utf-16", "surrogatepass")])
def test_what_is_no_document_is_damaged(tmp_path, content):
    folder = write_run(tmp_path, "karate-kd-s0-0123456789ab")
    (folder / FILE).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RunError, match="is damaged"):
        read_robustness(Run(folder))


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path, document):
    folder = write_run(tmp_path, "karate-kd-s0-0123456789ab")
    (tmp_path / "outside.json").write_text(document)
    (folder / FILE).symlink_to(tmp_path / "outside.json")
    with pytest.raises(RunError, match="is damaged"):
        read_robustness(Run(folder))
