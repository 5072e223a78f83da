"""A sweep on a Ray cluster that is there already: its runs are tasks, its truth the run folders.

Runs root, data and the installed workbench are the same on every machine: shared storage, equal paths. A run is a task
with as many CPUs as a slot has threads (or a GPU of its own, where the cluster has GPUs and the spec allows one). Its
claim and ``worker.lock`` keep two tasks from one run. When a node dies, its runs fall silent; the sweep waits until
their heartbeat says so, and gives each to another node, which goes on from the checkpoint.
"""

from __future__ import annotations

import importlib
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.datasets.base import DATA_ROOT, data_root
from workbench.errors import UsageError
from workbench.runs.launch import STOP_SECONDS
from workbench.runs.sweep_local import THREADS, News

if TYPE_CHECKING:
    from workbench.spec import Spec

ADDRESS = "RAY_ADDRESS"
HOW_TO_START = (
    "start one with `ray start --head` and, on every other machine, `ray start --address=HEAD:6379`; then set "
    f"{ADDRESS} to HEAD:6379 (or auto, on a machine of the cluster)"
)
# What Ray itself would say to a terminal, and send to its makers, is left out.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


def connect() -> Any:
    """The ray module, connected to the cluster that ``RAY_ADDRESS`` names. Raises UsageError where there is none."""
    address = os.environ.get(ADDRESS, "").strip()
    if not address:
        raise UsageError(f"--engine ray needs a Ray cluster, and {ADDRESS} is not set: {HOW_TO_START}")
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError:
        raise UsageError("--engine ray needs Ray: pip install 'gnn-distillation-workbench[cluster]'") from None
    if not ray.is_initialized():
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", configure_logging=False)
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UsageError(f"no Ray cluster answers at {address} ({reason}): {HOW_TO_START}") from None
    return ray


class RaySlots:
    """The engine of a sweep on a cluster. Use as a context manager: leaving it stops what is going on."""

    name = "ray"
    retries = 3  # of a run whose node has died

    def __init__(self, root: Path, slots: int | None = None) -> None:
        self.root = root
        self._ray = connect()
        resources = self._ray.cluster_resources()
        given = os.environ.get(THREADS, "")
        self._threads = int(given) if given.isdecimal() and int(given) else 1
        self._gpus = int(resources.get("GPU", 0))
        self.slots = slots or self._gpus or max(1, int(resources.get("CPU", 1)) // self._threads)
        self._tasks: dict[Any, str] = {}  # task -> id of its run
        environment = {THREADS: str(self._threads), "OMP_WAIT_POLICY": "PASSIVE", "THP_MEM_ALLOC_ENABLE": "1"}
        environment[DATA_ROOT] = str(Path(data_root()).absolute())
        remote = self._ray.remote(max_retries=0, runtime_env={"env_vars": environment})
        self._remote = remote(_carry_out)

    def __enter__(self) -> RaySlots:
        return self

    def __exit__(self, *_: object) -> None:
        for id in self._tasks.values():
            with suppress(OSError):
                (self.root / id / "stop").touch()  # its loop stores a checkpoint after the epoch
        deadline = time.monotonic() + STOP_SECONDS
        while self._tasks and time.monotonic() < deadline:
            self.news(0.2)
        for task in self._tasks:
            self._ray.cancel(task, force=True)
        self._ray.shutdown()

    def device(self, name: str) -> str:
        """The device that a spec means on a node; ``auto`` is a GPU where the cluster has one."""
        if name == "cpu" or (name == "auto" and not self._gpus):
            return "cpu"
        if name != "auto" and not name.startswith("cuda"):
            raise UsageError(f"device {name!r} is none of a cluster: choose auto, cpu or cuda")
        if not self._gpus:
            raise UsageError(f"device {name!r}: the Ray cluster has no GPU; choose auto or cpu")
        return "cuda:0"  # of those that the task sees

    def has_room(self) -> bool:
        return len(self._tasks) < self.slots

    def start(self, id: str, spec: Spec, roams: bool) -> None:
        share = {"num_gpus": min(1.0, self._gpus / self.slots)} if spec.device.startswith("cuda") else {}
        task = self._remote.options(num_cpus=self._threads, **share).remote(spec.to_yaml(), str(self.root))
        self._tasks[task] = id

    def news(self, seconds: float) -> list[News]:
        """What has happened, after ``seconds`` at most."""
        if not self._tasks:
            time.sleep(seconds)
            return []
        ended, _ = self._ray.wait(list(self._tasks), num_returns=1, timeout=seconds)
        return [self._read(task) for task in ended]

    def _read(self, task: Any) -> News:
        id = self._tasks.pop(task)
        try:
            return News(id, self._ray.get(task))
        except self._ray.exceptions.RayTaskError as error:
            return News(id, "fault", str(error.cause))
        except self._ray.exceptions.RayError as error:  # its process, its node or the cluster's memory is gone
            return News(id, "died", type(error).__name__)


def _carry_out(text: str, root: str) -> str:
    """The task: one run, in a process of a node that later tasks use again."""
    from workbench.runs.sweep_run import work_on
    from workbench.spec import Spec

    return work_on(Spec.from_yaml(text), Path(root))
