"""A spec: everything that defines a run, as data.

The same classes read YAML, command-line flags and forms. ``Spec.id`` is a stable hash of the whole
spec and of the versions of its components; where it runs (``device``) and what is drawn of it
(``umap``) do not change it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BeforeValidator, SerializeAsAny, model_validator

from workbench.datasets.base import DatasetConfig, Holds, held_by
from workbench.errors import UsageError
from workbench.methods.base import Method, Sum
from workbench.models.base import ModelConfig
from workbench.options import Component, Config, Option
from workbench.parts import USUAL as USUAL
from workbench.parts import parse_dataset as parse_dataset
from workbench.parts import parse_method as parse_method
from workbench.parts import with_model_preset, with_usual_parts
from workbench.registry import methods, models
from workbench.settings import Online as Online
from workbench.settings import Training as Training

FORMAT = 1  # of spec.yaml
LIVE = "live"  # the name of a person's own object in a spec
OBSERVING = ("lens_every", "cuda_graph")  # change what is seen or how fast, and the result by rounding at most
HELD: Mapping[Holds, str] = {  # in a message
    "graph": "one graph",
    "hetero": "a graph with several types of nodes",
    "graphs": "many graphs",
    "clouds": "point clouds without a graph",
    "snapshots": "snapshots of a graph",
}
LATER = ("batch_size", "num_neighbors")  # left out of an id where they are empty: older runs have none of them

AnyDataset = Annotated[SerializeAsAny[DatasetConfig], BeforeValidator(parse_dataset)]
AnyTeacher = Annotated[SerializeAsAny[ModelConfig], BeforeValidator(lambda v: with_model_preset("teacher", v))]
AnyStudent = Annotated[SerializeAsAny[ModelConfig], BeforeValidator(lambda v: with_model_preset("student", v))]
AnyMethod = Annotated[tuple[SerializeAsAny[Method], ...], BeforeValidator(parse_method)]


class Spec(Config):
    """dataset + teacher + student + method + training + seed."""

    dataset: AnyDataset
    teacher: AnyTeacher
    student: AnyStudent
    method: AnyMethod
    teacher_training: Training = Training()
    training: Training = Training()
    online: Online | None = None
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
        filled = with_usual_parts(values)
        for role, key in (("teacher", "teacher_training"), ("student", "training")):
            if role not in filled:
                continue
            try:
                filled[role] = with_model_preset(role, filled[role])  # type: ignore[arg-type]
            except ValueError:
                continue  # the field of the role meets the same fault, and says in which role it is
            given = filled.get(key) or {}
            if isinstance(given, Mapping):
                filled[key] = {**filled[role].usual_training(role), **given}
        return filled

    @model_validator(mode="after")
    def _serves_one_task(self) -> Self:
        """Dataset, models and methods are made for the same task."""
        task, held = self.dataset.card.task, held_by(self.dataset)
        for role, model in (("teacher", self.teacher), ("student", self.student)):
            if model.task != task and model.name == LIVE:
                raise ValueError(
                    f"your own module as {role} can be used for {model.task} and dataset {self.dataset.name!r} is for "
                    f"{task}: register it as a model (CONTRIBUTING.md shows how) and give its name"
                )
            others = ", ".join(name for name in models if models[name].fits(self.dataset))
            if model.task != task:
                raise ValueError(
                    f"{role} {model.name!r} is made for {model.task} and dataset {self.dataset.name!r} for {task}: "
                    f"take one of {others}"
                )
            if not model.fits(self.dataset):
                raise ValueError(
                    f"{role} {model.name!r} cannot read dataset {self.dataset.name!r}, which holds {HELD[held]}: "
                    f"take one of {others}"
                )
        for part in self.method:
            if task not in part.tasks:
                others = ", ".join(name for name in methods if task in methods[name].tasks)
                raise ValueError(f"method {part.name!r} cannot be used for {task}: take one of {others}")
        if self.umap and held not in ("graph", "hetero"):
            what = f"{task} of {HELD[held]}" if task == "node classification" else task
            raise ValueError(f"umap is for the nodes of one graph and not for {what}: leave umap out")
        sampled = next((t.num_neighbors for t in (self.training, self.teacher_training) if t.num_neighbors), None)
        if sampled and held != "graph":
            raise ValueError(
                f"num_neighbors is for one graph, and dataset {self.dataset.name!r} holds {HELD[held]}: leave it out"
            )
        if self.online is not None and task != "link prediction":
            raise ValueError(f"online settings are for snapshots, and dataset {self.dataset.name!r} is for {task}")
        return self

    @property
    def protocol(self) -> Online:
        """The online settings, the usual ones where none were given."""
        return self.online or Online()

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
            for name in (*OBSERVING, *(name for name in LATER if training[name] is None)):
                training.pop(name)
        if self.dataset.card.task == "link prediction":
            document["online"] = self.protocol.model_dump(mode="json")
            if "student" not in fields:  # what a teacher, trained before, knows nothing of
                for name in ("restart", "last", "plain"):
                    document["online"].pop(name)
        parts: list[Component] = [self.dataset, self.teacher]
        if "student" in fields:
            parts += [self.student, *self.method]
        return {"spec": document, "versions": {f"{type(p).__name__}:{p.name}": p.version for p in parts}}

    def to_yaml(self) -> str:
        document = {"format": FORMAT, **self.model_dump(mode="json", exclude=None if self.online else {"online"})}
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
