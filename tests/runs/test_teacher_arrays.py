"""Teacher outputs in files: what is read is what was written, once, and by node."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from workbench.errors import RunError
from workbench.models.base import Output
from workbench.runs import teacher_arrays as stored
from workbench.runs.teacher_arrays import TeacherArrays, key_of, teacher_arrays

ROWS = 300


@pytest.fixture
def output() -> Output:
    generator = torch.Generator().manual_seed(0)
    logits, *hidden = (torch.randn(ROWS, width, generator=generator) for width in (5, 16, 8))
    return Output(logits, hidden)


class Making:
    """Gives an output, layer by layer, where it is told to, and counts how often it was asked."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.times = 0

    def __call__(self, room) -> Output:
        self.times += 1
        *hidden, logits = [room(n, *layer.shape).copy_(layer) for n, layer in enumerate(self.output.layers)]
        return Output(logits, hidden)


def folder_of(root):
    return root / ".workbench" / "teacher_outputs" / "k"


def test_rows_come_back_in_the_order_asked_for_to_the_precision_of_half(tmp_path, output, monkeypatch):
    monkeypatch.setattr(stored, "BLOCK", 64)  # several blocks of rows
    arrays = teacher_arrays(tmp_path, "k", Making(output))
    nodes = torch.tensor([299, 0, 17, 17, 250])
    for found, layer in zip(arrays(nodes).layers, output.layers, strict=True):
        assert found.dtype == torch.float32
        # a float16 has 11 significant bits: the relative error of rounding is at most 2^-11, below 2^-14 absolute
        torch.testing.assert_close(found, layer[nodes], rtol=2**-11, atol=2**-25)


def test_they_are_written_once_and_are_half_as_large(tmp_path, output):
    making = Making(output)
    for _ in range(2):
        teacher_arrays(tmp_path, "k", making)
    assert making.times == 1
    folder = folder_of(tmp_path)
    assert sorted(path.name for path in folder.glob("*.npy")) == ["hidden_0.npy", "hidden_1.npy", "logits.npy"]
    assert np.load(folder / "hidden_0.npy").nbytes == ROWS * 16 * 2
    assert not [*folder.glob("exact-*"), *folder.glob(".*tmp")]


def test_nothing_is_loaded_before_it_is_asked_for(tmp_path, output):
    arrays = teacher_arrays(tmp_path, "k", Making(output))
    assert all(isinstance(layer, np.memmap) and not layer.flags.writeable for layer in arrays._layers)


def test_logits_alone_are_read_where_no_hidden_layer_is_compared(tmp_path, output):
    arrays = teacher_arrays(tmp_path, "k", Making(output), hidden=False)
    assert arrays.shapes == [(ROWS, 5)]
    assert arrays(torch.arange(3)).hidden == []


@pytest.mark.parametrize("damage", ["cut", "gone", "no record"])
def test_what_is_damaged_is_made_again(tmp_path, output, damage):
    making = Making(output)
    teacher_arrays(tmp_path, "k", making)
    path = folder_of(tmp_path) / "hidden_1.npy"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-10])
    elif damage == "gone":
        path.unlink()
    else:
        (folder_of(tmp_path) / "outputs.json").write_text("{")
    if damage != "no record":
        with pytest.raises(RunError, match="not whole"):
            TeacherArrays(folder_of(tmp_path))
    arrays = teacher_arrays(tmp_path, "k", making)
    assert making.times == 2
    torch.testing.assert_close(arrays(torch.arange(9)).hidden[1], output.hidden[1][:9], rtol=2**-11, atol=2**-25)


def test_values_beyond_half_precision_are_clipped_and_infinite_ones_refused(tmp_path, output):
    output.logits[0, 0] = 1e6
    assert teacher_arrays(tmp_path, "k", Making(output))(torch.tensor([0])).logits[0, 0] == 65504  # the largest float16
    output.logits[0, 0] = torch.inf
    with pytest.raises(RunError, match="not finite"):
        teacher_arrays(tmp_path, "other", Making(output))
    folder = folder_of(tmp_path).with_name("other")
    assert not [*folder.glob("*.json"), *folder.glob(".*tmp")]


def test_the_key_knows_weights_data_and_format():
    torch.manual_seed(0)
    module = nn.Linear(3, 2)
    keys = {key_of(module, "data", "float32"), key_of(module, "other", "float32"), key_of(module, "data", "bfloat16")}
    same = nn.Linear(3, 2)
    same.load_state_dict(module.state_dict())
    assert key_of(same, "data", "float32") in keys
    with torch.no_grad():
        same.bias[0] += 1e-6
    keys.add(key_of(same, "data", "float32"))
    assert len(keys) == 4


def test_the_record_is_plain_data(tmp_path, output):
    teacher_arrays(tmp_path, "k", Making(output))
    record = json.loads((folder_of(tmp_path) / "outputs.json").read_text())
    assert list(record["layers"]) == ["hidden_0.npy", "hidden_1.npy", "logits.npy"]
