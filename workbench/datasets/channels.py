"""How wide the inputs of a model of many graphs are: features of nodes, and of edges where these have some."""

from __future__ import annotations


class Channels(int):
    """The width of the nodes' features: a whole number, that also knows the width ``edges`` of the edges' features.

    Features that are categories count as wide as there are categories: one column of zeros and ones for each.
    """

    edges: int

    def __new__(cls, nodes: int, edges: int = 0) -> Channels:
        found = super().__new__(cls, nodes)
        found.edges = edges
        return found

    def __reduce__(self) -> tuple[type[Channels], tuple[int, int]]:
        return Channels, (int(self), self.edges)


def edge_channels(in_channels: int) -> int:
    """The width of the edges' features; none where a plain number says how wide those of the nodes are."""
    return in_channels.edges if isinstance(in_channels, Channels) else 0
