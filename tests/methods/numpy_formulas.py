"""Every loss once more, in float64 NumPy with loops over nodes, edges and pairs, to compare with."""

import math

import numpy as np


def log_softmax(scores):
    scores = np.asarray(scores, dtype=np.float64)
    shifted = scores - scores.max()
    return shifted - math.log(np.exp(shifted).sum())


def kl(log_p, log_q):
    return sum(math.exp(p) * (p - q) for p, q in zip(log_p, log_q, strict=True))


def unit(row):
    length = math.sqrt(float(np.dot(row, row)))
    return row / length if length else row


def slope_along(loss, at, direction, step=1e-5):
    """Central difference of ``loss`` at ``at``.

    A kink that looks the same from both sides, as that of a length at zero, counts as flat; the error is then of the
    order of the step and not of its square.
    """
    return (loss(at + step * direction) - loss(at - step * direction)) / (2 * step)


def kd(student, teacher, temperature=4.0, convention="paper"):
    rows = [
        kl(log_softmax(t / temperature), log_softmax(s / temperature)) for s, t in zip(student, teacher, strict=True)
    ]
    entries = student.shape[0] if convention == "paper" else student.size
    return temperature**2 * sum(rows) / entries


def multilabel_kd(student, teacher, temperature=1.0):
    total = 0.0
    for z, t in zip(student.ravel(), teacher.ravel(), strict=True):
        target, p = 1 / (1 + math.exp(-t / temperature)), 1 / (1 + math.exp(-z))
        total -= target * math.log(p) + (1 - target) * math.log(1 - p)
    return total / student.size


def glnn(student, teacher):
    return kd(student, teacher, temperature=1.0)


def label_smoothing(student):
    """Cross-entropy of each node against the distribution that gives every class the same."""
    uniform = 1 / student.shape[1]
    return -sum(uniform * log_p for row in student for log_p in log_softmax(row)) / len(student)


def link_distribution(student, teacher, temperature=1.0, known=None):
    """The mean over rows with two known candidates or more; without ``known``, over all rows."""
    rows = []
    for place, (s, t) in enumerate(zip(student, teacher, strict=True)):
        kept = [v for v in range(len(s)) if known is None or known[place][v]]
        if known is None or len(kept) > 1:
            rows.append(kl(log_softmax(t[kept] / temperature), log_softmax(s[kept] / temperature)))
    return sum(rows) / len(rows) if rows else 0.0


def link_probability(student, teacher, temperature=1.0, known=None):
    """The mean over all pairs, or over the known ones."""
    pairs = []
    for place in np.ndindex(student.shape):
        if known is None or known[place]:
            z = [scores[place] / temperature for scores in (student, teacher)]
            q, p = (1 / (1 + math.exp(-score)) for score in z)
            no_q, no_p = (1 / (1 + math.exp(score)) for score in z)  # one less them, with all digits
            pairs.append(p * math.log(p / q) + no_p * math.log(no_p / no_q))
    return sum(pairs) / len(pairs) if pairs else 0.0


def fitnet(student, teacher):
    return sum(((unit(s) - unit(t)) ** 2).sum() for s, t in zip(student, teacher, strict=True)) / student.size


def attention_transfer(student, teacher, p=2):
    maps = [unit(np.array([sum(abs(c) ** p for c in row) for row in f])) for f in (student, teacher)]
    return sum((a - b) ** 2 for a, b in zip(*maps, strict=True)) / len(student)


def edge_similarity(a, b, kernel, sigma=1.0):
    gap = a - b
    return {
        "rbf": lambda: math.exp(-float(gap @ gap) / (2 * sigma**2)),
        "l2": lambda: float(gap @ gap),
        "poly": lambda: float(a @ b) ** 2,
        "linear": lambda: float(a @ b),
        "laplace": lambda: math.exp(-np.abs(gap).sum() / 100),
        "cosine": lambda: float(unit(a) @ unit(b)),
        "cosine_squared": lambda: float(unit(a) @ unit(b)) ** 2,
        "l2_norm": lambda: math.sqrt(float(gap @ gap)),
    }[kernel]()


def lsp(
    student, teacher, edges, kernel="rbf", sigma=1.0, direction="student_teacher", num_nodes=None, convention="paper"
):
    total = 0.0
    for centre in range(len(student)):
        neighbours = [j for j, i in edges.T if i == centre]
        if not neighbours:
            continue
        log_s, log_t = (
            log_softmax([edge_similarity(f[centre], f[j], kernel, sigma) for j in neighbours])
            for f in (student, teacher)
        )
        total += kl(log_s, log_t) if direction == "student_teacher" else kl(log_t, log_s)
    return total / ((num_nodes or len(student)) if convention == "paper" else max(edges.shape[1], 1))


def pair_kernel(a, b, kernel):
    gap = a - b
    return {
        "cosine": lambda: float(unit(a) @ unit(b)),
        "poly": lambda: float(unit(a) @ unit(b)) ** 2,
        "l2": lambda: math.sqrt(float(gap @ gap)),
        "rbf": lambda: math.exp(-float(gap @ gap) / 2),
    }[kernel]()


def gsp(student, teacher, kernel="cosine"):
    n = len(student)
    pairs = [(i, j) for i in range(n) for j in range(n)]
    return (
        sum(
            (pair_kernel(student[i], student[j], kernel) - pair_kernel(teacher[i], teacher[j], kernel)) ** 2
            for i, j in pairs
        )
        / n**2
    )


def gcrd(student, teacher, temperature=0.075):
    scores = [[float(unit(s) @ unit(t)) / temperature for t in teacher] for s in student]
    return -sum(log_softmax(row)[i] for i, row in enumerate(scores)) / len(student)


def abkd_attention(teacher_pooled, student_pooled):
    width = len(teacher_pooled[0])
    return np.array([np.exp(log_softmax([t @ s / math.sqrt(width) for s in student_pooled])) for t in teacher_pooled])


def abkd_dissimilarity(teacher, student, pool="node"):
    def pair(t, s):
        if pool == "graph":
            return ((t.mean(0) - s.mean(0)) ** 2).sum()
        return sum(((a - b) ** 2).sum() for a, b in zip(t, s, strict=True)) / len(t)

    return np.array([[pair(t, s) for s in student] for t in teacher])


def abkd(attention, dissimilarity):
    total = 0.0
    for a_row, d_row in zip(attention, dissimilarity, strict=True):
        total += np.mean([a * d for a, d in zip(a_row, d_row, strict=True)])
    return total / len(attention)


def linear(weight, bias, features):
    return np.array([weight @ row + bias for row in features])


def batch_norm_relu(features, gain, shift, eps=1e-5):
    mean, variance = features.mean(0), features.var(0)
    return np.maximum((features - mean) / np.sqrt(variance + eps) * gain + shift, 0)


def graph_convolution(weight, bias, features, edges):
    """Symmetric normalisation with one self-loop at every node."""
    adjacency = np.eye(len(features))
    for j, i in edges.T:
        adjacency[i, j] += i != j
    degree = adjacency.sum(1)
    return np.diag(degree**-0.5) @ adjacency @ np.diag(degree**-0.5) @ features @ weight.T + bias


def normalised(features, how):
    if how == "row":
        return np.array([unit(row) for row in features])
    scale = {"none": 1.0, "max": np.abs(features).max(), "l2": math.sqrt((features**2).sum() / len(features))}[how]
    return features / scale
