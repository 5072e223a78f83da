"""One small registry: datasets, models and methods, found by name.

A component is one file. The registry imports every file of its package, every entry point of its
group (``[project.entry-points."workbench.methods"]`` in a third party's package) and every ``.py``
file of the folders in ``WORKBENCH_PLUGINS``; a class in such a file joins by the decorator::

    from workbench.registry import methods

    @methods.register
    class Toy(Method):
        name: Literal["toy"] = "toy"

Nothing is imported before a name is asked for, so ``import workbench`` stays light.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import pkgutil
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from workbench.errors import UsageError, did_you_mean

PLUGINS = "WORKBENCH_PLUGINS"
# One for all registries: a plug-in file may hold components of several kinds. ``register`` does without it, because
# it runs while its module is being imported, and whoever discovers may wait for that very import.
DISCOVERY = threading.RLock()
C = TypeVar("C", bound=type[Any])


class Registry:
    """The components of one kind. ``registry["gcn"]`` is the class registered under that name."""

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._classes: dict[str, type[Any]] = {}
        self._discovering = False
        self._discovered = False

    def register(self, cls: C) -> C:
        """Class decorator: add ``cls`` under the default of its ``name`` field.

        The same class of the same module takes its own place again (a cell or file that is run twice).
        Raises :class:`UsageError` when another class already has that name.
        """
        name = cls.model_fields["name"].default
        known = self._classes.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise UsageError(
                f"two {self.kind}s are called {name!r}: {known.__module__}.{known.__qualname__} and "
                f"{cls.__module__}.{cls.__qualname__}; rename one of them"
            )
        self._classes[name] = cls
        return cls

    def names(self) -> list[str]:
        """Every known name, sorted."""
        self._discover()
        return sorted(self._classes)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        self._discover()
        return name in self._classes

    def __getitem__(self, name: str) -> type[Any]:
        self._discover()
        try:
            return self._classes[name]
        except KeyError:
            raise UsageError(
                f"unknown {self.kind} {name!r}: {did_you_mean(name, self._classes)}"
                f"known {self.kind}s are {', '.join(self.names())}"
            ) from None

    def builtin_names(self) -> list[str]:
        """Names of the components that ship with the workbench (no plug-ins)."""
        return [name for name in self.names() if self._classes[name].__module__.startswith(self.package + ".")]

    def _discover(self) -> None:
        """Import every component once; other threads wait until all are there."""
        if self._discovered:
            return
        with DISCOVERY:
            if self._discovered or self._discovering:  # the latter: a component asks while it is being imported
                return
            self._discovering = True
            try:
                self._import_components()
                self._discovered = True
            finally:
                self._discovering = False

    def _import_components(self) -> None:
        for module in pkgutil.iter_modules(importlib.import_module(self.package).__path__):
            importlib.import_module(f"{self.package}.{module.name}")
        for point in entry_points(group=self.package):
            _guarded(f"entry point {point.name!r}", point.load)
        for path in plugin_files():
            _guarded(str(path), partial(import_file, path))


datasets = Registry("dataset", "workbench.datasets")
models = Registry("model", "workbench.models")
methods = Registry("method", "workbench.methods")


def plugin_files() -> list[Path]:
    """The ``.py`` files of the folders in ``WORKBENCH_PLUGINS`` (separated as in ``PATH``)."""
    folders = [Path(part) for part in os.environ.get(PLUGINS, "").split(os.pathsep) if part]
    return [file for folder in folders for file in sorted(folder.glob("*.py"))]


def import_file(path: Path) -> None:
    """Import one plug-in file, once, under a module name made from its path."""
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    name = f"workbench_plugin_{digest}_{path.stem}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def _guarded(origin: str, load: Callable[[], object]) -> None:
    """A third party's broken file must not take the workbench down: say so and go on."""
    try:
        load()
    except Exception as error:
        warnings.warn(f"plug-in {origin} was left out: {type(error).__name__}: {error}", stacklevel=3)
