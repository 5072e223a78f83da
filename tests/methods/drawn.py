"""What hypothesis draws: features of the same nodes in two models, multigraphs among them, and whole toys."""

import numpy as np
import torch
from hypothesis import strategies as st
from toys import Toy, masked_batch, random_output


@st.composite
def two_embeddings(draw_from, same_width=False, most_nodes=8):
    """Student and teacher features of the same nodes, in which some rows are zero and some coincide."""
    nodes, width = draw_from(st.integers(1, most_nodes)), draw_from(st.integers(1, 5))
    widths = (width, width if same_width else draw_from(st.integers(1, 5)))
    rng = np.random.default_rng(draw_from(st.integers(0, 10**6)))
    found = [rng.normal(size=(nodes, w)) for w in widths]
    for features in found:
        features[rng.random(nodes) < 0.2] = 0
        features[rng.integers(nodes)] = features[rng.integers(nodes)]
    return found


@st.composite
def edges_among(draw_from, nodes, fewest=0):
    """A multigraph: self-loops, duplicates and isolated nodes included; perhaps no edge at all."""
    pairs = draw_from(st.lists(st.tuples(*[st.integers(0, nodes - 1)] * 2), min_size=fewest, max_size=20))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T


@st.composite
def graphs_among(draw_from, nodes, fewest=0):
    """Such a multigraph, directed as it comes or with the reverse of every edge, as often as the edge."""
    edges = draw_from(edges_among(nodes, fewest))
    return np.concatenate([edges, edges[::-1]], axis=1) if draw_from(st.booleans()) else edges


@st.composite
def drawn_toys(draw_from):
    """Three to seven nodes, one to three hidden layers of any widths in both models, and a multigraph among the nodes.

    Every second node is trained on; at least two of these are linked.
    """
    nodes, classes = draw_from(st.integers(3, 7)), draw_from(st.integers(1, 4))
    widths = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)
    generator = torch.Generator().manual_seed(draw_from(st.integers(0, 10**6)))
    teacher, student = (random_output(nodes, draw_from(widths), classes, generator) for _ in range(2))
    edges = np.concatenate([draw_from(graphs_among(nodes)), [[0], [2]]], axis=1)
    return Toy(masked_batch(torch.from_numpy(edges), torch.arange(nodes) % 2 == 0, generator), teacher, student)
