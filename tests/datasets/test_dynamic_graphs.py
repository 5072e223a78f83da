"""Graphs that change, from files: what is published about them, how they are sliced, and what is refused."""

import gzip

import numpy as np
import pytest
import torch

from workbench.datasets import (
    BitcoinAlphaConfig,
    BitcoinOTCConfig,
    EnronConfig,
    ML10MConfig,
    UCIConfig,
    fingerprint,
    load_dataset,
)
from workbench.errors import UsageError
from workbench.registry import datasets

# Nodes seen up to each slice and events of each slice, with the slices in UTC.
ML10M_SEEN = [6058, 7588, 8825, 10030, 11529, 12766, 15193, 16097, 17168, 18036, 19494, 20265, 20537]
ML10M_EVENTS = [16704, 6995, 5217, 6542, 11799, 9035, 10452, 4670, 6155, 4551, 6076, 4998, 2386]
WITH_TIMES = ["enron", "uci", "ml-10m", "radoslaw-email", "digg-reply", "bitcoin-otc", "bitcoin-alpha"]
NAMES = [*WITH_TIMES, "vgrnn-enron10", "vgrnn-dblp", "vgrnn-fb"]
DAY = 86_400


@pytest.mark.parametrize("slicing", ["file", "calendar"])
def test_the_slices_of_ml_10m_are_those_of_the_paper_in_utc(slicing, dynamic_root):
    sequence = load_dataset(ML10MConfig(slicing=slicing), dynamic_root)
    assert sequence.num_nodes == 20_537
    assert sequence.events == ML10M_EVENTS
    assert [sequence.seen(t) for t in range(len(sequence))] == ML10M_SEEN


def test_no_user_and_tag_of_ml_10m_have_a_common_neighbour(dynamic_root):
    """As the card says: every link joins a user and a tag."""
    sequence = load_dataset(ML10MConfig(), dynamic_root)
    kind = torch.tensor([name.startswith("user ") for name in sequence.node_ids])
    assert all((kind[links[0]] != kind[links[1]]).all() for links in sequence.links)
    assert "never have common neighbours" in ML10MConfig.card.summary


def test_ml_10m_is_the_same_by_its_column_and_by_the_calendar(dynamic_root):
    column, calendar = (load_dataset(ML10MConfig(slicing=way), dynamic_root) for way in ("file", "calendar"))
    assert fingerprint(column) == fingerprint(calendar)
    assert calendar.boundaries.diff().tolist() == [90.0 * DAY] * 13
    assert (column.boundaries[:-1] >= calendar.boundaries[:-1]).all()  # at the first event of each slice


def test_the_links_of_ml_10m_join_a_user_and_a_tag(dynamic_root):
    sequence = load_dataset("ml-10m", dynamic_root)
    is_tag = torch.tensor([name.startswith("tag ") for name in sequence.node_ids])
    assert int((~is_tag).sum()) == 4_009
    assert int(is_tag.sum()) == 16_528
    assert all((is_tag[links].sum(dim=0) == 1).all() for links in sequence.links)


def test_ml_10m_does_without_the_names(dynamic_root):
    named = load_dataset("ml-10m", dynamic_root)
    (dynamic_root / ML10MConfig.nodes_file).unlink()
    numbered = load_dataset("ml-10m", dynamic_root)
    assert numbered.node_ids[:2] == ["0", "1"]
    assert fingerprint(numbered) == fingerprint(named)


def test_names_that_do_not_fit_are_refused(dynamic_root):
    (dynamic_root / ML10MConfig.nodes_file).write_bytes(gzip.compress(b"node,type,raw_id\n0,user,7\n"))
    with pytest.raises(UsageError, match=r"nodes\.csv\.gz cannot be read .*a line for each of 20,537 nodes"):
        load_dataset("ml-10m", dynamic_root)


@pytest.mark.parametrize(
    ("config", "nodes", "snapshots", "links"), [(EnronConfig(), 143, 16, 2347), (UCIConfig(), 1809, 13, 16822)]
)
def test_the_graphs_of_dysat_have_their_published_size(config, nodes, snapshots, links, dynamic_root):
    sequence = load_dataset(config, dynamic_root)
    assert (sequence.num_nodes, len(sequence)) == (nodes, snapshots)
    assert sum(part.shape[1] for part in sequence.links) == links


def test_ten_days_of_uci_messages_are_a_slice_of_the_file(dynamic_root):
    """The file was cut at another time of the day than that of the first event."""
    column, calendar = (load_dataset(UCIConfig(slicing=way), dynamic_root) for way in ("file", "calendar"))
    assert len(calendar) == len(column)
    assert (calendar.boundaries[:-1] - column.boundaries[:-1]).abs().max() < DAY
    assert sum(calendar.events) == sum(column.events)


def test_bitcoin_otc_has_its_published_time_steps(dynamic_root):
    """PyG's BitcoinOTC: 138 steps of 13.8 days, each with the edges of ten of them, 2,573.2 on average."""
    sequence = load_dataset(BitcoinOTCConfig(slicing="calendar", days=13.8), dynamic_root)
    assert len(sequence) == 138
    total = np.cumsum([0, *sequence.events])
    windows = [total[t + 1] - total[max(t - 9, 0)] for t in range(138)]
    assert np.mean(windows) == pytest.approx(2573.2, abs=0.05)


@pytest.mark.parametrize(
    ("config", "nodes", "edges"), [(BitcoinOTCConfig, 5881, 35592), (BitcoinAlphaConfig, 3783, 24186)]
)
def test_bitcoin_has_its_published_size_and_can_do_without_distrust(config, nodes, edges, dynamic_root):
    everything = load_dataset(config(), dynamic_root)
    assert (everything.num_nodes, sum(everything.events)) == (nodes, edges)
    rating = np.loadtxt(dynamic_root / config.table.file, delimiter=",")[:, 2]
    trusting = load_dataset(config(ratings="positive"), dynamic_root)
    assert sum(trusting.events) == (rating > 0).sum() < edges


@pytest.mark.parametrize("name", WITH_TIMES)
def test_equal_counts_are_equal_but_for_equal_times(name, dynamic_root):
    sequence = load_dataset(datasets[name](slicing="equal-count", snapshots=7), dynamic_root)
    assert len(sequence) == 7
    mean = sum(sequence.events) / 7
    assert max(abs(count - mean) for count in sequence.events) < 0.06 * mean


@pytest.mark.parametrize("name", NAMES)
def test_cumulative_snapshots_only_grow_and_have_the_same_new_links(name, dynamic_root):
    each, growing = (load_dataset(datasets[name](cumulative=value), dynamic_root) for value in (False, True))
    sizes = [part.shape[1] for part in growing.links]
    assert sizes == sorted(sizes)
    assert sizes[0] == each.links[0].shape[1]
    assert growing.events == each.events
    assert growing.weights[-1].double().sum() == sum(part.double().sum() for part in each.weights)
    for t in range(len(each)):
        assert torch.equal(growing.new_links(t), each.new_links(t))


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named_with_its_columns_and_source(name, tmp_path):
    config = datasets[name]()
    assert not config.is_ready(tmp_path)
    with pytest.raises(UsageError) as error:
        load_dataset(config, tmp_path)
    message = str(error.value)
    assert str(tmp_path / config.table.file) in message
    assert "WORKBENCH_DATA" in message
    assert ",".join(config.table.columns) in message
    assert "http" in message


@pytest.mark.parametrize("name", NAMES)
def test_a_dataset_is_ready_once_its_file_is_there_and_nothing_is_written(name, dynamic_root):
    before = sorted(dynamic_root.rglob("*"))
    assert datasets[name]().is_ready(dynamic_root)
    load_dataset(name, dynamic_root)
    assert sorted(dynamic_root.rglob("*")) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no gzip at all", "cannot be read"),
        (gzip.compress(b"snapshot,src,dst,time\n" + b"0,1,2,10\n" * 999)[:-20], "cannot be read"),
        (gzip.compress(b""), "its first line is ''"),
        (gzip.compress(b"src,dst,time\n0,1,5\n"), "its first line is 'src,dst,time'"),
        (gzip.compress(b"snapshot,src,dst,time\n0,1,2,ten\n"), "cannot be read.*ten"),
        (gzip.compress(b"snapshot,src,dst,time\n0,1\n"), "it has 1 lines of 2 columns"),
        (
            gzip.compress(b"snapshot,src,dst,time\n0,1,2.5,10\n"),
            "column 'dst' holds a value that is not a whole number",
        ),
        (
            gzip.compress(b"snapshot,src,dst,time\n0,1,nan,10\n"),
            "column 'dst' holds a value that is not a whole number",
        ),
        (gzip.compress(b"snapshot,src,dst,time\n0,1,143,10\n"), "whole numbers from 0 to 142"),
        (gzip.compress(b"snapshot,src,dst,time\n"), "cannot be read"),
    ],
    ids=map(str, range(10)),  # the bytes hold the time
)
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_a_broken_file_is_refused(content, message, tmp_path):
    path = tmp_path / EnronConfig.table.file
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        load_dataset("enron", tmp_path)
