"""DGCNN: its published sizes, the graphs that it builds, and its clouds, which know nothing of each other."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from workbench.errors import UsageError
from workbench.kernels.neighbours import nearest_neighbours
from workbench.models import DGCNN, DGCNNConfig, solve_budget
from workbench.spec import Training

CLASSES, POINTS, K = 5, 64, 6
TEACHER, STUDENT = DGCNNConfig(**DGCNNConfig.teacher_preset), DGCNNConfig(**DGCNNConfig.student_preset)


def clouds(*sizes, seed=0, dtype=torch.float32):
    """Points (N, 3) of clouds with these sizes, and the cloud of each."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(sum(sizes), 3, generator=generator, dtype=dtype)
    return x, torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))


def small(seed=0, dtype=torch.float32):
    torch.manual_seed(seed)
    return DGCNN(3, [8, 8, 12], CLASSES, embedding=16, head=[14, 10], k=K).to(dtype).eval()


def test_the_presets_have_the_published_numbers_of_parameters():
    assert TEACHER.count_parameters(3, 40) == 1_809_576
    assert STUDENT.count_parameters(3, 40) == 99_560


def test_the_published_widths_are_those_of_the_presets():
    teacher, student = TEACHER.build(3, 40), STUDENT.build(3, 40)
    assert (
        repr(teacher)
        == "DGCNN(3 → 64 → 64 → 128 → 256 → 1024 → 512 → 256 → 40, k=20, dropout=0.5, 1,809,576 parameters)"
    )
    assert repr(student) == "DGCNN(3 → 32 → 32 → 64 → 128 → 256 → 40, k=10, dropout=0.5, 99,560 parameters)"


@pytest.mark.parametrize("target", [20_000, 440_000])
@pytest.mark.parametrize("config", [TEACHER, STUDENT], ids=["teacher", "student"])
def test_a_budget_is_kept_by_the_widest_that_fits(config, target):
    found = solve_budget(config, 3, 40, parameters=target)
    assert found.parameters == found.config.count_parameters(3, 40) <= target
    wider = found.config.replace(hidden_channels=found.config.hidden_channels + 1)
    assert wider.count_parameters(3, 40) > target


def test_a_budget_may_choose_the_depth():
    found = solve_budget(STUDENT, 3, 40, parameters=120_000, depth=[2, 3, 4])
    counts = {
        depth: solve_budget(STUDENT.replace(num_layers=depth), 3, 40, parameters=120_000).parameters
        for depth in (2, 3, 4)
    }
    assert found.parameters == max(counts.values())


def plain(model, x):
    """The definition for one cloud (n, 3) in evaluation mode, with a feature vector for every edge."""
    every = []
    for conv in model.convs:
        nearest = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").argsort(stable=True)[:, : model.k]
        centre = x[:, None].expand(-1, model.k, -1)
        edges = torch.cat([centre, x[nearest] - centre], dim=2) @ conv.linear.weight.T  # (n, k, d)
        norm = conv.norm
        edges = F.batch_norm(edges.flatten(0, 1), norm.running_mean, norm.running_var, norm.weight, norm.bias).view_as(
            edges
        )
        x = F.leaky_relu(edges, 0.2).amax(1)
        every.append(x)
    points = F.leaky_relu(model.shared_norm(torch.cat(every, 1) @ model.shared.weight.T), 0.2)
    cloud = torch.cat([points.amax(0), points.mean(0)])[None]
    for linear, norm in zip(model.linears, model.norms, strict=True):
        cloud = F.leaky_relu(norm(linear(cloud)), 0.2)
    return model.out(cloud)


def trained_statistics(model):
    """The model with running statistics that have moved."""
    with torch.no_grad():
        model.train()(*arguments(clouds(*[POINTS] * 4, seed=5, dtype=model.out.weight.dtype)))
    return model.eval()


def arguments(drawn):
    x, batch = drawn
    return x, None, batch


@pytest.mark.parametrize("sizes", [(POINTS,) * 3, (POINTS, 80, 70)], ids=["of one size", "of several"])
def test_logits_are_those_of_the_plain_form_cloud_by_cloud(sizes):
    model = trained_statistics(small(dtype=torch.float64))
    x, batch = clouds(*sizes, dtype=torch.float64)
    expected = torch.cat([plain(model, cloud) for cloud in x.split(list(sizes))])
    torch.testing.assert_close(model(x, None, batch), expected)
    torch.testing.assert_close(model(x[: sizes[0]]), expected[:1])


def test_a_cloud_of_another_size_in_the_batch_changes_nothing():
    """The same clouds, once with the one path and, with a cloud of another size among them, once with the other."""
    model = small(dtype=torch.float64)
    sizes = (POINTS, POINTS, POINTS + 1)
    x, batch = clouds(*sizes, dtype=torch.float64)
    logits = model.encode(x, None, batch).logits
    torch.testing.assert_close(logits[:2], model.encode(x[: 2 * POINTS], None, batch[: 2 * POINTS]).logits)


def test_every_layer_shows_its_graph_which_is_of_the_features_it_reads():
    model = small(dtype=torch.float64)
    x, batch = clouds(POINTS, POINTS, dtype=torch.float64)
    output = model.encode(x, None, batch)
    assert [h.shape for h in output.hidden] == [(2 * POINTS, width) for width in (8, 8, 12)]
    assert len(output.edges) == 3
    for features, edges in zip([x, *output.hidden], output.edges, strict=False):
        assert torch.equal(edges, nearest_neighbours(features, K, batch))
    assert output.logits.shape == (2, CLASSES)
    assert output.attention is None
    assert not torch.equal(output.edges[0], output.edges[1])


def test_a_given_graph_is_ignored():
    model, (x, batch) = small(), clouds(POINTS, POINTS)
    assert model.takes_batch
    assert torch.equal(model(x, torch.tensor([[0], [1]]), batch), model(x, None, batch))


def test_the_order_of_the_points_does_not_matter():
    model, (x, _) = small(dtype=torch.float64), clouds(POINTS, dtype=torch.float64)
    order = torch.randperm(POINTS, generator=torch.Generator().manual_seed(1))
    output, again = model.encode(x), model.encode(x[order])
    for a, b in zip(output.hidden, again.hidden, strict=True):
        torch.testing.assert_close(a[order], b)
    torch.testing.assert_close(output.logits, again.logits)


def test_it_learns_with_every_weight_and_hidden_layers_carry_gradients():
    model = small().train()
    output = model.encode(*arguments(clouds(POINTS, POINTS, POINTS)))
    output.logits.square().sum().backward(retain_graph=True)
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []
    gradients = torch.autograd.grad(output.logits.square().sum(), output.hidden)
    assert all(gradient.abs().sum() > 0 for gradient in gradients)


def test_dropout_acts_in_training_only_and_a_seed_fixes_it():
    model, drawn = small(), arguments(clouds(POINTS, POINTS))
    assert torch.equal(model(*drawn), model(*drawn))
    model.train()
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(model(*drawn))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_weights_survive_safetensors(tmp_path):
    model, other, drawn = trained_statistics(small()), small(1), arguments(clouds(POINTS))
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    with torch.no_grad():
        assert torch.equal(model(*drawn), other(*drawn))


def test_reset_parameters_draws_them_anew_and_clears_the_statistics():
    model = small()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    trained_statistics(model)
    torch.manual_seed(5)
    model.reset_parameters()
    for name, parameter in model.named_parameters():
        assert parameter.dim() == 1 or not torch.equal(parameter, before[name])
    assert all(torch.equal(buffer, before[name]) for name, buffer in model.named_buffers())


def test_it_also_trains_in_bfloat16():
    model = small().train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(*arguments(clouds(POINTS, POINTS)))
    logits.float().sum().backward()
    assert logits.isfinite().all()


@pytest.mark.parametrize(
    ("drawn", "training", "message"),
    [
        (clouds(POINTS, 4), False, "needs 6 neighbours and the smallest cloud has 4 points"),
        (clouds(POINTS), True, "give at least two in training"),
        ((clouds(POINTS)[0], torch.zeros(3, dtype=torch.long)), False, "expected shape"),
    ],
)
def test_clouds_that_do_not_fit_are_refused(drawn, training, message):
    with pytest.raises(UsageError, match=message):
        small().train(training)(*arguments(drawn))


def test_it_is_trained_as_its_authors_do_in_both_roles():
    for role in ("teacher", "student"):
        training = Training.parse(DGCNNConfig.usual_training(role))
        assert (training.optimizer, training.learning_rate, training.weight_decay) == ("sgd", 0.1, 1e-4)
        assert (training.epochs, training.batch_size) == (250, 32)
    assert DGCNNConfig.task == "graph classification"
