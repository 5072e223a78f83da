"""From many dimensions to two or three, and two pictures into one frame.

PCA and Procrustes are deterministic and cost milliseconds, of large graphs a second; UMAP costs seconds and is
computed once, when a run asks for it. Only numpy is imported at the top.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import UsageError

Points = NDArray[np.float64]
EPOCHS = 200  # of UMAP's optimisation
NEIGHBOURS = 15
WIDTH = 50  # UMAP gets at most so many principal components
PRECISE = 2**22  # numbers: of more, what is stored in single or half precision is multiplied in single precision
BLOCK = 2**20  # numbers that are widened at a time


def pca(features: ArrayLike, dimensions: int = 2) -> Points:
    r"""Project on the directions of largest variance, the leading eigenvectors of the covariance.

    .. math:: (X - \bar X)\, V_k, \quad \tfrac{1}{N}(X - \bar X)^\top (X - \bar X) = V \Lambda V^\top

    Shapes: features (N, d) -> (N, dimensions), float64; zeros fill what is missing where d < dimensions.
    Deterministic: the largest entry of every direction is positive. Of all N nodes, in blocks; above
    :data:`PRECISE` numbers of half or single precision in float32, with sums in float64: six digits, at a quarter of
    the time. Raises UsageError for features that are not finite.
    """
    x = _checked(np.asarray(features))
    short = x.dtype in (np.float16, np.float32) and x.size > PRECISE
    kind = np.float32 if short else np.float64
    step = max(BLOCK // x.shape[1], 1)
    parts = [slice(start, start + step) for start in range(0, len(x), step)] if short else [slice(None)]
    mean = x.mean(axis=0, dtype=np.float64).astype(kind)
    covariance = np.zeros((x.shape[1], x.shape[1]))
    for part in parts:
        block = x[part].astype(kind) - mean
        with np.errstate(over="ignore", invalid="ignore"):  # asked below
            covariance += block.T @ block / len(x)
    if not np.isfinite(covariance).all():
        raise UsageError("the features are too large to be projected: scale them, or train again")
    vectors = np.linalg.eigh(covariance)[1][:, ::-1][:, :dimensions]  # (d, k), largest variance first
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    directions = (vectors * np.where(largest < 0, -1.0, 1.0)).astype(kind)
    points = np.concatenate([(x[part].astype(kind) - mean) @ directions for part in parts])
    return _widen(points.astype(np.float64), dimensions)


def procrustes(reference: ArrayLike, points: ArrayLike) -> tuple[Points, float]:
    r"""Move, turn, mirror and scale ``points`` until they lie as near to ``reference`` as they can.

    .. math:: d = \min_{R^\top R = I,\, s} \| \hat A - s \hat B R \|_F^2
                = 1 - \Big(\sum_i \sigma_i(\hat B^\top \hat A)\Big)^2

    with both sets centred and of Frobenius norm one (Gower 1975; the definition of
    ``scipy.spatial.procrustes``). The narrower set is widened by zeros.

    Shapes: reference (N, a), points (N, b) -> aligned (N, max(a, b)) in the units and at the place of
    ``reference``, and the disparity d in [0, 1]; points that all coincide have no shape, and d = 1.
    """
    reference, points = as_features(reference), as_features(points)
    if len(reference) != len(points):
        raise UsageError(f"{len(reference)} and {len(points)} points cannot be aligned: they must be the same nodes")
    width = max(reference.shape[1], points.shape[1])
    reference, points = _widen(reference, width), _widen(points, width)
    centre = reference.mean(axis=0)
    a, b = reference - centre, points - points.mean(axis=0)
    size_a, size_b = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if size_a <= _rounding(reference) or size_b <= _rounding(points):
        return np.broadcast_to(centre, reference.shape).copy(), 1.0
    left, stretch, right = np.linalg.svd((b / size_b).T @ (a / size_a))
    scale = min(float(stretch.sum()), 1.0)  # above one by rounding only
    aligned = (b / size_b) @ (left @ right) * (scale * size_a) + centre
    return aligned, 1.0 - scale**2


def umap(features: ArrayLike, dimensions: int = 2, seed: int = 0) -> Points:
    """UMAP (McInnes, Healy and Melville 2018) of the leading principal components.

    Neighbours are exact (brute force): below some 50,000 nodes that is faster than the approximate search and the
    same on every machine. Shapes: features (N, d) -> (N, dimensions). Seeded, so it runs on one core.
    Fewer than five nodes have no neighbourhoods to speak of, and features as narrow as the picture or all equal
    have nothing to unfold: their PCA is returned.
    """
    x = as_features(features)
    x = pca(x, min(WIDTH, x.shape[1])).astype(np.float32)
    if len(x) < 5 or x.shape[1] <= dimensions or not x.std():
        return pca(x, dimensions)
    # Both cost seconds to import, which only those who ask for a UMAP should pay.
    from sklearn.neighbors import NearestNeighbors
    from umap import UMAP

    count = min(NEIGHBOURS, len(x) - 1)
    distance, index = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(x).kneighbors(x)
    reducer = UMAP(
        n_components=dimensions,
        n_neighbors=count,
        n_epochs=EPOCHS,
        init="pca",
        random_state=seed,
        n_jobs=1,
        precomputed_knn=(index, distance.astype(np.float32)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that new points cannot be transformed: none will be
        return np.asarray(reducer.fit_transform(x), dtype=np.float64)


def as_features(features: ArrayLike) -> Points:
    """``features`` as a finite, non-empty float64 matrix (N, d), or a UsageError that says what it is instead."""
    return _checked(np.asarray(features, dtype=np.float64))


def _checked(x: NDArray[Any]) -> NDArray[Any]:
    """``x`` as it is, where it is a finite and non-empty matrix."""
    if x.ndim != 2 or x.size == 0:
        raise UsageError(f"expected features of shape (nodes, width), both at least 1, and got {x.shape}")
    if not np.isfinite(x).all():
        raise UsageError("the features hold NaN or infinity (a diverged run?): lower the learning rate and train again")
    return x


def _widen(points: Points, width: int) -> Points:
    return np.pad(points, ((0, 0), (0, width - points.shape[1])))


def _rounding(points: Points) -> float:
    """A norm below which centred points are all one point, up to rounding."""
    return float(np.linalg.norm(points)) * 1e-12
