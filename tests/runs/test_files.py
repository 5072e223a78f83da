"""Arrays on the disk: whole or not at all, packed where that is small work, and as they are where they are large."""

import zipfile

import numpy as np
import pytest

from workbench.runs import files
from workbench.runs.files import write_arrays


@pytest.fixture
def small_limit(monkeypatch):
    """As if an array of more than 1,000 bytes were large."""
    monkeypatch.setattr(files, "PACKED", 1000)


ARRAYS = {
    "half": np.linspace(0, 1, 900).astype(np.float16).reshape(300, 3),
    "edges": np.arange(40, dtype=np.int32).reshape(2, 20),
    "count": np.array(7),
    "none": np.zeros((0, 4)),
    "turned": np.arange(600.0).reshape(2, 300).T,
}


def test_arrays_come_back_as_they_were(tmp_path, small_limit):
    write_arrays(tmp_path / "a.npz", **ARRAYS)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert set(found.files) == set(ARRAYS)
        for name, array in ARRAYS.items():
            assert found[name].dtype == array.dtype
            assert np.array_equal(found[name], array)


def test_only_small_arrays_are_compressed(tmp_path, small_limit):
    write_arrays(tmp_path / "a.npz", large=np.zeros(1001, dtype=np.int8), small=np.zeros(1000, dtype=np.int8))
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        kinds = {entry.filename: entry.compress_type for entry in archive.infolist()}
    assert kinds == {"large.npy": zipfile.ZIP_STORED, "small.npy": zipfile.ZIP_DEFLATED}


def test_arrays_that_cannot_be_written_leave_the_old_ones(tmp_path):
    write_arrays(tmp_path / "a.npz", x=np.arange(3))
    with pytest.raises(ValueError, match=r"[Oo]bject"):
        write_arrays(tmp_path / "a.npz", x=np.arange(5), y=np.array([object()]))
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]
    assert np.load(tmp_path / "a.npz")["x"].tolist() == [0, 1, 2]
