"""One's own data, uploaded: what is taken, what is refused, and that a refusal leaves nothing behind."""

import gzip
import io
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

import workbench.datasets.uploaded as module
from workbench.datasets.load import load_dataset
from workbench.datasets.own import OwnConfig
from workbench.datasets.uploaded import shown, store
from workbench.errors import UsageError

START = "set-up-1"
PATH = f"{START}-dataset-own-path"
NODES = "id,a,label,split\n" + "".join(
    f"n{n},{n}.5,{n % 2},{('train', 'train', 'val', 'test')[n % 4]}\n" for n in range(8)
)
EDGES = "src,dst\n" + "".join(f"n{n},n{(n + 1) % 8}\n" for n in range(8))
EVENTS = "src,dst,t\n" + "".join(f"a{n % 5},b{n % 3},{86400 * n}\n" for n in range(30))


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def given(name, content):
    content = content.encode() if isinstance(content, str) else content
    return SimpleNamespace(name=name, getvalue=lambda: content)


def archive(**changes):
    nodes = np.arange(8)
    arrays = {
        "x": np.eye(8, dtype=np.float32),
        "edge_index": np.stack([nodes, (nodes + 1) % 8]),
        "y": nodes % 2,
        "split": np.array([1, 1, 2, 3] * 2),
    }
    stream = io.BytesIO()
    np.savez(stream, **{**arrays, **changes})
    return stream.getvalue()


def files(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()) if root.exists() else []


def test_an_archive_is_kept_by_its_contents_and_can_be_learned_from(root):
    stored = store("own", [given("../../my <graph>.npz", archive())])
    assert stored.path.parent == root / "own"
    assert "graph" not in stored.path.name
    assert stored.name == "my _graph_.npz"
    # 8 edges of a ring in both directions
    assert stored.sizes == {"nodes": 8, "edges": 16, "features": 8, "classes": 2}
    assert load_dataset(OwnConfig(path=str(stored.path))).num_nodes == 8


@pytest.mark.parametrize("turned", [False, True])
def test_two_tables_are_told_apart_by_their_columns_not_by_their_names(root, turned):
    pair = [given("people.csv", NODES), given("links.csv", EDGES)]
    stored = store("own", pair[::-1] if turned else pair)
    assert files(root) == [f"own/{stored.path.name}/{name}" for name in ("edges.csv", "nodes.csv")]
    assert (stored.path / "nodes.csv").read_text() == NODES
    assert stored.name == "people.csv and links.csv"
    assert stored.sizes == {"nodes": 8, "edges": 16, "features": 1, "classes": 2}


@pytest.mark.parametrize("packed", [False, True])
def test_events_are_taken_plain_or_compressed(root, packed):
    content = gzip.compress(EVENTS.encode()) if packed else EVENTS.encode()
    stored = store("own-events", [given("log", content)])
    assert stored.path.name.endswith(".csv.gz" if packed else ".csv")
    # a0 … a4 and b0 … b2
    assert stored.sizes == {"events": 30, "nodes": 8}


def test_the_same_contents_are_kept_once_whatever_they_are_called(root):
    first, second = (store("own", [given(name, archive())]) for name in ("a.npz", "b.npz"))
    assert first.path == second.path
    assert len(files(root)) == 1
    other = store("own", [given("a.npz", archive(y=np.arange(8) // 4))])
    assert other.path != first.path


def test_what_lies_there_under_its_name_and_is_something_else_is_replaced(root):
    stored = store("own", [given("people.csv", NODES), given("links.csv", EDGES)])
    (stored.path / "edges.csv").write_text("src,dst\nn0,n1\n")
    assert store("own", [given("people.csv", NODES), given("links.csv", EDGES)]).path == stored.path
    assert (stored.path / "edges.csv").read_text() == EDGES


def objects():
    return archive(y=np.array([{}] * 8, dtype=object))


REFUSED = {
    "a table alone": ("own", [("nodes.csv", NODES)], "two tables together"),
    "two tables of nodes": ("own", [("nodes.csv", NODES), ("edges.csv", NODES)], "two tables together"),
    "three files": ("own", [("a", NODES), ("b", EDGES), ("c", EDGES)], "two tables together"),
    "no table at all": ("own", [("a.npz", b"\x00\xff"), ("b", b"")], "two tables together"),
    "a pickle": ("own", [("a.npz", objects())], "“a.npz” is not an archive of plain arrays"),
    "half an archive": ("own", [("a.npz", archive()[:300])], "“a.npz” is cut off or damaged"),
    "a node that is none": ("own", [("a.npz", archive(edge_index=np.array([[0], [99]])))], "99 is not a node"),
    "a class without a training node": ("own", [("a.npz", archive(y=np.arange(8) % 4))], "the graph|“a.npz”"),
    "an unknown id": ("own", [("n", NODES), ("e", EDGES + "n0,who\n")], "“e”, line 10, column 'dst': 'who'"),
    "a feature in words": ("own", [("n", NODES.replace("3.5", "tall")), ("e", EDGES)], "“n”, line 5, column 'a'"),
    "two lists of events": ("own-events", [("a", EVENTS), ("b", EVENTS)], "these are 2"),
    "events without times": ("own-events", [("a", EDGES)], "“a” has no column 't'"),
    "half a gzip": ("own-events", [("a.gz", gzip.compress(EVENTS.encode())[:60])], "“a.gz” is cut off or damaged"),
    "nothing": ("own-events", [("a", b"")], "“a” is empty"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_refusal_names_the_fault_in_the_persons_own_words_and_leaves_nothing_behind(root, fault):
    dataset, contents, message = REFUSED[fault]
    with pytest.raises(UsageError, match=message) as caught:
        store(dataset, [given(name, content) for name, content in contents])
    assert str(root) not in str(caught.value)
    assert not (root / "own").exists()


def test_too_much_is_refused_before_it_is_read(root, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    with pytest.raises(UsageError, match="give their path"):
        store("own", [given("a.csv", NODES.ljust(600)), given("b.csv", EDGES.ljust(600))])
    assert not root.exists()


def test_a_small_archive_that_unpacks_to_much_is_refused_before_it_is_unpacked(root):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as members, members.open("x.npy", "w") as member:
        for _ in range(module.MOST_UNPACKED // (1 << 20) + 1):
            member.write(bytes(1 << 20))
    assert len(stream.getvalue()) < 1 << 20
    with pytest.raises(UsageError, match=r"“bomb\.npz” unpacks to"):
        store("own", [given("bomb.npz", stream.getvalue())])
    assert not (root / "own").exists()


def test_a_small_table_that_unpacks_to_much_is_refused(root, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 10_000)
    packed = gzip.compress(EVENTS.encode() + b"a0,b0,1\n" * 2000)
    assert len(packed) < 10_000
    with pytest.raises(UsageError, match="unpacks to more than"):
        store("own-events", [given("a.csv.gz", packed)])
    assert not (root / "own").exists()


def test_a_data_folder_that_cannot_be_written_is_a_message(tmp_path, monkeypatch):
    (tmp_path / "data").write_text("a file")
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "data"))
    with pytest.raises(UsageError, match="WORKBENCH_DATA"):
        store("own", [given("a.npz", archive())])


@pytest.mark.parametrize(
    ("name", "expected"),
    [("/etc/passwd", "passwd"), (r"C:\me\my graph.npz", "my graph.npz"), ("<b>x</b>`", "b__"), ("", "your file")],
)
def test_a_name_is_shown_without_folders_and_markup(name, expected):
    assert shown(name) == expected


def of_own(open_page, dataset="own"):
    app = open_page("distil", preset="karate")
    return app.selectbox(key=f"{START}-dataset").set_value(dataset).run()


def test_the_form_goes_on_with_what_was_uploaded(open_page, root):
    app = of_own(open_page)
    app.file_uploader[0].set_value([("mine.npz", archive(), "application/zip")]).run()
    assert not app.exception
    assert not app.error
    path = app.text_input(key=PATH).value
    assert files(root) == [path.removeprefix(f"{root}/")]
    assert "8 nodes, 16 edges, 8 features, 2 classes" in app.success[0].value
    assert app.file_uploader[0].value in (None, [])
    # A GCN of width 2 on 8 features and 2 classes: 8·2 + 2 + 2·2 + 2 parameters.
    assert {metric.label: metric.value for metric in app.metric}["Student"] == "24"
    assert path in app.code[0].value


def test_a_bad_file_is_a_message_and_the_path_stays(open_page, root):
    app = of_own(open_page)
    app.text_input(key=PATH).set_value("/a/path").run()
    app.file_uploader[0].set_value([("mine.npz", b"PK\x03\x04nonsense", "application/zip")]).run()
    assert not app.exception
    assert "cut off or damaged" in app.error[0].value
    assert app.text_input(key=PATH).value == "/a/path"
    assert files(root) == []


def test_several_faults_are_a_line_each(open_page, root):
    # One training node, of class 0: class 1 is without one, and nothing is there to validate or test on.
    nodes = NODES.replace("val", "train").replace("test", "train")
    nodes = "".join(f"{line}\n" for line in nodes.splitlines() if not line.endswith("1,train"))
    edges = EDGES.splitlines()[0] + "\nn0,n2\n"
    with pytest.raises(UsageError) as caught:
        store("own", [given("nodes.csv", nodes), given("edges.csv", edges)])
    expected = [line.strip(" -") for line in str(caught.value).splitlines()]
    assert len(expected) >= 3
    app = of_own(open_page)
    app.file_uploader[0].set_value(
        [("nodes.csv", nodes.encode(), "text/csv"), ("edges.csv", edges.encode(), "text/csv")]
    )
    app.run()
    assert not app.exception
    shown_lines = [line.replace("\\", "").strip(" -") for line in app.error[0].value.split("  \n")]  # Markdown's break
    assert shown_lines == expected


def test_a_fault_is_looked_for_once(open_page, root, monkeypatch):
    app = of_own(open_page)
    app.file_uploader[0].set_value([("mine.npz", b"PK\x03\x04nonsense", "application/zip")]).run()
    monkeypatch.setattr("workbench.pages.upload.store", None)
    app.number_input(key=f"{START}-seed").set_value(3).run()
    assert not app.exception
    assert "cut off or damaged" in app.error[0].value


def test_the_bound_is_said_and_other_datasets_have_no_upload(open_page, root):
    assert "at most 100 MB" in of_own(open_page).file_uploader[0].label
    assert "at most 100 MB" in of_own(open_page, "own-events").file_uploader[0].label
    assert not open_page("distil", preset="karate").file_uploader
