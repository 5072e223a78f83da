"""What people can get wrong with a method, and what they are told."""

import pytest
import torch
from toys import built

from workbench import methods
from workbench.errors import UsageError
from workbench.methods import GCRD, LSP, FitNet, Widths
from workbench.spec import parse_method


@pytest.mark.parametrize("name", ["fitnet", "at", "lsp", "gsp", "gcrd"])
def test_a_model_without_hidden_layers_is_refused(name):
    with pytest.raises(UsageError, match="this student has none"):
        parse_method(name).build(Widths((4,), 3), Widths((), 3))


@pytest.mark.parametrize("name", ["kd", "glnn"])
def test_different_classes_are_refused(name):
    with pytest.raises(UsageError, match="teacher gives 3 logits and the student 4"):
        parse_method(name).build(Widths((4,), 3), Widths((4,), 4))


@pytest.mark.parametrize("method", [FitNet(nodes="train"), GCRD(nodes="train"), GCRD(nodes="train", head="gcn")])
def test_batch_norm_over_one_node_is_refused_before_training(method, toy):
    toy.batch.train_mask[:] = torch.arange(12) == 2
    with pytest.raises(UsageError, match="at least two"):
        built(method, toy).targets(toy.teacher, toy.batch)


def test_lsp_on_training_nodes_without_common_edges_says_what_to_do(toy):
    toy.batch.train_mask[:] = torch.arange(12) == 11
    with pytest.raises(UsageError, match="use nodes='all'"):
        built(LSP(nodes="train"), toy).targets(toy.teacher, toy.batch)


def test_lsp_on_a_graph_without_edges_is_refused(toy):
    toy.batch.edge_index = torch.empty(2, 0, dtype=torch.long)
    with pytest.raises(UsageError, match="the graph has no edges"):
        built(LSP(), toy).targets(toy.teacher, toy.batch)


EMPTY = torch.empty(0, 3)
PURE = {
    "kd_loss": methods.kd_loss,
    "multilabel_kd_loss": methods.multilabel_kd_loss,
    "glnn_loss": methods.glnn_loss,
    "link_distribution_loss": methods.link_distribution_loss,
    "link_probability_loss": methods.link_probability_loss,
    "fitnet_loss": methods.fitnet_loss,
    "attention_transfer_loss": methods.attention_transfer_loss,
    "lsp_loss": lambda s, t: methods.lsp_loss(s, t, torch.empty(2, 0, dtype=torch.long)),
    "gsp_loss": methods.gsp_loss,
    "gcrd_loss": methods.gcrd_loss,
    "abkd_dissimilarity": lambda s, t: methods.abkd_dissimilarity([t], [s]),
}


@pytest.mark.parametrize("name", PURE)
def test_pure_functions_refuse_no_nodes_and_other_nodes(name):
    with pytest.raises(UsageError, match=f"{name} needs at least one node"):
        PURE[name](EMPTY, EMPTY)
    with pytest.raises(ValueError, match="compares the same nodes"):
        PURE[name](torch.ones(3, 2), torch.ones(4, 2))
    with pytest.raises(UsageError, match="one row per node"):
        PURE[name](torch.ones(3), torch.ones(3))


@pytest.mark.parametrize(
    "name",
    ["kd_loss", "fitnet_loss", "gcrd_loss", "abkd_dissimilarity", "link_distribution_loss", "link_probability_loss"],
)
def test_pure_functions_that_need_one_width_say_so(name):
    with pytest.raises(UsageError, match="needs equal widths"):
        PURE[name](torch.ones(3, 2), torch.ones(3, 5))


def test_unknown_kernels_are_refused_with_the_known_ones():
    ones = torch.ones(3, 2)
    with pytest.raises(UsageError, match=r"unknown kernel 'gauss': .*choose one of rbf, l2, poly, linear"):
        methods.lsp_loss(ones, ones, torch.tensor([[0], [1]]), kernel="gauss")
    with pytest.raises(UsageError, match=r"unknown kernel 'gauss': .*choose one of cosine, poly, l2, rbf"):
        methods.gsp_loss(ones, ones, kernel="gauss")


ONES, EDGE = torch.ones(3, 2), torch.tensor([[0], [1]])
MISSPELT = {
    "convention 'Paper'": lambda: methods.kd_loss(ONES, ONES, 4.0, "Paper"),
    "convention 'Code'": lambda: methods.lsp_loss(ONES, ONES, EDGE, convention="Code"),
    "direction 'teacher_first'": lambda: methods.lsp_loss(ONES, ONES, EDGE, direction="teacher_first"),
    "pool 'nodes'": lambda: methods.abkd_dissimilarity([ONES], [ONES], "nodes"),
    "p 3": lambda: methods.attention_transfer_loss(ONES, ONES, 3),
}
NOT_POSITIVE = {
    "kd": lambda: methods.kd_loss(ONES, ONES, 0.0),
    "multilabel kd": lambda: methods.multilabel_kd_loss(ONES, ONES, -1.0),
    "gcrd": lambda: methods.gcrd_loss(ONES, ONES, 0.0),
    "link distribution": lambda: methods.link_distribution_loss(ONES, ONES, 0.0),
    "link probability": lambda: methods.link_probability_loss(ONES, ONES, 0.0),
    "lsp": lambda: methods.lsp_loss(ONES, ONES, EDGE, sigma=0.0),
}


@pytest.mark.parametrize("what", MISSPELT)
def test_a_misspelt_choice_is_no_other_loss(what):
    with pytest.raises(UsageError, match=f"unknown {what}: .*choose one of"):
        MISSPELT[what]()


@pytest.mark.parametrize("name", NOT_POSITIVE)
def test_a_temperature_or_width_of_zero_is_refused(name):
    with pytest.raises(UsageError, match=r"(temperature|sigma) is .*: give a number above zero"):
        NOT_POSITIVE[name]()


def test_every_layer_is_checked_by_abkd():
    with pytest.raises(UsageError, match="same nodes"):
        methods.abkd_dissimilarity([ONES, ONES[:2]], [ONES])
    with pytest.raises(UsageError, match="at least one"):
        methods.abkd_dissimilarity([], [ONES])
