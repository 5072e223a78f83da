"""What the set-up form says of a dataset: its numbers, and what is to be done where it is not on this disk."""

import pytest

START = "set-up-1"


def choose(app, dataset):
    app.selectbox(key=f"{START}-dataset").set_value(dataset).run()
    assert not app.exception
    return app


@pytest.mark.parametrize(
    ("dataset", "file"), [("enron", "Dynamic/Enron/edges.csv.gz"), ("modelnet10", "modelnet10_1024_train.npz")]
)
def test_data_that_is_never_downloaded_is_said_to_be_expected(open_page, texts, monkeypatch, tmp_path, dataset, file):
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "data"))
    app = choose(open_page("distil", preset="karate"), dataset)
    said = texts(app).replace("\\", "")
    assert f"expected in {tmp_path / 'data'}" in said
    assert file in said
    assert "it is downloaded" not in said


def test_ones_own_events_say_that_a_path_is_missing(open_page, texts):
    app = open_page("distil", preset="karate")
    app.selectbox(key=f"{START}-dataset").set_value("own-events").run()
    assert not app.exception
    assert "your own events need a path" in texts(app).replace("\\", "")


def test_data_that_can_be_downloaded_is_promised(open_page, texts, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "data"))
    assert "it is downloaded" in texts(choose(open_page("distil", preset="karate"), "cora"))


def test_what_is_published_is_said_in_words(open_page, texts):
    assert "43.8 k distinct links" in texts(choose(open_page("distil", preset="karate"), "ml-10m"))
