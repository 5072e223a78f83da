"""The losses on a handful of nodes, for sliders to move: NumPy in float64, small enough to be read beside the formula.

The losses that train are in :mod:`workbench.methods`; these are the same numbers, written once more as plainly as can
be. What a toy starts from (a few nodes, layers or classes) is made here too, always the same.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LAPLACE_WIDTH = 100.0  # of the kernel in the public code of LSP
EDGE_KERNELS = ("rbf", "l2", "poly", "linear", "laplace", "cosine")
PAIR_KERNELS = ("cosine", "poly", "l2", "rbf")


def softmax(scores: Array, temperature: float = 1.0) -> Array:
    """Rows of scores (…, m) as distributions."""
    shifted = scores / temperature
    powers = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    found: Array = powers / powers.sum(axis=-1, keepdims=True)
    return found


def divergence(p: Array, q: Array) -> Array:
    """KL(p ‖ q) of rows (…, m) that are distributions, in nats; what p holds for impossible counts nothing."""
    tiny = np.finfo(np.float64).tiny
    terms = np.where(p > 0, p * (np.log(np.maximum(p, tiny)) - np.log(np.maximum(q, tiny))), 0.0)
    found: Array = terms.sum(axis=-1)
    return found


def unit_rows(features: Array) -> Array:
    """Rows (n, d) of length one; a row of zeros stays."""
    length = np.sqrt((features**2).sum(axis=1, keepdims=True))
    found: Array = features / np.where(length == 0, 1.0, length)
    return found


# Soft labels: KD, GLNN, label smoothing.


def soft_label_loss(student: Array, teacher: Array, temperature: float = 1.0) -> float:
    """T² · KL(teacher ‖ student) of logits (C,) of one node; GLNN's at T = 1."""
    return float(temperature**2 * divergence(softmax(teacher, temperature), softmax(student, temperature)))


def cross_entropy(logits: Array, label: int) -> float:
    """−log of the probability of the true class, of logits (C,)."""
    return float(-np.log(softmax(logits)[label]))


def uniform_cross_entropy(logits: Array) -> float:
    """The cross-entropy of logits (C,) against 1/C each."""
    return float(-np.log(softmax(logits)).mean())


def teacher_logits() -> Array:
    """Of five classes: sure of the first one, with an opinion on the others."""
    return np.array([6.0, 3.5, 1.5, 0.5, -1.0])


def student_logits(knows: float) -> Array:
    """Between a student that is wrong (0) and one that says what its teacher says (1)."""
    return (1 - knows) * np.array([1.0, 1.6, 0.4, 2.2, 0.3]) + knows * teacher_logits()


# Features: FitNet, attention transfer.


def hint_loss(student: Array, teacher: Array) -> float:
    """FitNet on projected features (n, d): the mean over nodes and dimensions of rows of length one."""
    return float(((unit_rows(student) - unit_rows(teacher)) ** 2).mean())


def turned(features: Array, degrees: float, length: float = 1.0) -> Array:
    """Points (n, 2) turned about the origin and made ``length`` times as long."""
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return length * features @ turn


def hint_features() -> Array:
    """Six nodes in the plane, at several lengths."""
    angles = np.radians([10.0, 35.0, 55.0, 110.0, 150.0, 170.0])
    lengths = np.array([1.4, 0.8, 1.9, 1.1, 1.7, 0.9])
    return np.stack([lengths * np.cos(angles), lengths * np.sin(angles)], axis=1)


def activation_map(features: Array, p: int = 2) -> Array:
    """Σ_c |f_ic|^p of features (n, d), of length one over the nodes: (n,)."""
    return unit_rows((np.abs(features) ** p).sum(axis=1)[None])[0]


def attention_loss(student: Array, teacher: Array, p: int = 2) -> float:
    """Attention transfer: the mean over nodes of the squared difference of both maps."""
    return float(((activation_map(student, p) - activation_map(teacher, p)) ** 2).mean())


def excited_nodes(factor: float) -> tuple[Array, Array]:
    """Features of a teacher (6, 4) and of a student (6, 2) whose fourth node is ``factor`` times as active."""
    rng = np.random.default_rng(4)
    teacher, student = np.abs(rng.normal(size=(6, 4))), np.abs(rng.normal(size=(6, 2)))
    student[3] *= factor
    return teacher, student


# Structure: LSP, GSP.


def star() -> Array:
    """Positions (5, 2) of a centre and its four neighbours A, B, C, D."""
    return np.array([[0.4, 0.3], [1.0, 0.8], [-0.5, 1.0], [-0.6, -0.5], [1.3, -0.7]])


def dragged(across: float) -> Array:
    """The star with neighbour A at another place: (5, 2)."""
    points = star()
    points[1, 0] = across
    return points


def local_divergence(across: float, kernel: str = "rbf", sigma: float = 1.0, student_first: bool = True) -> float:
    """LSP's KL of the star's centre, teacher as it is and student with neighbour A dragged."""
    student, teacher = (neighbour_distribution(points, kernel, sigma) for points in (dragged(across), star()))
    return float(divergence(student, teacher) if student_first else divergence(teacher, student))


def neighbour_distribution(points: Array, kernel: str = "rbf", sigma: float = 1.0) -> Array:
    """LSP's distribution of the first node of points (n, d) over all others: (n − 1,)."""
    centre, others = points[0], points[1:]
    gap = others - centre
    match kernel:
        case "rbf":
            scores = np.exp(-(gap**2).sum(axis=1) / (2 * sigma**2))
        case "l2":
            scores = (gap**2).sum(axis=1)
        case "poly":
            scores = (others @ centre) ** 2
        case "linear":
            scores = others @ centre
        case "laplace":
            scores = np.exp(-np.abs(gap).sum(axis=1) / LAPLACE_WIDTH)
        case "cosine":
            scores = unit_rows(others) @ unit_rows(centre[None])[0]
        case _:
            raise ValueError(f"no kernel {kernel!r}: {', '.join(EDGE_KERNELS)}")
    return softmax(scores)


def similarity_matrix(features: Array, kernel: str = "cosine") -> Array:
    """GSP's similarity of every pair of rows: (n, d) -> (n, n)."""
    square = ((features[:, None] - features[None]) ** 2).sum(axis=2)
    match kernel:
        case "cosine" | "poly":
            rows = unit_rows(features)
            return (rows @ rows.T) ** (2 if kernel == "poly" else 1)
        case "l2":
            return np.asarray(np.sqrt(square))
        case "rbf":
            return np.asarray(np.exp(-square / 2))
    raise ValueError(f"no kernel {kernel!r}: {', '.join(PAIR_KERNELS)}")


def gram_identity(student: Array, teacher: Array) -> float:
    """GSP of the cosine kernel without a matrix of all pairs: (‖SᵀS‖² − 2‖SᵀT‖² + ‖TᵀT‖²) / n²."""
    s, t = unit_rows(student), unit_rows(teacher)
    energies = [float(((a.T @ b) ** 2).sum()) for a, b in ((s, s), (s, t), (t, t))]
    return (energies[0] - 2 * energies[1] + energies[2]) / len(s) ** 2


def groups(noise: float, nodes: int = 9) -> tuple[Array, Array]:
    """Three groups of nodes: a teacher's features (n, 5), and a student's (n, 3), a noisy projection of them."""
    rng = np.random.default_rng(1)
    teacher = np.repeat(rng.normal(size=(3, 5)) * 1.5, -(-nodes // 3), axis=0)[:nodes] + 0.5 * rng.normal(
        size=(nodes, 5)
    )
    basis = np.linalg.svd(teacher, full_matrices=False)[2][:3].T  # the three directions that hold most of it
    return teacher, teacher @ basis + noise * rng.normal(size=(nodes, 3))


# Contrast: G-CRD.


def contrast_scores(student: Array, teacher: Array) -> Array:
    """Cosines of every student row with every teacher row: (n, d) twice -> (n, n)."""
    found: Array = unit_rows(student) @ unit_rows(teacher).T
    return found


def contrast_loss(cosines: Array, temperature: float) -> float:
    """Mean over nodes of −log of the probability of a node's own teacher row, of cosines (n, n)."""
    return float(-np.log(np.diagonal(softmax(cosines, temperature))).mean())


def contrasted_nodes(nodes: int, noise: float) -> tuple[Array, Array]:
    """Features (n, 8) of a student and of its teacher; ``noise`` is what the student's add to them."""
    rng = np.random.default_rng(7)
    teacher, off = rng.normal(size=(24, 8))[:nodes], rng.normal(size=(24, 8))[:nodes]
    return teacher + noise * off, teacher
