"""Who trusts whom: the ratings that traders of two Bitcoin marketplaces gave each other (Kumar et al., ICDM 2016)."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from workbench.datasets.base import Card, Progress
from workbench.datasets.event_config import TimedFileConfig, days_option, snapshots_option
from workbench.datasets.event_table import EventTable
from workbench.datasets.snapshots import SnapshotSequence
from workbench.options import Option
from workbench.registry import datasets

_COLUMNS = ("src", "dst", "rating", "time")
_CITATION = (
    "Kumar, Spezzano, Subrahmanian and Faloutsos, Edge Weight Prediction in Weighted Signed Networks, ICDM 2016; "
    "Kumar et al., REV2: Fraudulent User Prediction in Rating Platforms, WSDM 2018; through SNAP."
)


class BitcoinConfig(TimedFileConfig):
    """What both share. Somebody rates a person once, from −10 to 10; the weight of a link is 1, or 2 if it is mutual.

    A rating is no weight: attention needs positive ones, and distrust is a link too.
    """

    slicing: Literal["calendar", "equal-count"] = Option(
        "equal-count",
        help="Slices of so many days, or slices with equally many events (events of the same time stay together).",
    )
    days: float = days_option(90.0)
    snapshots: int = snapshots_option(20)
    ratings: Literal["all", "positive"] = Option(
        "all", help="Which ratings are links: all of them, or only those that express trust (above zero)."
    )

    def load(self, root: Path, progress: Progress | None = None) -> SnapshotSequence:
        columns = self.table.read(root)
        rating = columns.pop("rating")
        if self.ratings == "positive":
            columns = {name: values[rating > 0] for name, values in columns.items()}
        return self.sequence(columns)


@datasets.register
class BitcoinOTCConfig(BitcoinConfig):
    """Ratings on the marketplace Bitcoin OTC."""

    title: ClassVar[str] = "Bitcoin OTC"
    table: ClassVar[EventTable] = EventTable(
        "Dynamic/BitcoinOTC/raw/soc-sign-bitcoinotc.csv",
        "https://snap.stanford.edu/data/soc-sign-bitcoin-otc.html",
        _COLUMNS,
        header=False,
    )
    card: ClassVar[Card] = Card(
        title="Bitcoin OTC",
        task="link prediction",
        summary=(
            "35,592 ratings between 5,881 traders from November 2010 to January 2016, in 20 snapshots with equally "
            "many ratings, because trade rose and fell: the last calendar slices would be nearly empty. One rating in "
            "ten expresses distrust; it is a link like the others."
        ),
        citation=_CITATION,
        licence="none stated",
        url="https://snap.stanford.edu/data/soc-sign-bitcoin-otc.html",
        published={"nodes": 5881, "events": 35592},
        measured={
            "nodes": 5881,
            "snapshots": 20,
            "links": 22874,
            "distinct_links": 21492,
            "events": 35592,
            "new_links": 433.3158,
        },
    )

    name: Literal["bitcoin-otc"] = "bitcoin-otc"


@datasets.register
class BitcoinAlphaConfig(BitcoinConfig):
    """Ratings on the marketplace Bitcoin Alpha."""

    title: ClassVar[str] = "Bitcoin Alpha"
    table: ClassVar[EventTable] = EventTable(
        "Dynamic/BitcoinAlpha/raw/soc-sign-bitcoinalpha.csv",
        "https://snap.stanford.edu/data/soc-sign-bitcoin-alpha.html",
        _COLUMNS,
        header=False,
    )
    card: ClassVar[Card] = Card(
        title="Bitcoin Alpha",
        task="link prediction",
        summary=(
            "24,186 ratings between 3,783 traders from November 2010 to January 2016, in 20 snapshots with equally "
            "many ratings. One in sixteen expresses distrust; it is a link like the others."
        ),
        citation=_CITATION,
        licence="none stated",
        url="https://snap.stanford.edu/data/soc-sign-bitcoin-alpha.html",
        published={"nodes": 3783, "events": 24186},
        measured={
            "nodes": 3783,
            "snapshots": 20,
            "links": 15280,
            "distinct_links": 14124,
            "events": 24186,
            "new_links": 320.6316,
        },
    )

    name: Literal["bitcoin-alpha"] = "bitcoin-alpha"
