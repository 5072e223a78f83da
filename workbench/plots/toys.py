"""The pictures of the toys: what their sliders say in, one Plotly figure out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.analysis import layer_toys, toys
from workbench.plots import theme
from workbench.plots.toy_panels import Array, add_bars, add_matrix, finished, panels

CLASSES = ("cat", "lynx", "dog", "wolf", "horse")
NEIGHBOURS = ("A", "B", "C", "D")
NODES = ("A", "B", "C", "D", "E", "F")
CANDIDATES = ("old friend", "new friend", "family", "passer-by", "colleague", "stranger")
TEMPERATURES = np.geomspace(0.5, 20, 60)


def soft_labels(temperature: float = 4.0, knows: float = 0.3) -> go.Figure:
    """KD: class probabilities at a temperature, and its loss at all of them."""
    teacher, student = toys.teacher_logits(), toys.student_logits(knows)
    figure = panels((f"Probabilities at T = {temperature:g}", "The loss at every T"), [0.62, 0.38])
    add_bars(figure, CLASSES, toys.softmax(teacher, temperature), toys.softmax(student, temperature))
    curve = np.array([toys.soft_label_loss(student, teacher, t) for t in TEMPERATURES])
    for name, values, colour, dash in (
        ("T² · KL", curve, theme.PALETTE[2], "solid"),
        ("KL alone", curve / TEMPERATURES**2, theme.PALETTE[3], "dash"),
    ):
        line = {"color": colour, "dash": dash, "width": 3}
        hover = f"{name} at T = %{{x:.1f}}: %{{y:.3f}}<extra></extra>"
        figure.add_trace(
            go.Scatter(x=TEMPERATURES, y=values, name=name, mode="lines", line=line, hovertemplate=hover), row=1, col=2
        )
    figure.add_vline(x=temperature, line={"color": theme.PALETTE[7], "dash": "dot"}, row=1, col=2)
    figure.update_yaxes(title="probability", range=[0, 1.08], row=1, col=1)
    figure.update_xaxes(title="class", row=1, col=1)
    figure.update_xaxes(title="temperature T", type="log", tickvals=[0.5, 1, 2, 4, 8, 16], row=1, col=2)
    figure.update_yaxes(title="nats", rangemode="tozero", row=1, col=2)
    return finished(figure)


def label_terms(terms: Sequence[tuple[str, float, float]], target: Array, knows: float, whose: str) -> go.Figure:
    """GLNN and label smoothing: a target beside the student's probabilities, and terms as (name, weight, value)."""
    figure = panels((f"{whose} and student", "Weighted terms"), [0.62, 0.38])
    add_bars(figure, CLASSES, target, toys.softmax(toys.student_logits(knows)))
    figure.data[0].update(name=whose, hovertemplate=f"{whose}, %{{x}}: %{{y:.3f}}<extra></extra>")
    bars = go.Bar(
        x=[name for name, _, _ in terms],
        y=[weight * value for _, weight, value in terms],
        marker={"color": [theme.PALETTE[2], theme.PALETTE[3]]},
        text=[f"{weight:.2g} × {value:.2f}" for _, weight, value in terms],
        textposition="outside",
        cliponaxis=False,
        showlegend=False,
        hovertemplate="%{x}: %{y:.3f} nats<extra></extra>",
    )
    figure.add_trace(bars, row=1, col=2)
    figure.update_yaxes(title="probability", range=[0, 1.08], row=1, col=1)
    figure.update_xaxes(title="class", row=1, col=1)
    figure.update_xaxes(title="term", row=1, col=2)
    figure.update_yaxes(title="weight × value, nats", range=[0, 3.2], row=1, col=2)
    return finished(figure)


def all_labels(lam: float = 0.0, knows: float = 0.3) -> go.Figure:
    """GLNN: the teacher's probabilities, and how λ shares the loss between the labels and them."""
    student, teacher = toys.student_logits(knows), toys.teacher_logits()
    terms = [("labels", lam, toys.cross_entropy(student, 0))]
    terms.append(("teacher", 1 - lam, toys.soft_label_loss(student, teacher)))
    return label_terms(terms, toys.softmax(teacher), knows, "Teacher")


def smoothed_labels(epsilon: float = 0.1, knows: float = 0.3) -> go.Figure:
    """Label smoothing: the target of a node of the first class, and both terms."""
    student = toys.student_logits(knows)
    target = np.full(len(CLASSES), epsilon / len(CLASSES))
    target[0] += 1 - epsilon
    terms = [("label", 1 - epsilon, toys.cross_entropy(student, 0))]
    terms.append(("uniform", epsilon, toys.uniform_cross_entropy(student)))
    return label_terms(terms, target, knows, "Smoothed label")


def hints(degrees: float = 30.0, length: float = 1.0) -> go.Figure:
    """FitNet: features as they are, and at length one, where they are compared."""
    teacher = toys.hint_features()
    student = toys.turned(teacher, degrees, length)
    figure = panels(("Projected features", "At length one: what is compared"), spacing=0.1)
    for column, (of_teacher, of_student) in enumerate(
        ((teacher, student), (toys.unit_rows(teacher), toys.unit_rows(student))), start=1
    ):
        for pair in zip(of_teacher, of_student, strict=True):
            ends = np.stack(pair)
            gap = {"color": theme.PALETTE[7], "width": 1.5, "dash": "dot"}
            lines = go.Scatter(x=ends[:, 0], y=ends[:, 1], mode="lines", line=gap, showlegend=False, hoverinfo="skip")
            figure.add_trace(lines, row=1, col=column)
        _add_points(figure, of_teacher, of_student, NODES, column)
    circle = np.linspace(0, 2 * np.pi, 90)
    figure.add_trace(_outline(np.cos(circle), np.sin(circle)), row=1, col=2)
    reach = 1.15 * max(float(np.abs(student).max()), 2.0)
    for column, room in ((1, reach), (2, 1.3)):
        figure.update_xaxes(range=[-room, room], title="first dimension", row=1, col=column)
        figure.update_yaxes(range=[-room, room], row=1, col=column)
        figure.update_yaxes(scaleanchor="x" if column == 1 else "x2", constrain="domain", row=1, col=column)
    figure.update_yaxes(title="second dimension", row=1, col=1)
    return finished(figure)


def activations(factor: float = 1.0, p: int = 2) -> go.Figure:
    """AT: how active every node is, and the same at length one over the nodes."""
    teacher, student = toys.excited_nodes(factor)
    figure = panels(("Activation of every node", "At length one over the nodes"))
    add_bars(figure, NODES, (np.abs(teacher) ** p).sum(axis=1), (np.abs(student) ** p).sum(axis=1))
    of_teacher, of_student = toys.activation_map(teacher, p), toys.activation_map(student, p)
    add_bars(figure, NODES, of_teacher, of_student, column=2, legend=False)
    figure.update_traces(textfont_size=theme.FONT - 4)
    figure.update_yaxes(title=f"Σ |f|{'²' if p == 2 else ''}", row=1, col=1)
    figure.update_yaxes(title="share of the length", range=[0, 1.1], row=1, col=2)
    figure.update_xaxes(title="node")
    return finished(figure)


def local_structure(across: float = 2.2, kernel: str = "rbf", sigma: float = 1.0) -> go.Figure:
    """LSP: five nodes with one of them dragged, and the distribution of their centre over its neighbours."""
    teacher, student = toys.star(), toys.dragged(across)
    figure = panels(("Five nodes", "The centre's distribution"), [0.48, 0.52])
    for points, colour, dash in ((teacher, theme.TEACHER, "solid"), (student, theme.STUDENT, "dot")):
        ends = np.stack([np.repeat(points[:1], 4, axis=0), points[1:], np.full((4, 2), np.nan)], axis=1).reshape(-1, 2)
        line = {"color": colour, "width": 2, "dash": dash}
        edges = go.Scatter(x=ends[:, 0], y=ends[:, 1], mode="lines", line=line, showlegend=False, hoverinfo="skip")
        figure.add_trace(edges, row=1, col=1)
    _add_points(figure, teacher, student, ("centre", *NEIGHBOURS), 1, legend=False)
    of_teacher, of_student = (toys.neighbour_distribution(points, kernel, sigma) for points in (teacher, student))
    add_bars(figure, NEIGHBOURS, of_teacher, of_student, column=2)
    figure.update_xaxes(title="first feature", range=[-3.4, 3.4], row=1, col=1)
    figure.update_yaxes(title="second feature", range=[-1.4, 1.7], row=1, col=1)
    figure.update_xaxes(title="neighbour", row=1, col=2)
    figure.update_yaxes(title="probability", range=[0, 1.08], row=1, col=2)
    return finished(figure)


def all_pairs(noise: float = 0.3, kernel: str = "cosine") -> go.Figure:
    """GSP: the similarity of all pairs in the teacher, in the student, and their squared difference."""
    teacher, student = (toys.similarity_matrix(features, kernel) for features in toys.groups(noise))
    figure = panels(("Teacher", "Student", "Squared difference"), spacing=0.07)
    names = [str(number) for number in range(1, len(teacher) + 1)]
    low = -1.0 if kernel == "cosine" else 0.0
    high = max(1.0, float(teacher.max()), float(student.max())) if kernel == "l2" else 1.0
    for column, values in enumerate((teacher, student), start=1):
        add_matrix(figure, values, column, names, names, (low, high))
    gaps = (student - teacher) ** 2
    add_matrix(figure, gaps, 3, names, names, (0.0, max(float(gaps.max()), 0.5)))
    return _square(figure, "node", "node")


def contrast(temperature: float = 0.075, noise: float = 1.0, nodes: int = 8) -> go.Figure:
    """G-CRD: cosines of student with teacher features, and which teacher node each student node takes for its own."""
    cosines = toys.contrast_scores(*toys.contrasted_nodes(nodes, noise))
    figure = panels(("Cosine", f"Probability at τ = {temperature:g}"))
    names = [str(number) for number in range(1, nodes + 1)]
    add_matrix(figure, cosines, 1, names, names, (-1.0, 1.0))
    add_matrix(figure, toys.softmax(cosines, temperature), 2, names, names)
    return _square(figure, "teacher's node", "student's node")


def layer_pairs(alignment: float = 0.5, scale: float = 1.0) -> go.Figure:
    """ABKD: the attention of teacher layers to student layers, their dissimilarity, and the product of both."""
    teacher, student = layer_toys.paired_layers(alignment, scale)
    attention = layer_toys.layer_attention(teacher.mean(axis=1), student.mean(axis=1))
    apart = layer_toys.layer_dissimilarity(teacher, student)
    figure = panels(("Attention A", "Dissimilarity D", "A · D"), spacing=0.09)
    rows = [f"t{number}, Σ {row.sum():.2f}" for number, row in enumerate(attention, start=1)]
    plain = [f"t{number}" for number in range(1, len(attention) + 1)]
    columns = [f"s{number}" for number in range(1, attention.shape[1] + 1)]
    for column, (values, high) in enumerate(((attention, 1.0), (apart, 4.0), (attention * apart, 2.0)), start=1):
        add_matrix(figure, values, column, rows if column == 1 else plain, columns, (0.0, high))
    figure.update_xaxes(title="student layer")
    figure.update_yaxes(title="teacher layer", row=1, col=1)
    return finished(figure, legend=False)


def candidates(temperature: float = 1.0, lag: float = 1.0, knows: float = 0.8) -> go.Figure:
    """Distill2Vec: whom one node is believed to link to, over time, in teacher and student, and the KL of each time."""
    teacher, student = layer_toys.candidate_scores(lag, knows)
    figure = panels(("Teacher", "Student", "KL over time"), [0.38, 0.38, 0.24], spacing=0.06)
    times = [str(time) for time in range(len(teacher))]
    for column, scores in enumerate((teacher, student), start=1):
        add_matrix(figure, toys.softmax(scores, temperature).T, column, CANDIDATES, times)
        figure.update_traces(textfont_size=theme.FONT - 5, selector={"type": "heatmap"})
    figure.update_yaxes(title="candidate", row=1, col=1)
    figure.update_yaxes(showticklabels=False, row=1, col=2)
    apart = layer_toys.candidate_divergence(student, teacher, temperature)
    hover = "snapshot %{x}: %{y:.3f} nats<extra></extra>"
    bars = go.Bar(x=times, y=apart, marker={"color": theme.PALETTE[2]}, hovertemplate=hover)
    figure.add_trace(bars, row=1, col=3)
    figure.update_yaxes(title="nats", range=[0, max(0.5, 1.1 * float(apart.max()))], row=1, col=3)
    figure.update_xaxes(title="snapshot", type="category")
    return finished(figure, legend=False)


def _add_points(
    figure: go.Figure, teacher: Array, student: Array, names: Sequence[str], column: int, legend: bool | None = None
) -> None:
    looks = (("Teacher", teacher, theme.TEACHER, "circle"), ("Student", student, theme.STUDENT, "diamond"))
    for who, points, colour, symbol in looks:
        dots = go.Scatter(
            x=points[:, 0],
            y=points[:, 1],
            mode="markers+text" if who == "Student" else "markers",
            text=list(names),
            textposition="top center",
            marker={"color": colour, "symbol": symbol, "size": 13 if who == "Teacher" else 11},
            name=who,
            showlegend=column == 1 if legend is None else legend,
            hovertemplate=f"{who}, %{{text}}: %{{x:.2f}}, %{{y:.2f}}<extra></extra>",
        )
        figure.add_trace(dots, row=1, col=column)


def _outline(x: Array, y: Array) -> go.Scatter:
    line = {"color": theme.PALETTE[7], "width": 1}
    return go.Scatter(x=x, y=y, mode="lines", line=line, showlegend=False, hoverinfo="skip")


def _square(figure: go.Figure, across: str, down: str) -> go.Figure:
    figure.update_xaxes(title=across, constrain="domain")
    figure.update_yaxes(title=down, row=1, col=1)
    return finished(figure, legend=False)
