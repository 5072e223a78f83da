"""The toys' formulas: against loops over nodes and pairs, against the losses that train, and what is told of them."""

import math

import numpy as np
import numpy_formulas as loops
import pytest
import torch

from workbench import methods
from workbench.analysis import layer_toys, toys

RNG = np.random.default_rng(11)
STUDENT, TEACHER = RNG.normal(size=(6, 4)), RNG.normal(size=(6, 4))


def tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array))


def edges_to_the_centre(nodes):
    return np.array([list(range(1, nodes)), [0] * (nodes - 1)])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_soft_labels_are_those_of_kd(temperature):
    s, t = STUDENT[:1], TEACHER[:1]
    found = toys.soft_label_loss(s[0], t[0], temperature)
    assert found == pytest.approx(loops.kd(s, t, temperature))
    assert found == pytest.approx(methods.kd_loss(tensor(s), tensor(t), temperature).item())
    if temperature == 1:
        assert found == pytest.approx(methods.glnn_loss(tensor(s), tensor(t)).item())


def test_cross_entropies_are_logarithms_of_probabilities():
    logits = np.log([0.5, 0.25, 0.125, 0.125])
    assert toys.cross_entropy(logits, 1) == pytest.approx(math.log(4))
    assert toys.uniform_cross_entropy(logits) == pytest.approx(math.log(2) * (1 + 2 + 3 + 3) / 4)
    assert toys.uniform_cross_entropy(STUDENT[0]) == pytest.approx(
        methods.label_smoothing_loss(tensor(STUDENT[:1])).item()
    )


def test_the_kl_alone_fades_with_the_square_of_the_temperature():
    student, teacher = toys.student_logits(0.3), toys.teacher_logits()
    far = [toys.soft_label_loss(student, teacher, t) for t in (200.0, 400.0)]
    assert far[0] == pytest.approx(far[1], rel=0.02), "times T² it settles"


def test_a_student_that_knows_everything_says_what_its_teacher_says():
    assert toys.soft_label_loss(toys.student_logits(1.0), toys.teacher_logits(), 4.0) == pytest.approx(0)
    assert toys.student_logits(0.0).argmax() != toys.teacher_logits().argmax()


def test_hints_are_those_of_fitnet():
    assert toys.hint_loss(STUDENT, TEACHER) == pytest.approx(loops.fitnet(STUDENT, TEACHER))
    assert toys.hint_loss(STUDENT, TEACHER) == pytest.approx(
        methods.fitnet_loss(tensor(STUDENT), tensor(TEACHER)).item()
    )


@pytest.mark.parametrize("degrees", [0, 30, 90, 180])
@pytest.mark.parametrize("length", [0.25, 2.0])
def test_a_turn_costs_one_minus_its_cosine_at_any_length(degrees, length):
    teacher = toys.hint_features()
    found = toys.hint_loss(toys.turned(teacher, degrees, length), teacher)
    assert found == pytest.approx(1 - math.cos(math.radians(degrees)))


@pytest.mark.parametrize("p", [1, 2])
def test_activations_are_those_of_attention_transfer(p):
    found = toys.attention_loss(STUDENT[:, :2], TEACHER, p)
    assert found == pytest.approx(loops.attention_transfer(STUDENT[:, :2], TEACHER, p))
    assert found == pytest.approx(methods.attention_transfer_loss(tensor(STUDENT[:, :2]), tensor(TEACHER), p).item())


def test_exciting_one_node_makes_all_others_smaller():
    quiet, loud = (toys.activation_map(toys.excited_nodes(factor)[1]) for factor in (1.0, 3.0))
    assert loud[3] > quiet[3]
    assert (np.delete(loud, 3) < np.delete(quiet, 3)).all()
    assert np.linalg.norm(loud) == pytest.approx(1)


@pytest.mark.parametrize("kernel", toys.EDGE_KERNELS)
@pytest.mark.parametrize("student_first", [True, False])
def test_five_nodes_are_lsp_on_a_star(kernel, student_first):
    direction = "student_teacher" if student_first else "teacher_student"
    edges, student, teacher = edges_to_the_centre(5), toys.dragged(-1.7), toys.star()
    found = toys.local_divergence(-1.7, kernel, 0.5, student_first)
    assert found == pytest.approx(5 * loops.lsp(student, teacher, edges, kernel, 0.5, direction))
    trained = methods.lsp_loss(tensor(student), tensor(teacher), tensor(edges), kernel, 0.5, direction)
    assert found == pytest.approx(5 * trained.item())


def test_with_rbf_no_neighbour_gets_more_than_e_times_as_much_as_another():
    for across in (-3.0, 0.4, 3.0, 1000.0):
        found = toys.neighbour_distribution(toys.dragged(across), "rbf")
        assert found.sum() == pytest.approx(1)
        assert found.max() / found.min() <= math.e + 1e-9


def test_with_l2_the_farthest_neighbour_takes_it_all():
    assert toys.neighbour_distribution(toys.dragged(5.0), "l2")[0] > 0.999


def test_a_student_in_its_teachers_place_has_no_local_loss():
    assert toys.local_divergence(float(toys.star()[1, 0])) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("kernel", toys.PAIR_KERNELS)
def test_all_pairs_are_those_of_gsp(kernel):
    student = STUDENT[:, :3]
    gaps = toys.similarity_matrix(student, kernel) - toys.similarity_matrix(TEACHER, kernel)
    assert (gaps**2).mean() == pytest.approx(loops.gsp(student, TEACHER, kernel))
    assert (gaps**2).mean() == pytest.approx(methods.gsp_loss(tensor(student), tensor(TEACHER), kernel).item())


def test_small_matrices_give_the_cosine_loss_of_all_pairs():
    assert toys.gram_identity(STUDENT[:, :3], TEACHER) == pytest.approx(loops.gsp(STUDENT[:, :3], TEACHER, "cosine"))


@pytest.mark.parametrize("kernel", ["rbf2", "laplace", ""])
def test_a_kernel_that_there_is_not_is_refused(kernel):
    with pytest.raises(ValueError, match="no kernel"):
        toys.similarity_matrix(STUDENT, kernel)
    if kernel != "laplace":
        with pytest.raises(ValueError, match="no kernel"):
            toys.neighbour_distribution(STUDENT, kernel)


@pytest.mark.parametrize("temperature", [0.02, 0.075, 1.0])
def test_the_contrast_is_that_of_gcrd(temperature):
    found = toys.contrast_loss(toys.contrast_scores(STUDENT, TEACHER), temperature)
    assert found == pytest.approx(loops.gcrd(STUDENT, TEACHER, temperature))
    assert found == pytest.approx(methods.gcrd_loss(tensor(STUDENT), tensor(TEACHER), temperature).item())


def test_a_high_temperature_leaves_chance():
    cosines = toys.contrast_scores(*toys.contrasted_nodes(8, 0.0))
    assert toys.contrast_loss(cosines, 1e6) == pytest.approx(math.log(8), rel=1e-5)


def test_a_student_without_noise_is_its_teacher_and_a_smaller_set_is_a_part_of_the_larger():
    student, teacher = toys.contrasted_nodes(24, 0.0)
    assert (student == teacher).all()
    assert (toys.contrasted_nodes(5, 1.0)[0] == toys.contrasted_nodes(24, 1.0)[0][:5]).all()


def test_attention_over_layers_is_that_of_abkd():
    teacher, student = layer_toys.paired_layers(0.4, 1.5)
    means = [list(layers.mean(axis=1)) for layers in (teacher, student)]
    found = layer_toys.layer_attention(teacher.mean(axis=1), student.mean(axis=1))
    assert found == pytest.approx(loops.abkd_attention(*means))
    trained = methods.abkd_attention(*([tensor(mean) for mean in of] for of in means))
    assert found == pytest.approx(trained.numpy())
    assert found.sum(axis=1) == pytest.approx([1.0] * 4)


def test_dissimilarity_of_layers_is_that_of_abkd_on_rows_of_length_one():
    teacher, student = layer_toys.paired_layers(0.4, 1.5)
    units = [[loops.normalised(layer, "row") for layer in layers] for layers in (teacher, student)]
    found = layer_toys.layer_dissimilarity(teacher, student)
    assert found == pytest.approx(loops.abkd_dissimilarity(*units))
    trained = methods.abkd_dissimilarity(*([tensor(layer) for layer in of] for of in units))
    assert found == pytest.approx(trained.numpy())
    assert found.max() <= 4


def test_an_aligned_student_is_found_by_three_rows_and_longer_features_make_the_map_sharper():
    peaks = []
    for scale in (1.0, 2.0):
        teacher, student = layer_toys.paired_layers(1.0, scale)
        attention = layer_toys.layer_attention(teacher.mean(axis=1), student.mean(axis=1))
        for column, row in enumerate(layer_toys.COUNTERPARTS):
            assert attention[row].argmax() == column
        if scale == 1:
            assert attention[1].max() < 0.5, "the layer without a counterpart shares itself out"
        peaks.append(attention[0, 0])
        apart = layer_toys.layer_dissimilarity(teacher, student)
        assert [apart[row, column] for column, row in enumerate(layer_toys.COUNTERPARTS)] == pytest.approx([0] * 3)
    assert peaks[1] > peaks[0] > 0.5


def test_long_features_make_a_sharp_map_of_layers_that_have_nothing_in_common():
    teacher, student = layer_toys.paired_layers(0.0, 4.0)
    attention = layer_toys.layer_attention(teacher.mean(axis=1), student.mean(axis=1))
    assert (attention.max(axis=1) > 0.9).sum() == 3
    assert layer_toys.layer_dissimilarity(teacher, student).min() > 1.5


@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
def test_candidates_are_those_of_distill2vec(temperature):
    teacher, student = layer_toys.candidate_scores(1.0, 0.7)
    found = layer_toys.candidate_divergence(student, teacher, temperature).mean()
    assert found == pytest.approx(loops.link_distribution(student, teacher, temperature))
    trained = methods.link_distribution_loss(tensor(student), tensor(teacher), temperature)
    assert found == pytest.approx(trained.item())


def test_links_are_judged_by_the_logistic_loss():
    scores = np.array([[2.0, -1.0, 0.5, -0.3]])
    links = [math.log(1 + math.exp(-s)) for s in (2.0, -1.0)]
    negatives = [math.log(1 + math.exp(s)) for s in (0.5, -0.3)]
    assert layer_toys.link_loss(scores, contexts=2) == pytest.approx(sum(links) / 2 + sum(negatives) / 2)


def test_a_student_that_is_late_is_farthest_while_friendships_change():
    teacher, student = layer_toys.candidate_scores(2.0, 1.0)
    apart = layer_toys.candidate_divergence(student, teacher, 1.0)
    assert 3 <= apart.argmax() <= 5
    assert apart[[0, -1]].max() < apart.max() / 2
    assert (layer_toys.candidate_divergence(student, teacher, 0.5) > apart).any()
    same = layer_toys.candidate_scores(0.0, 1.0)
    assert layer_toys.candidate_divergence(*same, 1.0) == pytest.approx([0.0] * 8)


def test_a_distribution_that_leaves_out_what_the_other_does_too_costs_nothing():
    assert toys.divergence(np.array([0.5, 0.5, 0.0]), np.array([0.5, 0.5, 0.0])) == pytest.approx(0)
    assert toys.divergence(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(math.log(2))
