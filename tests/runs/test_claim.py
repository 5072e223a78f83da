from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import UsageError
from workbench.runs.claim import claim, run_id
from workbench.runs.status import Status
from workbench.spec import Spec


def spec(**changes: object) -> Spec:
    return Spec.parse(
        {"dataset": "builtin-karate", "teacher": "gcn", "student": "gcn", "method": "kd", "device": "cpu", **changes}
    )


def test_the_folder_is_complete_when_it_appears(tmp_path: Path) -> None:
    run, made = claim(spec(), tmp_path, Status(device="cpu"))
    assert made
    assert run.spec == spec()
    assert run.status.state == "queued"
    assert run.id.startswith("builtin-karate-kd-gcn-gcn-s0-")


def test_of_many_at_once_exactly_one_makes_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: claim(spec(), tmp_path, Status()), range(16)))
    assert sum(made for _, made in found) == 1
    assert len({run.id for run, _ in found}) == 1
    assert [p.name for p in (tmp_path / ".workbench").iterdir()] == [], "nothing is left over"


def test_fresh_makes_another_folder_beside_the_first(tmp_path: Path) -> None:
    first, _ = claim(spec(), tmp_path, Status())
    second, made = claim(spec(), tmp_path, Status(), fresh=True)
    assert made
    assert second.id == f"{first.id}-r2"


def test_another_kind_of_device_is_another_run() -> None:
    assert run_id(spec(device="cuda:1")) == run_id(spec()) + "-cuda"


def test_a_long_name_of_ones_own_graph_is_cut_before_what_makes_it_unique(tmp_path: Path) -> None:
    nodes = np.arange(5)
    path = tmp_path / f"{'long' * 50}.npz"
    np.savez(path, x=np.eye(5), edge_index=np.stack([nodes, nodes[::-1]]), y=nodes % 2, split=[1, 1, 2, 3, 0])
    made = spec(dataset=str(path))
    assert run_id(made) == "longlong" * 15 + f"-{made.id}"
    assert run_id(spec(dataset=str(path), device="cuda")).endswith(f"-{made.id}-cuda")
    run, _ = claim(made, tmp_path / "runs", Status())
    assert run.spec == made


def test_a_root_that_is_too_long_is_said() -> None:
    with pytest.raises(UsageError, match="set WORKBENCH_RUNS to a writable folder"):
        claim(spec(), Path("/" + "a" * 300), Status())


def test_a_root_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UsageError, match="set WORKBENCH_RUNS to a writable folder"):
        claim(spec(), tmp_path / "file", Status())


def test_a_name_of_ones_own_cannot_leave_the_root() -> None:
    own = spec().model_copy(update={"dataset": type("D", (), {"name": "own", "path": "/a/../b c/..;x"})()})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Spec, "id", "abc")
        name = run_id(own)
    assert "/" not in name
    assert not name.startswith(".")
