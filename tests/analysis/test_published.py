"""Published numbers: they are those of the papers' tables, every one is there, and nothing is made up."""

from collections import Counter

import pytest

from workbench.analysis.published import GCRD_PAPER, LSP_PAPER, PUBLISHED, published

# Read off the papers' tables: mean and spread in percent.
ANCHORS = [
    (("arxiv", "gat", "gcn", "teacher"), 73.91, 0.12),
    (("arxiv", "gat", "gcn", "none"), 71.25, 0.28),
    (("arxiv", "gat", "gcn", "gcrd"), 71.64, 0.16),
    (("arxiv", "gat", "gcn", "kd+lsp"), 71.35, 0.23),
    (("arxiv", "gat", "sage", "at"), 70.17, 0.11),
    (("arxiv", "gat", "sage", "gsp"), 70.98, 0.33),
    (("arxiv", "gat", "sage", "kd+gcrd"), 71.59, 0.15),
    (("arxiv", "gat", "sign", "kd"), 72.26, 0.11),
    (("arxiv", "gat", "sign", "gsp"), 71.99, 0.12),
    (("arxiv", "gat", "sign", "kd+gcrd"), 72.32, 0.11),
    (("mag", "rgcn", "rgcn", "teacher"), 49.48, 0.35),
    (("mag", "rgcn", "rgcn", "lsp"), 46.23, 0.41),
    (("mag", "rgcn", "rgcn", "kd+gcrd"), 46.78, 0.32),
    (("molhiv", "pna", "gcn", "gcrd"), 75.89, 0.80),
    (("molhiv", "gine", "gcn", "fitnet"), 74.52, 1.33),
    (("molhiv", "pna", "gin", "gsp"), 69.68, 2.88),
    (("molhiv", "pna", "gin", "none"), 73.03, 2.02),
    (("ppi", "gat", "gat", "gcrd"), 98.42, 0.14),
    (("ppi", "gat", "gat", "at"), 97.02, None),
    (("modelnet40", "dgcnn", "dgcnn", "lsp"), 91.9, None),
    (("modelnet40", "dgcnn", "dgcnn", "none"), 91.2, None),
]


@pytest.mark.parametrize(("setup", "mean", "std"), ANCHORS)
def test_a_number_is_that_of_the_paper(setup, mean, std):
    found = published(*setup)
    assert (found.mean, found.std) == (mean, std)


def test_every_cell_of_the_tables_is_there_once():
    counts = Counter((row.dataset, row.source) for row in PUBLISHED)
    assert counts == {
        ("arxiv", GCRD_PAPER): 3 * 10 - 2,  # LSP does not go with SIGN, nor does KD+LSP
        ("mag", GCRD_PAPER): 10,
        ("molhiv", GCRD_PAPER): 3 * 8,
        ("ppi", GCRD_PAPER): 2 * 7,
        ("ppi", LSP_PAPER): 5,
        ("modelnet40", LSP_PAPER): 2 * (6 + 3 + 3),  # methods, other kernels, larger students; two metrics
    }
    keys = [
        (r.dataset, r.teacher, r.student, r.method, r.metric, r.source, r.variant, r.student_parameters)
        for r in PUBLISHED
    ]
    assert len(set(keys)) == len(keys)


def test_column_sums_are_those_of_the_printed_tables():
    def total(dataset, teacher, student, parameters):
        rows = (r for r in PUBLISHED if r.source == GCRD_PAPER and r.student_parameters == parameters)
        return sum(r.mean for r in rows if (r.dataset, r.teacher, r.student) == (dataset, teacher, student))

    gcn = 73.91 + 71.25 + 71.55 + 71.38 + 70.44 + 71.52 + 71.41 + 71.64 + 71.35 + 71.57
    sage = 73.91 + 70.97 + 71.44 + 70.78 + 70.17 + 70.95 + 70.98 + 71.15 + 71.34 + 71.59
    sign = 73.91 + 71.98 + 72.26 + 71.98 + 71.99 + 71.99 + 72.10 + 72.32
    mag = 49.48 + 46.22 + 46.65 + 46.15 + 46.09 + 46.23 + 46.04 + 46.42 + 46.73 + 46.78
    pna_gcn = 77.48 + 73.65 + 74.45 + 74.39 + 73.89 + 74.43 + 75.09 + 75.89
    gine_gcn = 77.69 + 73.65 + 75.25 + 74.52 + 74.94 + 75.04 + 75.12 + 75.53
    pna_gin = 77.48 + 73.03 + 73.42 + 72.88 + 73.87 + 70.74 + 69.68 + 75.77
    five_layers = 97.95 + 97.90 + 97.93 + 97.74 + 97.02 + 97.81 + 98.42
    two_layers = 97.95 + 87.55 + 88.30 + 87.46 + 86.82 + 88.37 + 88.38
    assert total("arxiv", "gat", "gcn", 43816) == pytest.approx(gcn)
    assert total("arxiv", "gat", "sage", 86824) == pytest.approx(sage)
    assert total("arxiv", "gat", "sign", 3566128) == pytest.approx(sign)
    assert total("mag", "rgcn", "rgcn", 169428) == pytest.approx(mag)
    assert total("molhiv", "pna", "gcn", 40801) == pytest.approx(pna_gcn)
    assert total("molhiv", "gine", "gcn", 40801) == pytest.approx(gine_gcn)
    assert total("molhiv", "pna", "gin", 10951) == pytest.approx(pna_gin)
    assert total("ppi", "gat", "gat", 176846) == pytest.approx(five_layers)
    assert total("ppi", "gat", "gat", 182714) == pytest.approx(two_layers)


def test_point_clouds_have_both_metrics_every_kernel_and_larger_students():
    def lsp(**which):
        metrics = ("accuracy", "mean_class_accuracy")
        return tuple(published("modelnet40", "dgcnn", "dgcnn", "lsp", metric=m, **which).mean for m in metrics)

    assert lsp() == (91.9, 88.6)
    assert lsp(variant="kernel l2") == (91.4, 88.3)
    assert lsp(variant="kernel poly") == (91.7, 87.7)
    assert lsp(variant="kernel linear") == (91.5, 87.8)
    assert lsp(parameters=440_000) == (92.3, 88.7)
    assert lsp(parameters=140_000) == (92.1, 89.2)
    assert lsp(parameters=300_000) == (91.8, 88.6)


def test_of_two_students_of_one_kind_the_one_of_the_same_size_is_meant():
    assert published("ppi", "gat", "gat", "kd", parameters=176_846).mean == 97.93
    assert published("ppi", "gat", "gat", "kd", parameters=182_714).mean == 88.30
    assert published("ppi", "gat", "gat", "lsp", parameters=176_846).source == GCRD_PAPER


def test_a_sum_means_the_same_in_any_order():
    assert published("mag", "rgcn", "rgcn", "gcrd+kd") is published("mag", "rgcn", "rgcn", "kd+gcrd")


@pytest.mark.parametrize(
    "setup",
    [
        ("cora", "gat", "gcn", "kd"),
        ("arxiv", "gcn", "gcn", "kd"),
        ("arxiv", "gat", "sign", "lsp"),
        ("arxiv", "gat", "gcn", "abkd"),
        ("molhiv", "pna", "gcn", "kd+gcrd"),
        ("enron", "dysat", "dysat", "distill2vec"),
    ],
)
def test_where_there_is_no_number_none_is_given(setup):
    assert published(*setup) is None
    assert published("modelnet40", "dgcnn", "dgcnn", "lsp", variant="kernel cosine") is None
    assert published("arxiv", "gat", "gcn", "kd", metric="auc") is None


def test_only_a_student_of_the_papers_size_is_the_papers_student():
    found = published("arxiv", "gat", "gcn", "kd")
    assert found.is_of_size(43_816)
    assert not found.is_of_size(2_083)
    assert not found.is_of_size(None)


def test_numbers_are_written_with_the_papers_decimals():
    assert str(published("arxiv", "gat", "gcn", "kd")) == "71.55 ± 0.25"
    assert str(published("modelnet40", "dgcnn", "dgcnn", "kd")) == "91.6"
    assert str(published("ppi", "gat", "gat", "kd")) == "97.93"


def test_every_number_has_its_source_and_says_where_the_protocol_differs():
    assert all(row.note and row.source in (LSP_PAPER, GCRD_PAPER) for row in PUBLISHED)
    assert {row.seeds for row in PUBLISHED if row.source == GCRD_PAPER} == {8, 10}
    assert {row.seeds for row in PUBLISHED if row.source == LSP_PAPER} == {None}
