"""What the mathematics says about the losses: zeros, limits, invariances and relations between conventions."""

import math

import numpy_formulas as formulas
import pytest
import torch
from drawn import two_embeddings
from hypothesis import given, settings
from pure_losses import EDGES, LOSSES

from workbench import methods
from workbench.kernels.edges import EdgeKernel
from workbench.methods.gsp import PairKernel

EDGE_KERNELS = EdgeKernel.__args__
PAIR_KERNELS = PairKernel.__args__


def features(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def edges(nodes=20, count=60, seed=0):
    return torch.randint(0, nodes, (2, count), generator=torch.Generator().manual_seed(seed))


def rotation(width, seed=3):
    return torch.linalg.qr(features(width, width, seed=seed))[0]


def test_kd_over_classes_times_their_number_is_kd_over_nodes():
    student, teacher = features(20, 7), features(20, 7, seed=1)
    code, paper = (methods.kd_loss(student, teacher, convention=c) for c in ("code", "paper"))
    assert (7 * code).item() == pytest.approx(paper.item(), rel=1e-12)


def test_kd_of_any_temperature_is_blind_to_a_shift_of_the_logits():
    student, teacher = features(20, 7), features(20, 7, seed=1)
    assert torch.allclose(methods.kd_loss(student + 3, teacher - 5), methods.kd_loss(student, teacher))


def test_glnn_is_kd_without_a_temperature():
    student, teacher = features(20, 7), features(20, 7, seed=1)
    assert torch.equal(methods.glnn_loss(student, teacher), methods.kd_loss(student, teacher, temperature=1.0))


def test_link_distribution_of_equal_teacher_scores_is_the_distance_from_uniform():
    student = torch.tensor([[math.log(3.0), 0.0]], dtype=torch.float64)
    loss = methods.link_distribution_loss(student, torch.zeros_like(student))
    assert loss.item() == pytest.approx(0.5 * math.log(2 / 3) + 0.5 * math.log(2))


@pytest.mark.parametrize("kernel", EDGE_KERNELS)
@pytest.mark.parametrize("direction", ["student_teacher", "teacher_student"])
def test_lsp_over_edges_times_edges_per_node_is_lsp_over_nodes(kernel, direction):
    student, teacher = features(20, 4), features(20, 6, seed=1)
    paper = methods.lsp_loss(student, teacher, edges(), kernel, direction=direction)
    code = methods.lsp_loss(student, teacher, edges(), kernel, direction=direction, convention="code")
    assert (code * 60 / 20).item() == pytest.approx(paper.item(), rel=1e-12)


def test_lsp_directions_are_each_others_reverse():
    student, teacher = features(20, 4), features(20, 6, seed=1)
    forward = methods.lsp_loss(student, teacher, edges(), "linear")
    assert torch.allclose(forward, methods.lsp_loss(teacher, student, edges(), "linear", direction="teacher_student"))
    assert not torch.allclose(forward, methods.lsp_loss(teacher, student, edges(), "linear"))


def test_lsp_follows_the_direction_of_edges():
    """Only in-neighbours count: out-edges to nodes with a single in-edge teach nothing."""
    star = torch.tensor([[0, 0, 0], [1, 2, 3]])
    student, teacher = features(4, 3), features(4, 3, seed=1)
    assert methods.lsp_loss(student, teacher, star, "linear") == 0
    assert methods.lsp_loss(student, teacher, star.flip(0), "linear") > 0


def test_lsp_counts_duplicate_edges_as_often_as_they_come():
    student, teacher, graph = features(20, 4), features(20, 4, seed=1), edges()
    once = methods.lsp_loss(student, teacher, graph, "linear")
    assert torch.allclose(methods.lsp_loss(student, teacher, graph.repeat(1, 2), "linear"), once)
    assert not torch.allclose(methods.lsp_loss(student, teacher, torch.cat([graph, graph[:, :9]], 1), "linear"), once)


def test_rbf_does_not_see_a_rigid_motion():
    student, teacher = features(20, 4), features(20, 6, seed=1)
    moved = student @ rotation(4) + 5
    assert torch.allclose(methods.lsp_loss(moved, teacher, edges()), methods.lsp_loss(student, teacher, edges()))
    assert torch.allclose(methods.gsp_loss(moved, teacher, "rbf"), methods.gsp_loss(student, teacher, "rbf"))


def test_cosine_sees_neither_scale_nor_rotation():
    student, teacher = features(20, 4), features(20, 6, seed=1)
    scaled = (student @ rotation(4)) * torch.rand(20, 1, generator=torch.Generator().manual_seed(0)).add(0.1)
    assert torch.allclose(methods.gsp_loss(scaled, teacher), methods.gsp_loss(student, teacher))


def test_gsp_of_two_opposite_points_against_one_point_is_known():
    # Cosines +1 and −1 against all +1: two of four pairs differ by 2, so the mean square is 2.
    student, teacher = torch.tensor([[1.0], [-1.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert methods.gsp_loss(student, teacher).item() == pytest.approx(2.0)
    assert methods.gsp_loss(student, teacher, "poly").item() == 0
    assert methods.gsp_loss(student, teacher, "l2").item() == pytest.approx(2.0)
    assert methods.gsp_loss(student, teacher, "rbf").item() == pytest.approx((1 - math.exp(-2)) ** 2 / 2, rel=1e-6)


@pytest.mark.parametrize("kernel", PAIR_KERNELS)
@pytest.mark.parametrize("distance", [1e-2, 1e-4])
def test_gsp_in_float32_is_right_near_the_teacher_and_far_from_the_origin(kernel, distance):
    """Where the Gram identity in float32 is wrong in every digit."""
    far = 0 if kernel in ("cosine", "poly") else 100
    teacher = (features(30, 5) + far).float()
    student = (teacher + distance * features(30, 5, seed=1)).float()
    expected = formulas.gsp(student.double().numpy(), teacher.double().numpy(), kernel)
    assert methods.gsp_loss(student, teacher, kernel).item() == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("temperature", [0.05, 0.075, 1.0])
def test_gcrd_of_equal_orthonormal_features_is_known(temperature):
    basis = rotation(8)
    expected = math.log(1 + 7 * math.exp(-1 / temperature))
    assert methods.gcrd_loss(basis, basis, temperature).item() == pytest.approx(expected, rel=1e-6, abs=1e-15)


def test_gcrd_of_anything_tends_to_log_n_with_the_temperature():
    loss = methods.gcrd_loss(features(20, 4), features(20, 4, seed=1), temperature=1e6)
    assert loss.item() == pytest.approx(math.log(20), rel=1e-6)


def test_gcrd_asks_the_student_and_answers_with_the_teacher():
    student, teacher = features(20, 4), features(20, 4, seed=1)
    assert not torch.allclose(methods.gcrd_loss(student, teacher), methods.gcrd_loss(teacher, student))


def test_attention_transfer_does_not_see_scale_or_width():
    student, teacher = features(20, 4), features(20, 6, seed=1)
    doubled = torch.cat([3 * student, 3 * student], dim=1)
    expected = methods.attention_transfer_loss(student, teacher)
    assert torch.allclose(methods.attention_transfer_loss(doubled, teacher), expected)


def test_fitnet_of_opposite_features_is_four_over_the_width():
    teacher = features(20, 8)
    assert methods.fitnet_loss(-2 * teacher, teacher).item() == pytest.approx(4 / 8)


def test_rows_of_attention_sum_to_one():
    attention = methods.abkd_attention([features(6, seed=k) for k in range(5)], [features(6, seed=9)] * 3)
    assert attention.shape == (5, 3)
    assert torch.allclose(attention, torch.full((5, 3), 1 / 3, dtype=torch.float64))  # three equal student layers
    sharp = methods.abkd_attention([100 * features(6)], [features(6), -features(6)])
    assert torch.allclose(sharp, torch.tensor([[1.0, 0.0]], dtype=torch.float64))


@pytest.mark.parametrize("pool", ["node", "graph"])
def test_abkd_is_zero_between_equal_layers_and_never_negative(pool):
    layers = [features(20, 6, seed=k) for k in range(3)]
    dissimilarity = methods.abkd_dissimilarity(layers, layers, pool)
    assert dissimilarity.diagonal().abs().max() < 1e-12
    assert (dissimilarity >= 0).all()
    assert torch.allclose(dissimilarity, dissimilarity.T)


def test_abkd_with_uniform_attention_is_the_mean_dissimilarity_over_student_layers():
    dissimilarity = features(5, 3).square()
    loss = methods.abkd_loss(torch.full((5, 3), 1 / 3, dtype=torch.float64), dissimilarity)
    assert loss.item() == pytest.approx(dissimilarity.mean().item() / 3)


def test_pooled_dissimilarity_does_not_see_which_node_is_which():
    layer, shuffled = features(20, 6), features(20, 6).roll(1, 0)
    assert methods.abkd_dissimilarity([layer], [shuffled], "graph").item() == pytest.approx(0, abs=1e-12)
    assert methods.abkd_dissimilarity([layer], [shuffled], "node").item() > 1


@pytest.mark.parametrize("name", [name for name in LOSSES if not name.startswith("abkd")])
def test_rows_may_come_in_any_order(name):
    """Nodes under other names: the edges of a graph go with them."""
    student, teacher = features(6, 3), features(6, 3, seed=1)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    loss = LOSSES[name]
    if name.startswith("lsp"):
        loss = LOSSES[name].over(order.argsort()[EDGES].flip(1))
    expected = LOSSES[name](student, teacher)
    assert loss(student[order], teacher[order]).item() == pytest.approx(expected.item(), rel=1e-9)


@pytest.mark.parametrize("name", LOSSES)
@given(pair=two_embeddings(same_width=True, most_nodes=6))
@settings(max_examples=10, deadline=None)
def test_no_loss_is_negative(name, pair):
    assert LOSSES[name](*map(torch.from_numpy, pair)).item() >= -1e-12
