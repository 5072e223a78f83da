"""A spec: everything that defines a run, as data.

The same classes read YAML, command-line flags and forms. ``Spec.id`` is a stable hash of the whole
spec and of the versions of its components; where it runs (``device``) and what is drawn of it
(``umap``) do not change it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BeforeValidator, SerializeAsAny, ValidationError, model_validator

from workbench.datasets.base import DatasetConfig
from workbench.errors import UsageError
from workbench.methods.base import Method, Sum
from workbench.models.base import ModelConfig
from workbench.options import Component, Config, Option, Search, explain
from workbench.registry import Registry, datasets, methods, models

FORMAT = 1  # of spec.yaml
OBSERVING = ("lens_every", "cuda_graph")  # change what is seen or how fast, and the result by rounding at most


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
    precision: Literal["float32", "bfloat16"] = Option(
        "float32", help="Number format of the forward pass; bfloat16 uses autocast.", advanced=True
    )
    deterministic: bool = Option(True, help="Use deterministic kernels where torch has them.", advanced=True)
    keep_every: int = Option(
        20,
        help="Store the student's picture every so many epochs, for the film; 0 stores none.",
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
        help="Record an epoch as a CUDA graph and replay it: quicker on small graphs. Experimental, CUDA only.",
        advanced=True,
    )


def _component(registry: Registry, base: type[Component], value: Any) -> Any:
    """Turn a name or a mapping with a name into the config class registered under it."""
    if isinstance(value, base):
        return value
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, Mapping) or "name" not in value:
        raise ValueError(f"a {registry.kind} is a name or a mapping with a name")
    return registry[str(value["name"])].model_validate(dict(value))


def parse_method(value: Any) -> Sum:
    """``"kd+gcrd"``, a mapping, a method, or a list of them, as the sum that is meant."""
    if isinstance(value, Method):
        return Sum((value,))
    if isinstance(value, str):
        value = [part.strip() for part in value.split("+")]
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        value = [value]
    return Sum(_method(part) for part in value)


def _method(value: Any) -> Any:
    """One method of a sum; what is wrong with it is said under its name, as in ``--kd.alpha``."""
    try:
        return _component(methods, Method, value)
    except ValidationError as error:
        name = value if isinstance(value, str) else value["name"]
        raise UsageError(explain(error, name)) from None


def _with_preset(role: Literal["teacher", "student"], value: Any) -> Any:
    """Fill the sizes that a person left out with the preset of the role (a config object is taken as it is)."""
    if isinstance(value, str):
        value = {"name": value}
    if isinstance(value, Mapping) and "name" in value and not isinstance(value, ModelConfig):
        preset = getattr(models[str(value["name"])], f"{role}_preset")
        value = {**preset, **value}
    return _component(models, ModelConfig, value)


def parse_dataset(value: Any) -> Any:
    """A dataset's name, a mapping, or the path of one's own graph (a folder with CSV files, or an ``.npz``)."""
    if isinstance(value, Path) or (isinstance(value, str) and value not in datasets and _looks_like_path(value)):
        value = {"name": "own", "path": str(value)}
    return _component(datasets, DatasetConfig, value)


def _looks_like_path(text: str) -> bool:
    return os.sep in text or "/" in text or text.endswith((".npz", ".csv")) or os.path.isdir(text)


AnyDataset = Annotated[SerializeAsAny[DatasetConfig], BeforeValidator(parse_dataset)]
AnyTeacher = Annotated[SerializeAsAny[ModelConfig], BeforeValidator(lambda v: _with_preset("teacher", v))]
AnyStudent = Annotated[SerializeAsAny[ModelConfig], BeforeValidator(lambda v: _with_preset("student", v))]
AnyMethod = Annotated[tuple[SerializeAsAny[Method], ...], BeforeValidator(parse_method)]


class Spec(Config):
    """dataset + teacher + student + method + training + seed."""

    dataset: AnyDataset
    teacher: AnyTeacher
    student: AnyStudent
    method: AnyMethod
    teacher_training: Training = Training()
    training: Training = Training()
    seed: int = Option(0, help="Seeds every random number of the run.", ge=0, lt=2**31)
    device: str = Option("auto", help="auto, cpu, cuda, cuda:0, … or mps.")
    umap: bool = Option(False, help="Also compute the UMAP of teacher and student when the run ends.")
    teacher_control: Literal["none", "untrained", "shuffled"] = Option(
        "none",
        help="Is it real? A teacher with its initial weights (untrained), or one trained and selected on labels "
        "permuted among the training and among the validation nodes, so true only by chance (shuffled).",
        advanced=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_training_defaults(cls, values: Any) -> Any:
        """Training options that were left out take the model's own defaults before the general ones."""
        if not isinstance(values, Mapping):
            return values
        filled = dict(values)
        for role, key in (("teacher", "teacher_training"), ("student", "training")):
            if role not in filled:
                continue
            try:
                filled[role] = _with_preset(role, filled[role])  # type: ignore[arg-type]
            except ValueError:
                continue  # the field of the role meets the same fault, and says in which role it is
            given = filled.get(key) or {}
            if isinstance(given, Mapping):
                filled[key] = {**filled[role].usual_training(role), **given}
        return filled

    @property
    def objective(self) -> Sum:
        """The methods of this spec as one sum."""
        return Sum(self.method)

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits: the same for the same spec and component versions, on every machine."""
        return digest(self._identity("dataset", "teacher", "student", "method", "teacher_training", "training", "seed"))

    @property
    def teacher_id(self) -> str:
        """Likewise, of what the trained teacher depends on."""
        return digest(self._identity("dataset", "teacher", "teacher_training", "seed"))

    def _identity(self, *fields: str) -> dict[str, Any]:
        if self.teacher_control != "none":  # otherwise left out: the ids of all other runs are older than this option
            fields = (*fields, "teacher_control")
        document = self.model_dump(mode="json", include=set(fields))
        document["teacher_training"].pop("keep_every")  # only a student's pictures are stored
        for training in (document[key] for key in ("training", "teacher_training") if key in document):
            for name in OBSERVING:
                training.pop(name)
        parts: list[Component] = [self.dataset, self.teacher]
        if "student" in fields:
            parts += [self.student, *self.method]
        return {"spec": document, "versions": {f"{type(p).__name__}:{p.name}": p.version for p in parts}}

    def to_yaml(self) -> str:
        document = {"format": FORMAT, **self.model_dump(mode="json")}
        return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)

    @classmethod
    def from_yaml(cls, text: str, where: str = "spec.yaml") -> Self:
        """Read a spec; raises UsageError for anything that is not one."""
        return cls.parse(read_document(text, where), where)


def read_document(text: str, where: str) -> dict[str, Any]:
    """A spec file as plain data, not yet validated; raises UsageError where it is none."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{where} is not readable YAML: {error}") from None
    if not isinstance(document, dict):
        raise UsageError(f"{where}: expected a mapping with dataset, teacher, student and method")
    if document.pop("format", FORMAT) != FORMAT:
        raise UsageError(f"{where} was written by another version of the workbench (format is not {FORMAT})")
    return document


def digest(document: Any) -> str:
    """Twelve hexadecimal digits of the SHA-256 of the canonical JSON of ``document``."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
