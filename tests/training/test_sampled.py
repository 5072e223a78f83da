"""Mini-batches of sampled neighbourhoods: what they hold, and that nothing is lost where nothing is left out."""

import copy
import json

import pytest
import torch
from torch_geometric.data import Data

from workbench.errors import UsageError
from workbench.methods.base import Widths
from workbench.models.base import Output
from workbench.registry import models
from workbench.runs.api import distill
from workbench.runs.folder import Run
from workbench.spec import Spec, Training
from workbench.tasks import NodeClassification, with_split_nodes
from workbench.training.distiller import Distiller
from workbench.training.loop import train_epochs
from workbench.training.neighbour_sampling import InEdges
from workbench.training.sampled import Compared, SampledStep, shuffled_seeds
from workbench.training.terms import backward

ALL = Training(num_neighbors="-1,-1", batch_size=1000, deterministic=True)
SIZES = {"hidden_channels": 8, "num_layers": 2, "dropout": 0.0}
METHODS = ["kd", "fitnet", "at", "lsp", "gsp", "gcrd", "abkd", "glnn", "label-smoothing", "kd+lsp+gsp", "glnn+lsp"]


def spec_of(method, **more) -> Spec:
    base = {"dataset": "builtin-citation", "teacher": "gcn", "student": "gcn", "method": method}
    return Spec.parse({**base, **more})


def teacher_of(graph: Data) -> Output:
    generator = torch.Generator().manual_seed(3)
    logits, hidden = (torch.randn(graph.num_nodes, width, generator=generator) for width in (3, 16))
    return Output(logits, [hidden])


class Rows:
    """A teacher whose outputs are read by node, and which nodes were."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.asked: list[torch.Tensor] = []

    def __call__(self, nodes: torch.Tensor) -> Output:
        self.asked.append(nodes)
        return Output(self.output.logits[nodes], [layer[nodes] for layer in self.output.hidden])


def made(graph, spec, training, student="sage"):
    """A step and its distiller, and the teacher's rows."""
    torch.manual_seed(0)
    module = models[student](**SIZES).build(graph.num_features, 3)
    rows = Rows(teacher_of(graph))
    with torch.no_grad():
        widths = Widths.of(module.encode(graph.x, graph.edge_index))
    distiller = Distiller(module, spec.objective.build(Widths.of(rows.output), widths), NodeClassification())
    edges = InEdges.of(graph.edge_index, graph.num_nodes)
    return SampledStep(distiller, graph, edges, rows, training, Compared.by(spec.method)), distiller, rows


def whole_terms(graph, distiller):
    batch = with_split_nodes(graph)
    return distiller(batch, distiller.objective.targets(teacher_of(graph), batch))


EVERYWHERE = [(method, "sage", "all") for method in METHODS]
EVERYWHERE += [(method, "gcn", "all") for method in METHODS if method != "label-smoothing"]
# Around the training nodes alone a GCN sees other degrees than in the whole graph, a GraphSAGE does not.
IN_TRAINING = [(method, "sage", "train") for method in METHODS if "glnn" not in method and "label" not in method]


@pytest.mark.parametrize(("method", "student", "nodes"), EVERYWHERE + IN_TRAINING)
def test_with_every_node_and_neighbour_in_it_a_mini_batch_gives_the_terms_of_the_whole_graph(
    small_graph, method, student, nodes
):
    parts = [{"name": name, **({"nodes": nodes} if nodes == "train" else {})} for name in method.split("+")]
    spec = spec_of(parts)
    step, distiller, _ = made(small_graph, spec, ALL, student)
    if nodes == "train" and "lsp" in method:  # two training nodes that are neighbours
        train = small_graph.train_mask.nonzero().view(-1)
        small_graph.edge_index = torch.cat([small_graph.edge_index, train[:4].view(2, 2)], dim=1)
        step, distiller, _ = made(small_graph, spec, ALL, student)
    (make,) = step.parts()
    found = distiller(*make())
    expected = whole_terms(small_graph, distiller)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=2e-4, atol=1e-6)
    gradients = []
    for terms in (found, expected):
        distiller.zero_grad()
        every = distiller.weights()
        backward(terms, {name: every[name] for name in terms}, distiller, distiller.student, False)
        gradients.append(torch.cat([p.grad.flatten() for p in distiller.student.parameters()]))
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-6)


def test_lsp_of_the_mini_batches_averages_to_that_of_the_whole_graph(small_graph):
    """Every node is in one mini-batch with all of its in-edges, and has its own Kullback-Leibler divergence."""
    step, distiller, rows = made(small_graph, spec_of("lsp"), ALL.replace(batch_size=7))
    parts = step.parts()
    total = sum(float(distiller(*make())["lsp"].detach()) * make.args[0].numel() for make in parts)
    expected = float(whole_terms(small_graph, distiller)["lsp"].detach())
    assert total / small_graph.num_nodes == pytest.approx(expected, rel=1e-5)
    source, target = small_graph.edge_index
    for make, asked in zip(parts, rows.asked, strict=True):  # the teacher is read on them and their in-neighbours
        seeds = make.args[0]
        around = source[torch.isin(target, seeds)]
        assert torch.equal(asked.sort().values, torch.cat([seeds, around]).unique())


def test_other_methods_read_the_teacher_on_the_nodes_of_the_mini_batch_alone(small_graph):
    step, distiller, rows = made(small_graph, spec_of("kd+gsp"), ALL.replace(batch_size=7))
    for make in step.parts():
        distiller(*make())
        assert torch.equal(rows.asked[-1], make.args[0])


def test_a_mini_batch_without_edges_among_training_nodes_has_no_local_structure(small_graph):
    graph = copy.copy(small_graph)
    graph.edge_index = graph.edge_index[:, :0]
    step, distiller, _ = made(graph, spec_of("lsp"), ALL.replace(batch_size=10))
    for make in step.parts():
        terms = distiller(*make())
        assert float(terms["lsp"].detach()) == 0
        assert torch.isfinite(terms["task"])


def test_evaluation_is_that_of_the_whole_graph_and_looks_at_training_and_validation_only(small_graph):
    step, distiller, _ = made(small_graph, spec_of("kd"), ALL, "gcn")
    metrics, output = step.evaluate()
    with torch.no_grad():
        expected = distiller.student.encode(small_graph.x, small_graph.edge_index)
    torch.testing.assert_close(output.logits, expected.logits, atol=1e-5, rtol=1e-5)
    assert metrics.keys() == {"train", "val"}
    right = expected.logits.argmax(1) == small_graph.y
    assert float(metrics["val"][0]) == pytest.approx(float(right[small_graph.val_mask].float().mean()))


def test_a_student_without_edges_draws_no_neighbours(small_graph):
    step, _, rows = made(small_graph, spec_of("kd"), ALL.replace(batch_size=20), "mlp")
    _, _, output = step.parts()[0]()
    assert output.logits.shape[0] == rows.asked[-1].numel()
    assert step._sample(torch.tensor([1, 2])).num_nodes == 2


@pytest.mark.parametrize(("size", "batches"), [(10, 6), (7, 9), (60, 1), (59, 2)])
def test_every_node_takes_its_turn_and_labels_are_in_every_mini_batch(size, batches):
    train, others = torch.arange(12), torch.arange(12, 60)
    parts = shuffled_seeds(train, others, size)
    assert len(parts) == batches
    assert sorted(torch.cat(parts).tolist()) == list(range(60))
    assert all((part < 12).any() for part in parts)
    assert max(part.numel() for part in parts) <= size + 1


def test_few_training_nodes_stand_in_several_mini_batches_but_never_twice_in_one():
    parts = shuffled_seeds(torch.arange(2), torch.arange(2, 50), 5)
    assert len(parts) == 10
    for part in parts:
        assert (part < 2).sum() == 1
        assert part.unique().numel() == part.numel()


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("none", Compared(False, False)),
        ("label-smoothing", Compared(False, False)),
        ("kd", Compared(True, False)),
        ("lsp", Compared(True, True)),
        ([{"name": "lsp", "nodes": "train"}], Compared(False, True)),
        ([{"name": "gcrd", "head": "gcn"}], Compared(True, True)),
        ([{"name": "kd", "nodes": "train"}, {"name": "gsp"}], Compared(True, False)),
    ],
)
def test_what_is_compared_follows_from_the_methods(method, expected):
    assert Compared.by(spec_of(method).method) == expected


def test_a_run_goes_on_from_its_checkpoint_as_if_it_had_not_stopped(small_graph, make_recorder):
    training = Training(num_neighbors="2,2", batch_size=16, epochs=6, patience=0)

    def fresh():
        return made(small_graph, spec_of("kd+lsp"), training)[:2]

    step, distiller = fresh()
    torch.manual_seed(7)
    whole = make_recorder()
    expected = train_epochs(step, distiller, training, whole)
    step, distiller = fresh()
    torch.manual_seed(7)
    first, second = make_recorder(stop_after=3), make_recorder()
    with pytest.raises(Exception, match="stopped"):
        train_epochs(step, distiller, training, first)
    step, distiller = fresh()
    found = train_epochs(step, distiller, training, second, first.saved)
    assert second.numbers() == whole.numbers()[3:]
    assert all(torch.equal(found.weights[key], value) for key, value in expected.weights.items())


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Run:
    root = tmp_path_factory.mktemp("runs")
    short = {"epochs": 3, "num_neighbors": "5,5", "batch_size": 400}
    return distill(
        "builtin-citation", teacher="gcn", student="gat", method="kd+lsp+gcrd", training=short,
        teacher_training={**short, "batch_size": 50}, root=root,
    )  # fmt: skip


def test_a_run_trains_both_models_on_mini_batches_and_stores_the_teacher_once(finished):
    from workbench.datasets import load_dataset
    from workbench.spec import Spec
    from workbench.training.checkpoint import load_tensors

    assert len(finished.metrics("student")) == len(finished.metrics("teacher")) == 3
    spec = Spec.from_yaml((finished.path / "spec.yaml").read_text())
    data = load_dataset(spec.dataset)
    student = spec.student.build(data.num_features, int(data.y.max()) + 1)
    student.load_state_dict(load_tensors(finished.path / "student.safetensors").tensors)
    with torch.no_grad():
        right = student.eval().encode(data.x, data.edge_index).logits.argmax(1) == data.y
    accuracy = finished.result["student"]["metrics"]["test"]["accuracy"]
    assert accuracy == pytest.approx(float(right[data.test_mask].float().mean()), abs=0.005)  # a tie may fall otherwise
    (folder,) = (finished.path.parent / ".workbench" / "teacher_outputs").iterdir()
    assert list(json.loads((folder / "outputs.json").read_text())["layers"]) == ["hidden_0.npy", "logits.npy"]
    assert finished.arrays("student", "embedding")["embedding"].shape[0] == data.num_nodes


@pytest.mark.parametrize("text", ["", "0", "5,-2", "a", "5;5"])
def test_numbers_of_neighbours_that_mean_nothing_are_refused(text):
    with pytest.raises(UsageError, match="-1 for all neighbours"):
        spec_of("kd", training={"num_neighbors": text})


def test_the_option_changes_an_id_only_where_it_is_given():
    plain, given = spec_of("kd"), spec_of("kd", training={"num_neighbors": "10, 10"})
    assert plain.id == spec_of("kd", training={"num_neighbors": None}).id != given.id
    assert given.id == spec_of("kd", training={"num_neighbors": "10,10"}).id
    assert plain.teacher_id == given.teacher_id


def test_many_graphs_are_not_sampled():
    with pytest.raises(UsageError, match="num_neighbors is for one graph"):
        Spec.parse({"dataset": "builtin-shapes", "method": "kd", "training": {"num_neighbors": "5"}})


def test_a_model_that_cannot_be_computed_layer_by_layer_is_refused_before_the_run(tmp_path):
    with pytest.raises(UsageError, match="layer by layer"):
        distill("builtin-citation", student="sign", method="kd", training={"num_neighbors": "5"}, root=tmp_path)


def test_a_method_on_training_nodes_needs_two_of_them_in_every_mini_batch(tmp_path):
    method = [{"name": "kd"}, {"name": "gcrd", "nodes": "train"}]  # 157 mini-batches share 140 training nodes
    with pytest.raises(UsageError, match="larger batch_size"):
        distill("builtin-citation", method=method, training={"num_neighbors": "5", "batch_size": 16}, root=tmp_path)
    assert not any(path.name.startswith("builtin") for path in tmp_path.iterdir())


def test_untrained_teachers_with_the_same_weights_and_other_options_have_outputs_of_their_own(tmp_path):
    for alpha in (0.1, 0.5):  # of GCNII: no weight depends on it
        teacher = {"name": "gcnii", "hidden_channels": 8, "num_layers": 2, "alpha": alpha}
        short = {"epochs": 1, "num_neighbors": "2,2", "batch_size": 34}
        more = {"teacher_control": "untrained", "training": short, "device": "cpu", "root": tmp_path}
        distill("builtin-karate", teacher, "gcn", "kd", **more)
    assert len(list((tmp_path / ".workbench" / "teacher_outputs").glob("*/outputs.json"))) == 2


def test_a_teacher_on_samples_teaches_hidden_layers_to_a_student_on_the_whole_graph(tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.runs.sampled_nodes.PICTURES_UP_TO", 1)  # too large to be drawn
    sampled = {"epochs": 2, "num_neighbors": "2,2", "batch_size": 17}
    run = distill(
        "builtin-karate",
        "gcn",
        "gcn",
        "gsp",
        teacher_training=sampled,
        training={"epochs": 2},
        device="cpu",
        root=tmp_path,
    )
    assert run.status.state == "done"
    assert all(record["terms"]["gsp"]["value"] > 0 for record in run.metrics("student"))
