"""What was typed, the spec file and the defaults, in this order of weight."""

import pytest

from workbench.cli.flags import split_flags
from workbench.cli.specs import Request, specs_of


def specs(*dotted, **request):
    return specs_of(Request(flags=split_flags(dotted)[0], **request))


def test_a_dataset_alone_is_enough():
    (spec,) = specs(dataset="builtin-karate")
    assert (spec.dataset.name, spec.teacher.name, spec.student.name) == ("builtin-karate", "gat", "gcn")
    assert [part.name for part in spec.method] == ["kd"]
    assert spec.seed == 0


def test_dotted_options_reach_their_parts():
    (spec,) = specs(
        "--teacher.heads", "2", "--student.hidden-channels", "3", "--kd.alpha", "0.25", "--gcrd.weight", "0.5",
        "--training.epochs", "7", "--teacher-training.epochs", "9",
        dataset="builtin-karate", method="kd+gcrd",
    )  # fmt: skip
    assert (spec.teacher.heads, spec.student.hidden_channels) == (2, 3)
    assert (spec.method[0].alpha, spec.method[1].weight) == (0.25, 0.5)
    assert (spec.training.epochs, spec.teacher_training.epochs) == (7, 9)


def test_one_spec_per_seed_differs_only_in_its_seed():
    found = specs(dataset="builtin-karate", seeds="0-2,7")
    assert [spec.seed for spec in found] == [0, 1, 2, 7]
    assert all(spec.replace(seed=0) == found[0] for spec in found)


@pytest.fixture
def spec_file(tmp_path):
    file = tmp_path / "spec.yaml"
    file.write_text(
        "dataset: builtin-karate\nteacher: {name: gat, heads: 2}\nstudent: {name: gcn, hidden_channels: 3}\n"
        "method: [{name: kd, alpha: 0.25}]\nseed: 5\ntraining: {epochs: 7, patience: 3}\n"
    )
    return file


def test_a_spec_file_says_what_was_not_typed(spec_file):
    (spec,) = specs(spec=spec_file)
    assert (spec.teacher.heads, spec.student.hidden_channels, spec.method[0].alpha) == (2, 3, 0.25)
    assert (spec.seed, spec.training.epochs) == (5, 7)


def test_what_was_typed_counts_more_than_the_file(spec_file):
    (spec,) = specs("--training.epochs", "8", "--teacher.heads", "4", spec=spec_file, seeds="1")
    assert (spec.training.epochs, spec.training.patience, spec.teacher.heads, spec.seed) == (8, 3, 4, 1)


def test_options_of_the_file_stay_with_their_component(spec_file):
    (same,) = specs(spec=spec_file, teacher="gat", method="kd+gcrd")
    assert (same.teacher.heads, same.method[0].alpha) == (2, 0.25)
    (other,) = specs(spec=spec_file, teacher="gcn", student="mlp")
    assert (other.teacher.name, other.student.name) == ("gcn", "mlp")
    assert other.student.hidden_channels != 3


def test_a_spec_written_by_a_run_is_read_back(spec_file, tmp_path):
    (spec,) = specs(spec=spec_file)
    (tmp_path / "again.yaml").write_text(spec.to_yaml())
    assert specs(spec=tmp_path / "again.yaml") == [spec]


def test_a_budget_chooses_the_widest_student_that_fits(capsys):
    # A GCN of two layers on 34 features and 4 classes has 34 h + h + 4 h + 4 parameters.
    (spec,) = specs(dataset="builtin-karate", budget_parameters=39 * 5 + 4 + 38)
    assert spec.student.hidden_channels == 5
    assert "hidden-channels 5, 199 parameters" in capsys.readouterr().err


def test_a_budget_in_megabytes_counts_four_bytes_per_parameter():
    (spec,) = specs(dataset="builtin-karate", budget_megabytes=0.0008)  # 200 parameters; five units take 199
    assert spec.student.hidden_channels == 5


def test_a_compression_is_relative_to_the_teacher():
    (spec,) = specs("--teacher.hidden-channels", "40", dataset="builtin-karate", teacher="gcn", compression=10)
    assert spec.student.hidden_channels == ((39 * 40 + 4) // 10 - 4) // 39
