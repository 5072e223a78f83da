"""How models are trained and, of snapshots, in which order: the settings of a spec that are no component."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from workbench.options import Config, Option, Search


class Training(Config):
    """How one model is trained. Validation selects the epoch; the test set is read once, at the end."""

    epochs: int = Option(400, help="At most this many passes over the graph.", ge=1, le=100_000)
    patience: int = Option(
        100,
        help="Stop after this many epochs without a better validation score; 0 never stops early.",
        ge=0,
        le=100_000,
    )
    learning_rate: float = Option(
        0.01, help="Step size of the optimiser.", gt=0, le=10, search=Search(1e-4, 0.05, log=True)
    )
    weight_decay: float = Option(
        5e-4, help="L2 penalty; 5e-5 for a student unless you set it.", ge=0, le=1, search=Search(1e-6, 1e-2, log=True)
    )
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = Option(
        "adam", help="The optimiser (SGD with momentum 0.9)."
    )
    gradient_clip: float | None = Option(
        None, help="Largest norm of the whole gradient; empty for no clipping.", gt=0, advanced=True
    )
    batch_size: int | None = Option(
        None,
        help="Nodes (of snapshots) or graphs (of many) in a mini-batch; empty takes all nodes at once, and 32 graphs. "
        "One graph is taken whole unless num_neighbors is given, and then by 1024 nodes.",
        ge=1,
        le=10_000_000,
        advanced=True,
    )
    num_neighbors: str | None = Option(
        None,
        help="Neighbours drawn for each node of a mini-batch of one graph, a number for every hop with commas between "
        "them (10,10), -1 for all; empty takes the graph whole.",
        advanced=True,
    )
    precision: Literal["float32", "bfloat16"] = Option(
        "float32", help="Number format of the forward pass; bfloat16 uses autocast.", advanced=True
    )
    deterministic: bool = Option(True, help="Use deterministic kernels where torch has them.", advanced=True)
    keep_every: int = Option(
        20,
        help="Store the student's picture every so many epochs, for the film; 0 stores none. On one graph only: of "
        "snapshots every step is stored, of point clouds no film.",
        ge=0,
        le=100_000,
        advanced=True,
    )
    lens_every: int = Option(
        10,
        help="Compare the direction of each distillation gradient of the student with that of the labels every so many "
        "epochs; 0 never does. Changes no result.",
        ge=0,
        le=100_000,
        advanced=True,
    )
    cuda_graph: bool = Option(
        False,
        help="Record an epoch as a CUDA graph and replay it: quicker on small graphs. Experimental; on CUDA, for "
        "nodes of one graph only.",
        advanced=True,
    )

    @field_validator("num_neighbors")
    @classmethod
    def _names_hops(cls, text: str | None) -> str | None:
        parts = None if text is None else [part.strip() for part in text.split(",")]
        if parts is not None and not all(part == "-1" or (part.isdecimal() and int(part) > 0) for part in parts):
            raise ValueError(f"a positive number for every hop, or -1 for all neighbours: 10,10 (got {text!r})")
        return None if parts is None else ",".join(parts)

    @property
    def fan_out(self) -> tuple[int, ...] | None:
        """``num_neighbors`` as numbers by hop, from the nodes of a mini-batch outwards."""
        return None if self.num_neighbors is None else tuple(int(part) for part in self.num_neighbors.split(","))


class Online(Config):
    """How a student follows a graph that changes. Its teacher is trained once, on the first snapshots, and frozen.

    At every later snapshot the student learns from the nodes and links that there are by then, and predicts the links
    of the next one: a fifth of them trains a logistic regression on its embeddings, a fifth selects, the rest tests.
    """

    predict: Literal["new", "all"] = Option(
        "new",
        help="Which links of the next snapshot are predicted: those that no earlier one has, or all of them; always "
        "between nodes that there are already.",
    )
    restart: bool = Option(
        False, help="Start the student anew at every snapshot, not from its weights of the one before."
    )
    last: int | None = Option(
        None, help="Number of the last snapshot (from 0) at which a student learns; empty for the last but one.", ge=0
    )
    plain: bool = Option(True, help="Train a student without distillation beside the other one, to compare.")
    walks: int = Option(10, help="Random walks from every node of a snapshot.", ge=1, le=1000, advanced=True)
    walk_length: int = Option(20, help="Nodes of a walk.", ge=2, le=1000, advanced=True)
    context: int = Option(
        10, help="How far apart in a walk a node and its context may stand.", ge=1, le=1000, advanced=True
    )
    positives: int = Option(
        10, help="Contexts drawn for every node and snapshot in an epoch.", ge=1, le=1000, advanced=True
    )
    negatives: int = Option(
        10,
        help="Nodes drawn beside them, with probability by degree^0.75, as what the node has no link to.",
        ge=1,
        le=1000,
        advanced=True,
    )
    negative_weight: float = Option(1.0, help="Weight of the negatives in the loss.", ge=0, le=100, advanced=True)
