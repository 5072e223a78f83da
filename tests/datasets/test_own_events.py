"""A person's own list of events: what is read, what is refused with its line, and how a path finds it."""

import gzip
from pathlib import Path

import pytest

from workbench.datasets import OwnEventsConfig, load_dataset
from workbench.datasets.own_events import read_events
from workbench.errors import UsageError
from workbench.spec import parse_dataset

# Links between people on four days; "dan" comes on the second, and new links appear on the third and the fourth.
LINES = [
    "ann,bob,2024-03-01T00:00:00",
    "bob,cem,2024-03-01T06:00:00",
    "cem,dan,2024-03-02T01:00:00",
    "ann,cem,2024-03-03T00:00:00",
    "ann,cem,2024-03-03T12:00:00",
    "bob,dan,2024-03-04T23:59:59",
]


@pytest.fixture
def write(tmp_path):
    def written(*lines, header="src,dst,t", name="events.csv"):
        path = tmp_path / name
        text = "\n".join([header, *lines]) + "\n"
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return written


def load(path, **options):
    return load_dataset(OwnEventsConfig(path=str(path), **{"days": 1, **options}))


@pytest.mark.parametrize("name", ["events.csv", "events.csv.gz"])
def test_dates_are_sliced_by_the_day(name, write):
    sequence = load(write(*LINES, name=name))
    assert sequence.node_ids == ["ann", "bob", "cem", "dan"]
    assert sequence.birth.tolist() == [0, 0, 0, 1]
    assert sequence.events == [2, 1, 2, 1]
    assert [links.T.tolist() for links in sequence.links] == [[[0, 1], [1, 2]], [[2, 3]], [[0, 2]], [[1, 3]]]
    assert sequence.weights[2].tolist() == [2.0]
    assert sequence.boundaries.tolist() == [1709251200.0 + 86400 * day for day in range(5)]


def test_a_time_is_utc_unless_it_names_a_zone(write):
    times = [
        "1970-01-02",
        "1970-01-02T00:00:00Z",
        "1970-01-02T01:30:00+01:30",
        "1970-01-01T19:00-05:00",
        "1970-01-02 00:00",
    ]
    events, _ = read_events(write(*(f"a,b,{time}" for time in times)))
    assert events["time"].tolist() == [86400.0] * 5


def test_numbers_are_unix_seconds(write):
    events, names = read_events(write("7,3,1289241911.72836", "3,7,-1e3"))
    assert events["time"].tolist() == [1289241911.72836, -1000.0]
    assert names == ["3", "7"]
    assert events["src"].tolist() == [1, 0]


def test_weights_add_up_and_other_columns_and_the_order_are_free(write):
    mixed = [f"note,{w},{line.split(',')[2]},{','.join(line.split(',')[:2])}" for w, line in enumerate(LINES, start=1)]
    sequence = load(write(*reversed(mixed), header="what,weight,t,src,dst"))
    assert sequence.weights[2].tolist() == [4.0 + 5.0]
    assert sequence.node_ids == ["ann", "bob", "cem", "dan"]


def test_slices_of_equal_counts_and_cumulative_ones(write):
    sequence = load(write(*LINES), slicing="equal-count", snapshots=3, cumulative=True)
    assert sequence.events == [2, 2, 2]
    assert [links.shape[1] for links in sequence.links] == [2, 4, 5]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ann,bob", r"line 8 has 2 cells: expected 3"),
        (",bob,2024-03-05", r"line 8, column 'src': the id is empty"),
        ("ann,,2024-03-05", r"line 8, column 'dst': the id is empty"),
        ("ann,bob,", r"line 8, column 't': '' is not a date or time in ISO 8601"),
        ("ann,bob,05.03.2024", r"line 8, column 't': '05\.03\.2024' is not a date"),
        ("ann,bob,1709251200.5", r"line 8, column 't': '1709251200\.5' is not a date"),
        ('ann,"bob,2024', "cannot be read as CSV"),
    ],
)
def test_a_fault_is_named_with_its_line(line, message, write):
    with pytest.raises(UsageError, match=message):
        load(write(*LINES, line))


@pytest.mark.parametrize("text", ["soon", "nan", "inf", "1_000", "2024-03-05"])
def test_a_column_of_numbers_holds_nothing_else(text, write):
    with pytest.raises(UsageError, match=f"line 3, column 't': '{text}' is not a finite number of seconds"):
        read_events(write("a,b,0", f"b,c,{text}"))


@pytest.mark.parametrize("text", ["1709251200000", "100000000001", "1.7092512e12"])
def test_milliseconds_are_refused(text, write):
    with pytest.raises(UsageError, match=rf"line 3, column 't': {text} looks like milliseconds .* divide .* by 1000"):
        read_events(write("a,b,100000000000", f"b,c,{text}"))


def test_dates_without_dashes_are_refused(write):
    with pytest.raises(UsageError, match=r"20240301 and all others look like dates .* with dashes \(2024-03-01\)"):
        read_events(write("a,b,20240301", "b,c,19000101", "c,d,21001231"))


@pytest.mark.parametrize("text", ["20240231", "20241301", "18991231", "21010101", "2024030", "20240301.5", "0"])
def test_numbers_that_are_not_all_dates_are_seconds(text, write):
    assert read_events(write("a,b,20240301", f"b,c,{text}"))[0]["time"].tolist() == [20240301.0, float(text)]


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "heavy", ""])
def test_a_weight_is_a_positive_number(text, write):
    with pytest.raises(UsageError, match=f"line 3, column 'weight': '{text}' is not a finite number above zero"):
        read_events(write("a,b,0,1", f"b,c,1,{text}", header="src,dst,t,weight"))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("src,dst,time", "has no column 't'"),
        ("source,dst,t", "has no column 'src'"),
        ("src,dst,t,t", "two columns called 't'"),
        ("", "is empty: expected a header line with src, dst, t"),
    ],
)
def test_a_header_is_needed(header, message, write):
    with pytest.raises(UsageError, match=message):
        load(write(header=header))


def test_a_header_alone_is_refused(write):
    with pytest.raises(UsageError, match="has a header and no events"):
        load(write())


def test_too_wide_a_slice_says_what_to_do(write):
    with pytest.raises(UsageError, match="has 1 snapshot: expected at least 3; cut narrower slices"):
        load(write(*LINES), days=30)


def test_what_is_no_such_file_is_refused(write, tmp_path):
    for path, message in [
        (tmp_path / "none.csv", "does not exist"),
        (tmp_path, "does not exist: expected a .csv"),
        (write(*LINES, name="events.txt"), "neither a .csv nor a .csv.gz file"),
        ("", "need a path"),
    ]:
        with pytest.raises(UsageError, match=message):
            load(path)
        assert not OwnEventsConfig(path=str(path)).is_ready(tmp_path)


def test_a_cut_off_archive_is_refused(write):
    path = write(*LINES * 50, name="events.csv.gz")
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(UsageError, match="cannot be read as CSV"):
        load(path)


def test_a_run_remembers_what_it_read(write, monkeypatch):
    path = write(*LINES)
    monkeypatch.chdir(path.parent)
    pinned = OwnEventsConfig(path="events.csv", days=1).pinned()
    assert pinned.path == str(path)
    assert len(pinned.sha256) == 64
    assert pinned.pinned() == pinned
    assert len(load_dataset(pinned)) == 4
    write(*LINES, "ann,dan,2024-03-05")
    with pytest.raises(UsageError, match="has changed since the run was defined"):
        load_dataset(pinned)
    with pytest.raises(UsageError, match="leave sha256 out to accept"):
        pinned.pinned()


@pytest.mark.parametrize("name", ["events.csv", "events.csv.gz"])
@pytest.mark.parametrize("kind", [str, Path])
def test_the_path_of_a_csv_file_is_a_list_of_events(name, kind, write):
    path = kind(write(*LINES, name=name))
    assert parse_dataset(path) == OwnEventsConfig(path=str(path))


def test_a_csv_file_in_the_current_folder_and_one_that_is_not_there(write, monkeypatch):
    monkeypatch.chdir(write(*LINES).parent)
    assert parse_dataset("events.csv") == OwnEventsConfig(path="events.csv")
    assert parse_dataset("nowhere.csv.gz").name == "own-events"


def test_a_folder_is_a_graph_whatever_it_is_called(tmp_path):
    (tmp_path / "graph.csv").mkdir()
    assert parse_dataset(str(tmp_path / "graph.csv")).name == "own"
    assert parse_dataset(str(tmp_path / "graph.npz")).name == "own"
