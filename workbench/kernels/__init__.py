"""Fast arithmetic on edges, on pairs of nodes and along a graph: tensors in, tensors out."""
