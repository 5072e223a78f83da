from __future__ import annotations

from pathlib import Path

import pytest
import torch

from workbench.errors import RunError
from workbench.training.checkpoint import load_tensors, save_tensors, sections


def test_tensors_and_header_come_back_as_they_were(tmp_path: Path) -> None:
    tensors = sections(a={"w": torch.randn(3, 2)}, b={"w": torch.arange(4)})
    save_tensors(tmp_path / "c.safetensors", tensors, {"epoch": 3, "scores": [0.5, 1e-9]})
    found = load_tensors(tmp_path / "c.safetensors")
    assert found.header == {"epoch": 3, "scores": [0.5, 1e-9]}
    assert torch.equal(found.section("a")["w"], tensors["a/w"])
    assert torch.equal(found.section("b")["w"], torch.arange(4))
    assert [file.name for file in tmp_path.iterdir()] == ["c.safetensors"]


@pytest.mark.parametrize("content", [b"", b"half a file", b"\x80\x04K\x01."])
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.safetensors").write_bytes(content)
    with pytest.raises(RunError, match="delete it and run again"):
        load_tensors(tmp_path / "c.safetensors")
