"""A user's own module as teacher or student: forward hooks show the layers that it does not return."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

from workbench.errors import UsageError, did_you_mean
from workbench.models.base import Attention, GraphModel, Output

ATTENTION_FLAG = "return_attention_weights"  # how PyG's attention layers are asked for their weights


def wrap(module: nn.Module, layers: Sequence[str], attention: Sequence[str] | None = None) -> Tapped:
    """Give ``module`` an ``encode`` without changing a line of it.

    ``layers`` names the submodules (as in ``module.named_modules()``) whose outputs are the hidden states,
    input side first: of a tuple the first tensor, of a submodule that runs several times the last run. They
    are what that submodule gave; name the activation or the dropout to see what comes after it. (A later
    operation that works in place, as ``relu_`` does, is seen.) ``attention`` names attention layers,
    which are asked for their weights as PyG's are, by ``return_attention_weights``.

    ``module`` is called with ``(x, edge_index)`` and returns logits (N, C), or a tuple with them in front.
    Nothing stays on it: hooks live during ``encode`` only, and the weights are ``module``'s own.

    Raises :class:`UsageError` for no layers, a name that does not exist or stands twice.
    """
    if not isinstance(module, nn.Module):
        raise UsageError(f"wrap takes a torch module, not {type(module).__name__}: give the model itself")
    hidden = _names(module, "layers", layers)
    if not hidden:
        raise UsageError(
            f"a wrap that names no layer shows nothing to distil from: name the hidden layers of "
            f"{type(module).__name__}, among {_listed(module)}"
        )
    return Tapped(module, hidden, _names(module, "attention", attention or ()))


class Tapped(GraphModel):
    """What :func:`wrap` returns. Its ``state_dict`` has the keys of ``module``'s own."""

    module: Any  # a torch module, called with (x, edge_index)

    def __init__(self, module: nn.Module, layers: tuple[str, ...], attention: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.module = module
        self.layers = layers
        self.attention = attention
        self.training = module.training

    def encode(self, x: Tensor, edge_index: Tensor) -> Output:
        """Run the module once, with its layers tapped.

        Raises :class:`UsageError` when a tapped layer did not run or gave no (N, d) tensor.
        """
        seen: dict[str, Any] = {}
        weights: dict[str, Any] = {}
        with _tapped(self.module, self.layers, self.attention, seen, weights):
            logits = self.forward(x, edge_index)
        hidden = [self._hidden(name, seen, x.shape[0]) for name in self.layers]
        attention = [self._attention(name, weights) for name in self.attention]
        return Output(logits, hidden, attention or None)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        logits = _first_tensor(self.module(x, edge_index))
        if logits is None or logits.dim() != 2 or logits.shape[0] != x.shape[0]:
            raise UsageError(
                f"{type(self.module).__name__} returned {_shape(logits)}; expected logits of shape "
                f"({x.shape[0]}, classes), one row per node"
            )
        return logits

    def reset_parameters(self) -> None:
        """Draw the weights anew; raises UsageError for a module that cannot."""
        if not hasattr(self.module, "reset_parameters"):
            raise UsageError(f"{type(self.module).__name__} has no reset_parameters(): build it anew instead")
        self.module.reset_parameters()

    def _hidden(self, name: str, seen: dict[str, Any], num_nodes: int) -> Tensor:
        if name not in seen:
            parts = [f"{name}.{part}" for part, _ in self.module.get_submodule(name).named_children()]
            inside = f"; did you mean its parts {', '.join(parts[:8])}?" if parts else ""
            raise UsageError(f"the tapped layer {name!r} did not run in {type(self.module).__name__}'s forward{inside}")
        found = _first_tensor(seen[name])
        if found is None or found.dim() != 2 or found.shape[0] != num_nodes:
            raise UsageError(
                f"the tapped layer {name!r} gave {_shape(found)}; expected hidden states of shape "
                f"({num_nodes}, width), one row per node: tap another layer"
            )
        return found

    def _attention(self, name: str, weights: dict[str, Any]) -> Attention:
        if name not in weights:
            raise UsageError(f"the attention layer {name!r} did not run in {type(self.module).__name__}'s forward")
        match weights[name]:
            case (_, (Tensor() as edge_index, Tensor() as weight)) if edge_index.shape[1:] == weight.shape[:1]:
                return Attention(edge_index, weight.view(weight.shape[0], -1))  # (2, E'), (E', heads)
        raise UsageError(
            f"the attention layer {name!r} gave no attention: expected (out, (edge_index, weights)) with shapes "
            f"(2, E) and (E, heads), as PyG's layers return with {ATTENTION_FLAG}=True"
        )

    # The keys of the weights are the module's own, so that a file of one loads into the other.

    def state_dict(self, *args: Any, **options: Any) -> Any:
        return self.module.state_dict(*args, **options)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        mine = [key for key in state_dict if key.startswith(prefix)]
        state_dict |= {f"{prefix}module.{key.removeprefix(prefix)}": state_dict.pop(key) for key in mine}
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def extra_repr(self) -> str:
        attention = f", attention={list(self.attention)}" if self.attention else ""
        return f"{type(self.module).__name__}, layers={list(self.layers)}{attention}"


@contextmanager
def _tapped(
    module: nn.Module,
    layers: tuple[str, ...],
    attention: tuple[str, ...],
    seen: dict[str, Any],
    weights: dict[str, Any],
) -> Iterator[None]:
    """Hooks that write outputs into ``seen`` and ``weights``, removed at the end whatever happens."""
    with ExitStack() as hooks:
        for name in attention:  # before the layers, which see the output as the module itself does
            layer, tap = module.get_submodule(name), _AttentionTap(name, weights)
            if ATTENTION_FLAG in inspect.signature(layer.forward).parameters:
                hooks.callback(layer.register_forward_pre_hook(tap.ask, with_kwargs=True).remove)
            hooks.callback(layer.register_forward_hook(tap.take).remove)
        for name in layers:
            hooks.callback(module.get_submodule(name).register_forward_hook(_Tap(name, seen).take).remove)
        yield


class _Tap:
    """Keeps what a layer gives."""

    def __init__(self, name: str, seen: dict[str, Any]) -> None:
        self.name = name
        self.seen = seen

    def take(self, layer: nn.Module, args: Any, output: Any) -> Any:
        self.seen[self.name] = output


class _AttentionTap(_Tap):
    """Asks a layer for its attention and, where the module did not, hides it from the module again."""

    asked = False

    def ask(self, layer: nn.Module, args: Any, kwargs: dict[str, Any]) -> tuple[Any, Any]:
        call = inspect.signature(layer.forward).bind(*args, **kwargs)
        self.asked = call.arguments.get(ATTENTION_FLAG) is None
        if self.asked:
            call.arguments[ATTENTION_FLAG] = True
        return call.args, call.kwargs

    def take(self, layer: nn.Module, args: Any, output: Any) -> Any:
        self.seen[self.name] = output
        return output[0] if self.asked else None  # None leaves the output as it is


def _names(module: nn.Module, option: str, given: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple, each of them a submodule of ``module`` and named once."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise UsageError(f"{option} is a list of names: write {option}=[{given!r}]")
    names = tuple(given)
    known = _known(module)
    for name in names:
        if name not in known:
            raise UsageError(
                f"{type(module).__name__} has no layer {name!r} to tap: {did_you_mean(str(name), known)}"
                f"its layers are {_listed(module)}"
            )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"{option} names {twice[0]!r} twice: a layer is tapped once")
    return names


def _known(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_modules(remove_duplicate=False) if name]


def _listed(module: nn.Module, most: int = 20) -> str:
    known = _known(module)
    return ", ".join(known[:most]) + (f", … ({len(known)} in all)" if len(known) > most else "") or "(none)"


def _first_tensor(output: Any) -> Tensor | None:
    """The output itself, or the first tensor of a tuple or list."""
    if isinstance(output, (tuple, list)):
        return next((part for part in output if isinstance(part, Tensor)), None)
    return output if isinstance(output, Tensor) else None


def _shape(found: Tensor | None) -> str:
    return "no tensor" if found is None else f"a tensor of shape {tuple(found.shape)}"
