"""Graphs with several types of nodes; kept apart from the datasets, which are listed without torch."""
