"""What a method is: a config that adds up, and the objective module that it builds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from workbench.datasets.base import Task
from workbench.errors import UsageError
from workbench.options import Component, Option

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output

Nodes = Literal["train", "all"]
PREPARED = "workbench_split_nodes"  # the attribute of a graph that holds its SplitNodes
SEEDS, TRAIN_AROUND = "seeds", "train around"  # in the SplitNodes of a mini-batch that has neighbours beside its nodes
Terms = dict[str, Tensor]
CLASSIFICATION: frozenset[Task] = frozenset({"node classification", "graph classification"})

DECIDED_ALL_NODES = (
    "The loss is taken on all nodes of a transductive graph by default; the G-CRD code takes every loss on training "
    "nodes, which nodes='train' does. Of many graphs it is taken on the nodes of all graphs of a mini-batch together."
)


@dataclass(frozen=True)
class Paper:
    """Where a method comes from."""

    title: str
    authors: str
    year: int
    venue: str
    url: str


@dataclass(frozen=True)
class Widths:
    """Sizes of a model's outputs: ``hidden`` widths of every hidden layer, ``out`` number of logits."""

    hidden: tuple[int, ...]
    out: int

    @classmethod
    def of(cls, output: Output) -> Widths:
        return cls(tuple(h.shape[1] for h in output.hidden), output.logits.shape[1])

    @property
    def layers(self) -> tuple[int, ...]:
        """Hidden widths and, last, the logits."""
        return (*self.hidden, self.out)


class Objective(nn.Module):
    """A method, built for one teacher and one student, with its trainable projectors.

    The loop minimises ``sum(weights[name] * terms[name])``; the term ``task`` (weight 1 unless a
    method says otherwise) is the loss on the labels, which the loop adds itself.
    """

    def targets(self, teacher: Output, batch: Data) -> Any:
        """Everything free of parameters that depends on the frozen teacher only; computed once.

        Returns a tensor, or a (nested) tuple, list or dict of tensors and plain values.
        """
        return None

    def forward(self, student: Output, targets: Any, batch: Data) -> Terms:
        """Named, unweighted, scalar terms."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(student, targets, batch)")

    def weights(self) -> dict[str, float]:
        """Weight of every term of ``forward``, and of ``task`` where the method rescales it."""
        raise NotImplementedError(f"{type(self).__name__} must define weights()")

    def pictures(self) -> dict[str, Tensor]:
        """What the last ``forward`` shows a person (ABKD's map, say); stored per kept epoch."""
        return {}


class Method(Component):
    """A distillation objective as data. Subclasses add options, ``paper`` and ``build``."""

    paper: ClassVar[Paper | None] = None  # None only for what is no published method
    formula: ClassVar[str] = ""  # LaTeX, shown in help and cards
    decisions: ClassVar[tuple[str, ...]] = ()  # what the papers leave open and we decided, for people to read
    needs: ClassVar[frozenset[str]] = frozenset()  # of {"logits", "hidden", "edges"}
    sets_task: ClassVar[bool] = False  # whether weights() rescales "task"
    control: ClassVar[bool] = False  # whether it is no distillation: the teacher is not used
    tasks: ClassVar[frozenset[Task]] = frozenset({"node classification"})  # where it can be used

    def build(self, teacher: Widths, student: Widths) -> Objective:
        """The objective for models of these widths; raises UsageError where they do not fit."""
        raise NotImplementedError(f"{type(self).__name__} must define build(teacher, student)")

    def in_sum(self) -> Method:
        """This method as a part of a sum (a default that is different there is filled in here)."""
        return self

    def __add__(self, other: Method | Sum) -> Sum:
        return Sum((self,)) + other


class Sum(tuple[Method, ...]):
    """Several methods at once: ``KD() + GCRD()``. A tuple of methods that adds up and builds."""

    def __new__(cls, parts: Iterable[Method]) -> Sum:
        parts = tuple(parts)
        if not parts:
            raise UsageError("a method is missing: give at least one, or 'none' for the student alone")
        if len(parts) > 1:
            parts = tuple(part.in_sum() for part in parts)
        names = [part.name for part in parts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UsageError(f"method {twice[0]!r} stands twice in {'+'.join(names)}: name it once")
        rescaling = [part.name for part in parts if part.sets_task]
        if len(rescaling) > 1:
            raise UsageError(
                f"{' and '.join(rescaling)} both set the weight of the task loss; a sum may hold one of them"
            )
        return super().__new__(cls, parts)

    def __add__(self, other: Method | tuple[Method, ...]) -> Sum:  # type: ignore[override]
        return Sum((*self, *((other,) if isinstance(other, Method) else other)))

    @property
    def name(self) -> str:
        return "+".join(part.name for part in self)

    def build(self, teacher: Widths, student: Widths) -> SumObjective:
        return SumObjective({part.name: part.build(teacher, student) for part in self})


class SumObjective(Objective):
    """The objectives of a sum side by side; their terms keep their own names.

    Losses are taken in float32 at least, also when the models run in half precision: a difference of
    two nearly equal outputs is what they are about. Targets carry no gradient to the teacher.
    """

    def __init__(self, parts: dict[str, Objective]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(parts)

    def _objectives(self) -> list[tuple[str, Objective]]:
        return [(name, part) for name, part in self.parts.items() if isinstance(part, Objective)]

    @torch.no_grad()
    def targets(self, teacher: Output, batch: Data) -> dict[str, Any]:
        teacher = _at_least_float32(teacher.detach())
        return {name: part.targets(teacher, batch) for name, part in self._objectives()}

    def forward(self, student: Output, targets: Any, batch: Data) -> Terms:
        terms: Terms = {}
        with torch.autocast(student.logits.device.type, enabled=False):
            student = _at_least_float32(student)
            for name, part in self._objectives():
                found = part(student, targets[name], batch)
                if twice := found.keys() & {"task", *terms}:
                    raise UsageError(f"method {name!r} gives a term {min(twice)!r} that exists already: rename it")
                terms |= found
        return terms

    def weights(self) -> dict[str, float]:
        found = {"task": 1.0}
        for _, part in self._objectives():
            found |= part.weights()
        return found

    def pictures(self) -> dict[str, Tensor]:
        return {f"{name}-{key}": value for name, part in self._objectives() for key, value in part.pictures().items()}


def _at_least_float32(output: Output) -> Output:
    half = (torch.float16, torch.bfloat16)
    logits, *hidden = [h.float() if h.dtype in half else h for h in (output.logits, *output.hidden)]
    return replace(output, logits=logits, hidden=hidden)


def nodes_option() -> Any:
    """The option ``nodes`` of a method: where its loss is taken."""
    return Option("all", help="Where the loss is taken: all nodes, or training nodes only.", advanced=True)


def last_hidden(output: Output) -> Tensor:
    """The features that most methods compare: the last hidden layer (N, d)."""
    return output.hidden[-1]


def last_hidden_widths(method: str, teacher: Widths, student: Widths) -> tuple[int, int]:
    """Widths of both last hidden layers; raises UsageError for a model without one."""
    for role, widths in (("teacher", teacher), ("student", student)):
        if not widths.hidden:
            raise UsageError(
                f"{method} compares hidden layers and this {role} has none: give it at least two layers, "
                f"or wrap(module, layers=[…]) with the name of a hidden layer"
            )
    return teacher.hidden[-1], student.hidden[-1]


def check_same_classes(method: str, teacher: Widths, student: Widths) -> None:
    """Refuse models that predict different numbers of classes; raises UsageError."""
    if teacher.out != student.out:
        raise UsageError(
            f"{method} compares class probabilities: the teacher gives {teacher.out} logits and the student "
            f"{student.out}; both must predict the same classes"
        )


class SplitNodes(dict[str, Tensor]):
    """Indices (n,) of the nodes of a split, by its name; a type of its own, as a graph may carry anything."""


def prepared_nodes(batch: Data) -> SplitNodes:
    """The splits that ``tasks.with_split_nodes`` found for this graph: none of them for any other.

    They are found once per graph, because a mask makes the host wait for the device.
    """
    prepared = getattr(batch, PREPARED, None)
    return prepared if isinstance(prepared, SplitNodes) else SplitNodes()


def has_split(batch: Data) -> bool:
    """Whether the nodes of ``batch`` are split: a mini-batch of whole graphs is of one split only, in training that."""
    return bool(prepared_nodes(batch)) or getattr(batch, "train_mask", None) is not None


def has_independent_labels(batch: Data) -> bool:
    """Whether each of several labels holds or not (a matrix of numbers), where others have one class of several."""
    y = getattr(batch, "y", None)
    return isinstance(y, Tensor) and y.dim() == 2 and y.is_floating_point()


def chosen_nodes(batch: Data, nodes: Nodes) -> Tensor | None:
    """Indices (n,) of the nodes where a loss is taken; None stands for all of them.

    In a mini-batch that has neighbours beside its nodes, these are not among them. Raises UsageError for the training
    nodes of whole graphs, which have none.
    """
    if nodes == "all":
        return prepared_nodes(batch).get(SEEDS)
    if not has_split(batch):
        raise UsageError("nodes='train' chooses nodes of one graph, and whole graphs are classified here: use 'all'")
    prepared = prepared_nodes(batch)
    return prepared["train"] if "train" in prepared else batch.train_mask.nonzero().view(-1)


def nodes_with_neighbours(batch: Data, nodes: Nodes) -> tuple[Tensor | None, int | None]:
    """Indices (n,) of the nodes that a loss on edges reads, None for all of them, and over how many it is averaged.

    These are the same (None) but in a mini-batch that has neighbours beside its nodes: edges lead to its nodes only.
    """
    prepared = prepared_nodes(batch)
    if SEEDS not in prepared:
        return chosen_nodes(batch, nodes), None
    if nodes == "all":
        return None, prepared[SEEDS].numel()
    return prepared[TRAIN_AROUND], prepared["train"].numel()


def take(features: Tensor, index: Tensor | None) -> Tensor:
    """Rows ``index`` of ``features`` (N, d); all of them for None."""
    return features if index is None else features[index]


def sampled_nodes(num_nodes: int, at_most: int | None, device: torch.device) -> Tensor | None:
    """Indices (at_most,) of a random sample from torch's generator; None where all nodes fit."""
    if at_most is None or num_nodes <= at_most:
        return None
    return torch.randperm(num_nodes, device=device)[:at_most]


def chosen_hidden(output: Output, batch: Data, nodes: Nodes) -> Tensor:
    """The last hidden layer of the chosen nodes (n, d)."""
    return take(last_hidden(output), chosen_nodes(batch, nodes))


def chosen_edges(edge_index: Tensor, index: Tensor | None, num_nodes: int) -> Tensor:
    """Edges among the chosen nodes, relabelled to their positions in ``index``."""
    if index is None:
        return edge_index
    position = torch.full((num_nodes,), -1, dtype=torch.long, device=edge_index.device)
    position[index] = torch.arange(index.numel(), device=edge_index.device)
    edges = position[edge_index]  # (2, E), -1 for nodes outside
    return edges[:, (edges >= 0).all(0)]
