"""Both models and the method, built and run once for trial before a run on one graph starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn

from workbench.datasets.hetero.features import HeteroFeatures
from workbench.datasets.measure import num_classes
from workbench.errors import UsageError, WorkbenchError
from workbench.methods.base import Widths
from workbench.models.base import Output
from workbench.runs.live import Live, with_encode
from workbench.runs.trained import count_parameters
from workbench.training.random_state import surroundings_kept

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import ModelConfig
    from workbench.spec import Spec

Role = Literal["teacher", "student"]

PROBE_NODES = 8
PROBE_PARAMETERS = 50_000_000  # a larger model is not built twice
PROBE_NUMBERS = (
    20_000_000  # a teacher's output larger than this is not imitated: targets are then first made in the run
)


def probe(spec: Spec, data: Data, live: Live) -> list[str]:
    """Build both models and the method once, and run a user's own modules; returns notes.

    Raises UsageError for anything that cannot work.
    """
    classes = num_classes(data)
    roles: list[Role] = ["teacher", "student"]
    sizes = [_parameters(spec, role, live, data, classes) for role in roles]
    if max(sizes) <= PROBE_PARAMETERS:
        with surroundings_kept():
            _probe(spec, data, [_outputs(spec, role, live, data, classes) for role in roles])
    return larger_student(*sizes)


def larger_student(teacher: int, student: int) -> list[str]:
    """The note for a student with more parameters than its teacher."""
    if student <= teacher:
        return []
    return [f"the student is larger than its teacher: {student:,} parameters against {teacher:,}"]


def _parameters(spec: Spec, role: Role, live: Live, data: Data, classes: int) -> int:
    module: nn.Module | None = getattr(live, role)
    if module is None:
        config: ModelConfig = getattr(spec, role)
        return config.count_parameters(data.num_features, classes)
    is_trained_here = role == "student" or live.train_teacher
    if is_trained_here and not any(p.requires_grad for p in module.parameters()):
        raise UsageError(f"your {role} has no parameter to train: set requires_grad, or pass train_teacher=False")
    return count_parameters(module)


def _outputs(spec: Spec, role: Role, live: Live, data: Data, classes: int) -> Output:
    """What a model gives: of our own on a handful of nodes, of a user's on the real graph."""
    module: nn.Module | None = getattr(live, role)
    if module is not None:
        return _output_of_own(module, role, data, classes)
    edge_index = torch.arange(PROBE_NODES).repeat(2, 1).roll(1, dims=1)
    config: ModelConfig = getattr(spec, role)
    x: Any = torch.zeros(PROBE_NODES, data.num_features)
    channels = data.num_features
    if isinstance(data.x, HeteroFeatures):
        x = data.x.few(PROBE_NODES)
        channels = x.channels
    with torch.no_grad():
        return config.build(channels, classes).eval().encode(x, edge_index)


def _output_of_own(module: nn.Module, role: Role, data: Data, classes: int) -> Output:
    expected = f"it is called with x ({data.num_nodes}, {data.num_features}) and edge_index (2, {data.num_edges})"
    was_training = module.training
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    try:
        with torch.no_grad():
            encode = with_encode(module).eval().encode
            output: Output = encode(data.x.to(device), data.edge_index.to(device))  # type: ignore[operator]
    except WorkbenchError:
        raise
    except Exception as error:  # whatever a user's module raises
        raise UsageError(
            f"your {role} cannot be run on this graph ({type(error).__name__}: {error}): {expected}"
        ) from error
    finally:
        module.train(was_training)
    shape = tuple(output.logits.shape)
    if shape != (data.num_nodes, classes):
        wanted = (data.num_nodes, classes)
        raise UsageError(f"your {role} returns logits of shape {shape} and this graph needs {wanted}: {expected}")
    return output


def _probe(spec: Spec, data: Data, outputs: list[Output]) -> None:
    """Build the method for the widths that the two models really give, and its targets for the graph's shape."""
    objective = spec.objective.build(Widths.of(outputs[0]), Widths.of(outputs[1]))
    widths = Widths.of(outputs[0]).layers
    if sum(widths) * data.num_nodes <= PROBE_NUMBERS:
        shaped = [torch.zeros(data.num_nodes, width) for width in widths]
        objective.targets(Output(shaped[-1], shaped[:-1]), data)
