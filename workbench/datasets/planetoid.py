"""Cora, CiteSeer and PubMed with the public split (Yang et al., ICML 2016), from the files that Planetoid published.

The files are pickles. Each is read by the restricted reader of :mod:`workbench.datasets.pickles` and
compared with the SHA-256 of the published file; PyTorch Geometric then parses copies of exactly those
bytes in a temporary folder. Nothing processed is ever written below the data root, so it may be
read-only, and any number of processes may load at once.
"""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from workbench.datasets.arrays import as_data, normalise_rows
from workbench.datasets.base import Card, DatasetConfig, Progress
from workbench.datasets.pickles import read_pickle
from workbench.datasets.raw_files import RawFiles
from workbench.errors import UsageError
from workbench.options import Option
from workbench.registry import datasets

if TYPE_CHECKING:
    from torch_geometric.data import Data

SOURCE = "https://github.com/kimiyoung/planetoid/raw/master/data"  # also PyG's source
PARTS = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")

SHA256 = {
    "ind.citeseer.allx": "2ac30345d95c9ec933a817ee0bdd6a5f077f8c184a20e696910192d534414668",
    "ind.citeseer.ally": "f704b2d986dde6c2669934de1f3ae5696a6cf9455c0f6b2646a2d135ea0a1c95",
    "ind.citeseer.graph": "d79a4ef9d3e7169aee8946145f6b7306e35bc79bffad26346cfb94e10e9912a7",
    "ind.citeseer.test.index": "2af990671580b6b2df5d158d1038f8292e30c9cd821b5453f399659b25b723d4",
    "ind.citeseer.tx": "539a8906a2da97628d212f2fdd668c109a8b3f0d36574b59e5d3fd5b5303da21",
    "ind.citeseer.ty": "55e5bd1ba1e733a04598753ad1a8d57957f4b8f89e74519f41f4f4938767e4ce",
    "ind.citeseer.x": "d20de19150741e555de0ed037195630fc194114ebc7fd72ced62810148aa22f6",
    "ind.citeseer.y": "8ba87e515d8e3ee3cf52f6d2c5b86aa73f11ecad825a808455209ec26cd54924",
    "ind.cora.allx": "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543",
    "ind.cora.ally": "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71",
    "ind.cora.graph": "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d",
    "ind.cora.test.index": "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875",
    "ind.cora.tx": "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a",
    "ind.cora.ty": "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad",
    "ind.cora.x": "23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab",
    "ind.cora.y": "94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1",
    "ind.pubmed.allx": "508e538e2abdccdd54c4d3e9f49d638b4af7107d85845f66ddea5a5152658b7e",
    "ind.pubmed.ally": "0c37bbe3b5014ec365e9d393cf4791925e5ed94fb194305d74f064a8d7b50f0e",
    "ind.pubmed.graph": "5b89f0036ca22909471f1e6558eb42fa06e0c730a577bde5b058b40638f81dc9",
    "ind.pubmed.test.index": "b101d421688bbaecbd82e8a18f1e282378d6830f3a37666f28ebc47f844341b5",
    "ind.pubmed.tx": "4eb5f5d0f30f26497eb0ac6ac9719d09c67e284f1ed0385c93f3ef27a671da3d",
    "ind.pubmed.ty": "ee2e0d4819d9fbcc403689c3bf2e49face401b605932f093bc58ab6461130fdd",
    "ind.pubmed.x": "fbe9cb5c47200d1b7769a26e579be3b7130b556831f9d850e77c4c74f2599b33",
    "ind.pubmed.y": "e6c807633307a07ed659249006536a147c7999c797f11a2560752990181b41b3",
}


class PlanetoidConfig(DatasetConfig):
    """What the three citation graphs share; ``folder`` is the name below ``Planetoid/``."""

    folder: ClassVar[str]

    normalise_features: bool = Option(True, help="Scale every paper's words to a sum of one.")

    @property
    def files(self) -> RawFiles:
        names = tuple(f"ind.{self.folder.lower()}.{part}" for part in PARTS)
        return RawFiles(SOURCE, f"Planetoid/{self.folder}/raw", names, verify)

    def is_ready(self, root: Path) -> bool:
        return not self.files.missing(root)

    def load(self, root: Path, progress: Progress | None = None) -> Data:
        files = self.files
        files.fetch_missing(root, progress)
        raw = {name: files.read(root, name) for name in files.names}
        for name, content in raw.items():
            verify(content, name, str(files.folder(root) / name))
        data = _parse(raw, self.folder)
        x = data.x.numpy()
        return as_data(
            normalise_rows(x) if self.normalise_features else x,
            data.edge_index.numpy(),
            data.y.numpy(),
            data.train_mask.numpy(),
            data.val_mask.numpy(),
            data.test_mask.numpy(),
        )


def verify(raw: bytes, name: str, where: str) -> None:
    """Raise UsageError unless ``raw`` is plain data and the published file of that ``name``."""
    if not name.endswith(".index"):
        read_pickle(raw, where)
    if hashlib.sha256(raw).hexdigest() != SHA256[name]:
        raise UsageError(
            f"{where} is cut off, damaged or changed: its SHA-256 is not that of the published file; "
            f"delete it and get it again from {SOURCE}/{name}"
        )


def _parse(raw: dict[str, bytes], name: str) -> Data:
    """PyG's reader on a private copy of the verified bytes."""
    from torch_geometric.io import read_planetoid_data

    with tempfile.TemporaryDirectory(prefix="planetoid-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old module names inside the pickles
        for file, content in raw.items():
            Path(folder, file).write_bytes(content)
        return read_planetoid_data(folder, name)


_CITATION = (
    "Yang, Cohen and Salakhutdinov, Revisiting Semi-Supervised Learning with Graph Embeddings, ICML 2016; "
    "graph: Sen et al., Collective Classification in Network Data, AI Magazine 29(3), 2008{more}."
)
_LICENCE = "MIT (repository kimiyoung/planetoid)"
_URL = "https://arxiv.org/abs/1603.08861"


@datasets.register
class CoraConfig(PlanetoidConfig):
    """Machine learning papers and their citations."""

    title: ClassVar[str] = "Cora"
    folder: ClassVar[str] = "Cora"
    card: ClassVar[Card] = Card(
        title="Cora",
        task="node classification",
        summary=(
            "2,708 machine learning papers in seven subjects, joined by citations; the features say which of 1,433 "
            "words a paper uses. The public split: 20 papers per subject, 500 for validation, 1,000 for the test."
        ),
        citation=_CITATION.format(more=""),
        licence=_LICENCE,
        url=_URL,
        published={"nodes": 2708, "edges": 10556, "features": 1433, "classes": 7},
        measured={
            "nodes": 2708,
            "edges": 10556,
            "features": 1433,
            "classes": 7,
            "homophily": 0.81,
            "train": 140,
            "val": 500,
            "test": 1000,
            "isolated_nodes": 0,
        },
    )

    name: Literal["cora"] = "cora"


@datasets.register
class CiteSeerConfig(PlanetoidConfig):
    """Computer science papers and their citations, some of them without any."""

    title: ClassVar[str] = "CiteSeer"
    folder: ClassVar[str] = "CiteSeer"
    card: ClassVar[Card] = Card(
        title="CiteSeer",
        task="node classification",
        summary=(
            "3,327 computer science papers in six subjects, joined by citations; the features say which of 3,703 "
            "words a paper uses. The public split: 20 papers per subject, 500 for validation, 1,000 for the test. "
            "Some papers cite nothing and are not cited; some have no words at all."
        ),
        citation=_CITATION.format(more=""),
        licence=_LICENCE,
        url=_URL,
        published={"nodes": 3327, "edges": 9104, "features": 3703, "classes": 6},
        measured={
            "nodes": 3327,
            "edges": 9104,
            "features": 3703,
            "classes": 6,
            "homophily": 0.7355,
            "train": 120,
            "val": 500,
            "test": 1000,
            "isolated_nodes": 48,
        },
    )

    name: Literal["citeseer"] = "citeseer"


@datasets.register
class PubMedConfig(PlanetoidConfig):
    """Papers on diabetes and their citations."""

    title: ClassVar[str] = "PubMed"
    folder: ClassVar[str] = "PubMed"
    card: ClassVar[Card] = Card(
        title="PubMed",
        task="node classification",
        summary=(
            "19,717 papers on diabetes in three classes, joined by citations; the features are the TF-IDF values of "
            "500 words. The public split: 20 papers per class, 500 for validation, 1,000 for the test."
        ),
        citation=_CITATION.format(more="; Namata et al., Query-driven Active Surveying, MLG 2012"),
        licence=_LICENCE,
        url=_URL,
        published={"nodes": 19717, "edges": 88648, "features": 500, "classes": 3},
        measured={
            "nodes": 19717,
            "edges": 88648,
            "features": 500,
            "classes": 3,
            "homophily": 0.8024,
            "train": 60,
            "val": 500,
            "test": 1000,
            "isolated_nodes": 0,
        },
    )

    name: Literal["pubmed"] = "pubmed"
