"""The graph of the target nodes of a heterogeneous graph: neighbours, relations back, faults, identity."""

import copy

import pytest
import torch
from small_hetero import PAPERS, bibliography
from torch_geometric.data import HeteroData

from workbench.datasets import fingerprint, measure
from workbench.datasets.hetero.graph import HeteroGraph
from workbench.datasets.hetero.neighbours import target_neighbours
from workbench.errors import UsageError


def pairs(edge_index: torch.Tensor) -> set[tuple[int, int]]:
    found = [tuple(pair) for pair in edge_index.T.tolist()]
    assert len(found) == len(set(found))
    return set(found)


def graph(**options) -> HeteroGraph:
    return HeteroGraph.from_hetero_data(bibliography(**options))


def test_papers_of_one_author_are_neighbours():
    data = bibliography()
    author, paper = data["author", "writes", "paper"].edge_index.tolist()
    written = list(zip(author, paper, strict=True))
    expected = {(p, q) for a, p in written for b, q in written if a == b and p != q}
    assert pairs(graph().edge_index) == expected  # and not those of one venue, of whom there are more


def test_papers_that_cite_each_other_are_neighbours_and_no_others():
    source, target = bibliography(cites=True)["paper", "cites", "paper"].edge_index.tolist()
    cited = {(a, b) for a, b in zip(source, target, strict=True) if a != b}
    assert pairs(graph(cites=True).edge_index) == cited | {(b, a) for a, b in cited}


def test_where_too_many_would_be_joined_there_are_no_neighbours(monkeypatch):
    monkeypatch.setattr("workbench.datasets.hetero.neighbours.LIMIT", 10)
    assert target_neighbours(graph().x).shape == (2, 0)


def test_every_relation_has_one_back():
    x, data = graph(cites=True).x, bibliography(cites=True)
    assert set(x.relations) == {
        ("author", "writes", "paper"),
        ("paper", "rev_writes", "author"),
        ("paper", "in", "venue"),
        ("venue", "rev_in", "paper"),
        ("paper", "cites", "paper"),
    }
    writes = data["author", "writes", "paper"].edge_index
    assert torch.equal(x.relations["paper", "rev_writes", "author"], writes.flip(0))
    cites = x.relations["paper", "cites", "paper"]
    assert pairs(cites) == pairs(cites.flip(0))


def test_relations_that_have_one_back_are_left_as_they_are():
    data = bibliography()
    data["paper", "by", "author"].edge_index = torch.tensor([[0], [0]])
    x = HeteroGraph.from_hetero_data(data).x
    assert ("paper", "rev_writes", "author") not in x.relations
    assert x.relations["paper", "by", "author"].shape == (2, 1)


def test_what_is_measured():
    found, data = measure(graph()), bibliography()
    assert found["nodes"] == 40 + 25 + 4
    assert found["target_nodes"] == 40
    assert found["edges"] == 2 * (80 + 40)
    assert (found["node_types"], found["relations"]) == (3, 4)
    assert (found["features"], found["classes"]) == (6, 2)
    assert found["homophily"] == 1.0  # every author keeps to one class
    assert [found[name] for name in ("train", "val", "test")] == [
        int(data["paper"][f"{name}_mask"].sum()) for name in ("train", "val", "test")
    ]


def test_the_fingerprint_is_of_everything_but_the_order():
    one = fingerprint(graph())
    assert one == fingerprint(graph())
    reordered, plain = HeteroData(), bibliography()
    for name in ("venue", "author", "paper"):
        for key, value in plain[name].items():
            reordered[name][key] = value
    for relation in reversed(plain.edge_types):
        reordered[relation].edge_index = plain[relation].edge_index
    assert fingerprint(HeteroGraph.from_hetero_data(reordered)) == one
    for change in ("x", "y"):
        data = bibliography()
        data["paper"][change] = data["paper"][change].flip(0)
        assert fingerprint(HeteroGraph.from_hetero_data(data)) != one
    data = bibliography()
    data["paper", "in", "venue"].edge_index = data["paper", "in", "venue"].edge_index.flip(1)
    assert fingerprint(HeteroGraph.from_hetero_data(data)) != one


def test_a_copy_elsewhere_leaves_the_graph_as_it_is():
    one = graph()
    moved = copy.copy(one).to("meta")
    assert moved.x.device.type == moved.y.device.type == "meta"
    assert {x.device.type for x in moved.x.features.values()} == {"meta"}
    assert one.x.device.type == "cpu"
    assert moved.num_nodes == PAPERS
    assert "40 paper" in repr(one)
    assert len(repr(one)) < 400


FAULTS = {
    "no labels": (lambda data: data["paper"].pop("y"), "none has them"),
    "two labelled": (lambda data: data["author"].update({"y": torch.zeros(25)}), "paper, author has them"),
    "no mask": (lambda data: data["paper"].pop("val_mask"), "have no val_mask"),
    "float64": (lambda data: data["author"].update({"x": torch.zeros(25, 3).double()}), "'author' is no dense tensor"),
    "nan": (lambda data: data["paper"].x.fill_(torch.nan), "NaN"),
    "outside": (lambda data: data["author", "writes", "paper"].edge_index[0].fill_(99), "'author' has 25"),
    "no edges": (lambda data: [data[r].update({"edge_index": torch.empty(2, 0).long()}) for r in data.edge_types],
                 "no relation has an edge"),
    "empty split": (lambda data: data["paper"].test_mask.fill_(False), "test split is empty"),
    "overlap": (lambda data: data["paper"].test_mask.fill_(True), "share"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_learned_from_is_refused(fault):
    import workbench as wb

    break_it, message = FAULTS[fault]
    data = bibliography()
    break_it(data)
    with pytest.raises(UsageError, match=message):
        wb.distill(data, root="/nonexistent/is-not-made")


def test_the_target_can_be_named():
    data = bibliography()
    data["author"].y = torch.zeros(25, dtype=torch.long)
    assert HeteroGraph.from_hetero_data(data, target="paper").num_nodes == PAPERS
    with pytest.raises(UsageError, match="no type 'papers'"):
        HeteroGraph.from_hetero_data(data, target="papers")
