"""A published pickle may hold arrays, sparse matrices and containers; it may not run anything."""

import collections
import os
import pickle

import numpy as np
import pytest
import scipy.sparse

from workbench.datasets.pickles import read_pickle
from workbench.errors import UsageError


class Attack:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_is_read(protocol):
    graph = collections.defaultdict(list, {0: [1, 2], 1: [0]})
    assert read_pickle(pickle.dumps(graph, protocol), "f") == graph
    assert read_pickle(pickle.dumps(collections.OrderedDict(a={1}), protocol), "f") == {"a": {1}}


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_and_sparse_matrices_are_read(protocol):
    dense = np.arange(6.0).reshape(2, 3)
    assert (read_pickle(pickle.dumps(dense, protocol), "f") == dense).all()
    sparse = read_pickle(pickle.dumps(scipy.sparse.csr_matrix(dense), protocol), "f")
    assert (sparse.todense() == dense).all()


def test_the_names_of_old_releases_are_known():
    new = pickle.dumps(scipy.sparse.csr_matrix(np.eye(2)), 3)
    old = new.replace(b"scipy.sparse._csr\n", b"scipy.sparse.csr\n").replace(b"numpy._core.", b"numpy.core.")
    assert old != new
    assert (read_pickle(old, "f").todense() == np.eye(2)).all()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_planted_program_is_refused_and_does_not_run(protocol, tmp_path):
    mark = tmp_path / "it-ran"
    for attack in (Attack(os.mkdir, str(mark)), Attack(eval, f"__import__('os').mkdir({str(mark)!r})")):
        raw = pickle.dumps({"graph": [attack]}, protocol)
        with pytest.raises(UsageError, match=r"^ind\.cora\.x was not read.*it asks for"):
            read_pickle(raw, "ind.cora.x")
        assert not mark.exists()
        pickle.loads(raw)  # it does run where nobody stops it
        assert mark.exists()
        mark.rmdir()


def test_a_name_below_an_allowed_module_is_refused():
    with pytest.raises(UsageError, match=r"numpy\.core\.multiarray\.fromfile"):
        read_pickle(b"cnumpy.core.multiarray\nfromfile\n.", "f")
    with pytest.raises(UsageError, match=r"numpy\.ndarray\.tofile"):
        read_pickle(b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.", "f")


def test_a_cut_off_pickle_is_refused_with_its_name():
    raw = pickle.dumps(np.arange(100.0), 3)
    for length in (0, 1, 20, len(raw) // 2, len(raw) - 1):
        with pytest.raises(UsageError, match=r"^some/file is cut off or damaged"):
            read_pickle(raw[:length], "some/file")


def test_a_matrix_whose_indices_leave_it_is_refused():
    matrix = scipy.sparse.csr_matrix(np.eye(3))
    matrix.indices[0] = 1_000_000
    with pytest.raises(UsageError, match="damaged"):
        read_pickle(pickle.dumps(matrix, 3), "f")
