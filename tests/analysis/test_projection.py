"""PCA, Procrustes and UMAP: against linear algebra, scipy and arithmetic."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.spatial import procrustes as scipy_procrustes

from workbench.analysis import projection
from workbench.analysis.projection import pca, procrustes, umap
from workbench.errors import UsageError


def cloud(nodes=60, width=7, seed=0):
    return np.random.default_rng(seed).normal(size=(nodes, width)) * np.arange(1, width + 1) + 3.0


def test_pca_keeps_the_largest_singular_values():
    x = cloud()
    singular = np.linalg.svd(x - x.mean(0), compute_uv=False)
    assert np.linalg.norm(pca(x, 3), axis=0) == pytest.approx(singular[:3])


def test_pca_axes_are_centred_and_uncorrelated():
    points = pca(cloud(), 3)
    gram = points.T @ points
    assert points.mean(0) == pytest.approx(np.zeros(3), abs=1e-12)
    assert gram - np.diag(np.diag(gram)) == pytest.approx(np.zeros((3, 3)), abs=1e-8)


def test_pca_of_a_line_is_the_position_on_the_line():
    position = np.array([0.0, 1.0, 2.0, 5.0])
    points = pca(np.outer(position, [3.0, 4.0]), 2)
    assert points[:, 0] == pytest.approx(5.0 * (position - 2.0))
    assert points[:, 1] == pytest.approx(np.zeros(4), abs=1e-7)


def test_pca_signs_do_not_depend_on_the_sign_of_the_eigenvectors():
    x = cloud()
    assert pca(x[::-1], 2)[::-1] == pytest.approx(pca(x, 2))


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_pca_of_many_nodes_in_blocks_and_single_precision_has_six_digits(monkeypatch, kind):
    monkeypatch.setattr(projection, "PRECISE", 100)
    monkeypatch.setattr(projection, "BLOCK", 64)  # nine rows of seven at a time
    x = (cloud(500) + 50.0).astype(kind)
    wide = x.astype(np.float64) - x.astype(np.float64).mean(axis=0)
    directions = np.linalg.svd(wide, full_matrices=False)[2][:2]
    expected = wide @ (directions * np.sign(directions[[0, 1], np.abs(directions).argmax(axis=1)])[:, None]).T
    found = pca(x)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_pca_of_many_nodes_that_all_coincide_is_one_point(monkeypatch):
    monkeypatch.setattr(projection, "PRECISE", 100)
    assert not pca(np.full((500, 3), 0.1, dtype=np.float16)).any()


def test_pca_fills_up_with_zeros_where_the_embedding_is_one_wide():
    points = pca(np.array([[1.0], [2.0], [6.0]]), 2)
    assert points.tolist() == [[-2.0, 0.0], [-1.0, 0.0], [3.0, 0.0]]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_pca_refuses_what_is_not_finite_and_says_why(bad):
    with pytest.raises(UsageError, match="learning rate"):
        pca(np.array([[1.0, 2.0], [bad, 0.0]]))


def test_pca_refuses_what_cannot_be_squared():
    with pytest.raises(UsageError, match="too large"):
        pca(np.array([[1e300, 0.0], [-1e300, 1.0]]))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3,)])
def test_pca_refuses_what_is_not_a_matrix(shape):
    with pytest.raises(UsageError, match="shape"):
        pca(np.zeros(shape))


@pytest.mark.parametrize("seed", range(4))
def test_disparity_is_scipys(seed):
    a, b = cloud(30, 3, seed), cloud(30, 3, seed + 100)
    standard, fitted, disparity = scipy_procrustes(a, b)
    aligned, ours = procrustes(a, b)
    assert ours == pytest.approx(disparity)
    size = np.linalg.norm(a - a.mean(0))
    assert aligned == pytest.approx(fitted * size + a.mean(0))
    assert a == pytest.approx(standard * size + a.mean(0))


def test_a_turned_mirrored_scaled_and_moved_copy_falls_on_its_original():
    a = cloud(40, 2)
    turn = np.array([[0.6, 0.8], [0.8, -0.6]])  # a reflection
    aligned, disparity = procrustes(a, 7.0 * a @ turn - 20.0)
    assert aligned == pytest.approx(a)
    assert disparity == pytest.approx(0.0, abs=1e-12)


def test_a_narrow_set_is_widened_by_zeros():
    a = cloud(20, 2)
    narrow = a[:, :1]
    wide = np.hstack([narrow, np.zeros((20, 1))])
    for left, right in zip(procrustes(a, narrow), procrustes(a, wide), strict=True):
        assert left == pytest.approx(right)
    assert procrustes(narrow, a)[0].shape == (20, 2)


def test_points_that_all_coincide_have_no_shape_to_compare():
    a = cloud(10, 2)
    aligned, disparity = procrustes(a, np.full((10, 2), 0.1))
    assert disparity == 1.0
    assert aligned == pytest.approx(np.tile(a.mean(0), (10, 1)))


def test_different_nodes_cannot_be_aligned():
    with pytest.raises(UsageError, match="same nodes"):
        procrustes(cloud(10), cloud(11))


def test_umap_is_seeded_and_keeps_two_clusters_apart():
    rng = np.random.default_rng(0)
    x = np.vstack([rng.normal(size=(40, 8)), rng.normal(size=(40, 8)) + 30.0])
    first, again = umap(x, seed=3), umap(x, seed=3)
    assert first.shape == (80, 2)
    assert np.array_equal(first, again)
    spread = max(first[:40].std(), first[40:].std())
    assert np.linalg.norm(first[:40].mean(0) - first[40:].mean(0)) > spread


def test_umap_of_very_few_nodes_is_their_pca():
    x = cloud(4, 3)
    assert umap(x) == pytest.approx(pca(x), rel=1e-5)


def test_importing_the_projection_is_cheap():
    code = (
        "import sys, workbench.analysis.projection, workbench.analysis.similarity, workbench.analysis.agreement;"
        "print([m for m in ('torch', 'umap', 'sklearn', 'numba', 'scipy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"
