"""A heterogeneous graph whose nodes of one type are classified, as the ``Data`` of these nodes."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Data, HeteroData

from workbench.datasets.hetero.features import HeteroChannels, HeteroFeatures, Relation
from workbench.datasets.hetero.neighbours import target_neighbours
from workbench.datasets.measure import MASKS, num_classes
from workbench.datasets.measure import check as check_graph
from workbench.errors import UsageError


class HeteroGraph(Data):
    """The target nodes of a heterogeneous graph: labels, masks, outputs and losses are theirs alone.

    ``x`` are the :class:`HeteroFeatures` of the whole graph, ``y`` (N,) and the masks (N,) are of the target nodes, and
    ``edge_index`` (2, E) joins target nodes that are neighbours, as :func:`target_neighbours` says: methods that
    compare neighbours take them, and models pass no message along them.
    """

    @classmethod
    def of(cls, x: HeteroFeatures, y: Tensor, masks: dict[str, Tensor]) -> HeteroGraph:
        edge_index = target_neighbours(x)
        return cls(x=x, edge_index=edge_index, y=y, num_nodes=x.counts[x.target], **masks)

    @classmethod
    def from_hetero_data(cls, data: HeteroData, target: str | None = None) -> HeteroGraph:
        """The graph of a ``HeteroData``; ``target`` is the type that has ``y`` and the three masks where not given.

        As OGB's R-GCN does, every relation between two types that has none back gets one, called ``rev_`` and its name,
        and a relation within one type counts in both directions, each edge once.
        Raises UsageError where the target is not known, or has no labels or masks.
        """
        labelled = [name for name in data.node_types if "y" in data[name]]
        if target is None and len(labelled) != 1:
            raise UsageError(
                f"one type of nodes has to have labels y, and {', '.join(labelled) or 'none'} has them in this "
                f"HeteroData of {', '.join(data.node_types)}: name it in "
                "workbench.datasets.hetero.graph.HeteroGraph.from_hetero_data(data, target=…), and pass what that gives"
            )
        target = target or labelled[0]
        if target not in data.node_types:
            raise UsageError(f"there is no type {target!r}: this HeteroData has {', '.join(data.node_types)}")
        missing = [name for name in ("y", *MASKS) if name not in data[target]]
        if missing:
            raise UsageError(f"nodes of the type {target!r} have no {', '.join(missing)}: they say what is learned")
        if not data.edge_types:
            raise UsageError("this HeteroData has no relation: expected edges between its nodes")
        counts = {name: int(data[name].num_nodes or 0) for name in data.node_types}
        features = {name: data[name].x for name in data.node_types if "x" in data[name]}
        relations = {relation: data[relation].edge_index for relation in data.edge_types}
        _check_parts(counts, features, relations, "this HeteroData")
        masks = {name: data[target][name] for name in MASKS}
        return cls.of(HeteroFeatures(target, counts, features, both_ways(relations)), data[target].y, masks)

    @property
    def num_features(self) -> HeteroChannels:
        return self.x.channels

    def check(self, where: str) -> None:
        """Raise UsageError for what cannot be learned from."""
        x: Any = self.x
        _check_parts(x.counts, x.features, x.relations, where)
        ring = torch.arange(x.counts[x.target]).repeat(2, 1)  # what is wrong with the labels is found on any edges
        plain = Data(x=torch.ones(ring.shape[1], 1), edge_index=ring, y=self.y, **{name: self[name] for name in MASKS})
        check_graph(plain, where)

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of everything but the order of types and relations."""
        x: Any = self.x
        parts = {f"x {name}": tensor for name, tensor in x.features.items()}
        parts |= {" ".join(relation): edges for relation, edges in x.relations.items()}
        parts |= {name: self[name] for name in ("y", *MASKS)}
        sha = hashlib.sha256(f"{x.target} {sorted(x.counts.items())}\n".encode())
        for name, value in sorted(parts.items()):
            sha.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
            sha.update(value.detach().cpu().contiguous().numpy().tobytes())
        return sha.hexdigest()[:12]

    def measure(self) -> dict[str, float | int]:
        """Counts. ``nodes`` and ``edges`` are of all types and relations, the latter in both directions; ``homophily``
        is the share of neighbouring target nodes (``neighbours`` counts both directions) that are of one class."""
        x: Any = self.x
        assert self.y is not None
        assert self.edge_index is not None
        ends = self.y[self.edge_index]  # (2, E)
        same = (ends[0] == ends[1])[(ends >= 0).all(0)]
        return {
            "nodes": sum(x.counts.values()),
            "edges": sum(edges.shape[1] for edges in x.relations.values()),
            "node_types": len(x.counts),
            "relations": len(x.relations),
            "target_nodes": x.counts[x.target],
            "neighbours": self.edge_index.shape[1],
            "features": int(x.channels),
            "classes": num_classes(self),
            "homophily": float(same.double().mean()) if same.numel() else 0.0,
            **{short: int(self[f"{short}_mask"].sum()) for short in ("train", "val", "test")},
        }


def both_ways(relations: dict[Relation, Tensor]) -> dict[Relation, Tensor]:
    """``relations`` with those back that are missing; within one type every edge in both directions, once."""
    joined = {(source, destination) for source, _, destination in relations}
    found: dict[Relation, Tensor] = {}
    for (source, name, destination), edges in relations.items():
        if source == destination:
            found[source, name, destination] = torch.unique(torch.cat([edges, edges.flip(0)], dim=1), dim=1)
            continue
        found[source, name, destination] = edges
        if (destination, source) not in joined:
            found[destination, f"rev_{name}", source] = edges.flip(0)
    return found


def _check_parts(counts: Any, features: Any, relations: Any, where: str) -> None:
    """Raise one UsageError that lists what is wrong with features and relations."""
    faults = []
    for name, count in counts.items():
        x = features.get(name)
        if count < 1:
            faults.append(f"there are no nodes of the type {name!r}: expected at least one, or leave the type out")
        elif x is None:
            continue
        elif not isinstance(x, Tensor) or x.layout != torch.strided or x.dtype != torch.float32 or x.dim() != 2:
            faults.append(f"x of {name!r} is no dense tensor (n, F) of float32")
        elif x.shape[0] != count or x.shape[1] == 0:
            faults.append(f"x of {name!r} has shape {tuple(x.shape)}: expected a row for each of {count:,} nodes")
        elif not x.isfinite().all():
            faults.append(f"x of {name!r} holds values that are NaN or infinite: expected finite numbers")
    for relation, edges in relations.items():
        title = " – ".join(relation)
        if not isinstance(edges, Tensor) or edges.dtype != torch.int64 or edges.dim() != 2 or edges.shape[0] != 2:
            faults.append(f"the edges of {title} are no tensor (2, E) of int64")
            continue
        for end, name in zip(edges, (relation[0], relation[2]), strict=True):
            if end.numel() and (int(end.min()) < 0 or int(end.max()) >= counts[name]):
                faults.append(f"an edge of {title} names a node that is not there: {name!r} has {counts[name]:,}")
    if not faults and not any(edges.shape[1] for edges in relations.values()):
        faults.append("no relation has an edge: expected at least one")
    if faults:
        raise UsageError("\n".join([f"{where} cannot be learned from:", *(f"  - {fault}" for fault in faults)]))
