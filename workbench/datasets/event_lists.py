"""Two lists of events that come without snapshots: e-mails in a company, and replies on a news site."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.datasets.base import Card
from workbench.datasets.event_config import TimedFileConfig, days_option, snapshots_option
from workbench.datasets.event_table import EventTable
from workbench.datasets.snapshot_presets import SMALL, Presets
from workbench.registry import datasets

_COLUMNS = ("src", "dst", "time")


@datasets.register
class RadoslawEmailConfig(TimedFileConfig):
    """E-mails between the employees of a manufacturer: few people, many messages."""

    presets: ClassVar[Presets] = SMALL
    title: ClassVar[str] = "Radoslaw e-mail"
    table: ClassVar[EventTable] = EventTable(
        "Dynamic/radoslaw_email/edges.csv.gz", "http://konect.cc/networks/radoslaw_email/", _COLUMNS
    )
    card: ClassVar[Card] = Card(
        title="Radoslaw e-mail",
        task="link prediction",
        summary=(
            "82,927 e-mails between 167 employees of a manufacturing company in nine months of 2010. A link's weight "
            "is the number of messages in its slice. Nearly everybody is there from the first slice on."
        ),
        citation=(
            "Michalski, Palus and Kazienko, Matching Organizational Structure and Social Network Extracted from Email "
            "Communication, BIS 2011; through KONECT."
        ),
        licence="none stated",
        url="http://konect.cc/networks/radoslaw_email/",
        published={"nodes": 167, "events": 82927},
        measured={
            "nodes": 167,
            "snapshots": 10,
            "links": 11337,
            "distinct_links": 3251,
            "events": 82927,
            "new_links": 177.2222,
        },
    )

    name: Literal["radoslaw-email"] = "radoslaw-email"
    days: float = days_option(28.0)


@datasets.register
class DiggReplyConfig(TimedFileConfig):
    """Replies between the users of a news site: a large graph in which most people appear once."""

    title: ClassVar[str] = "Digg replies"
    table: ClassVar[EventTable] = EventTable(
        "Dynamic/munmun_digg_reply/edges.csv.gz", "http://konect.cc/networks/munmun_digg_reply/", _COLUMNS
    )
    card: ClassVar[Card] = Card(
        title="Digg replies",
        task="link prediction",
        summary=(
            "87,627 replies between 30,398 users of Digg in two weeks of October and November 2008. New people join "
            "all the time and few pairs meet again."
        ),
        citation=(
            "De Choudhury, Sundaram, John and Seligmann, Social Synchrony: Predicting Mimicry of User Actions in "
            "Online Social Media, CSE 2009; through KONECT."
        ),
        licence="none stated",
        url="http://konect.cc/networks/munmun_digg_reply/",
        published={"nodes": 30398, "events": 87627},
        measured={
            "nodes": 30398,
            "snapshots": 16,
            "links": 86866,
            "distinct_links": 86312,
            "events": 87627,
            "new_links": 2825.2,
        },
    )

    name: Literal["digg-reply"] = "digg-reply"
    days: float = days_option(1.0)
    snapshots: int = snapshots_option(15)
