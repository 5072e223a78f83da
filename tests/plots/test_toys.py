"""The toys' pictures: what is drawn is what the formulas say, and every slider changes something."""

import numpy as np
import pytest

from workbench.analysis import layer_toys
from workbench.analysis import toys as formulas
from workbench.plots import theme, toys

SLIDERS = {  # a view -> a choice, and two of its values
    "soft_labels": {"temperature": (1.0, 4.0), "knows": (0.0, 1.0)},
    "all_labels": {"lam": (0.0, 0.5), "knows": (0.0, 1.0)},
    "smoothed_labels": {"epsilon": (0.1, 0.5), "knows": (0.0, 1.0)},
    "hints": {"degrees": (0, 90), "length": (0.5, 2.0)},
    "activations": {"factor": (0.0, 2.0), "p": (1, 2)},
    "local_structure": {"across": (-3.0, 3.0), "kernel": ("rbf", "l2"), "sigma": (0.5, 2.0)},
    "all_pairs": {"noise": (0.0, 1.0), "kernel": ("cosine", "l2")},
    "contrast": {"temperature": (0.075, 1.0), "noise": (0.0, 1.0), "nodes": (4, 12)},
    "layer_pairs": {"alignment": (0.0, 1.0), "scale": (0.5, 2.0)},
    "candidates": {"temperature": (0.5, 2.0), "lag": (0.0, 2.0), "knows": (0.5, 1.0)},
}
CASES = [(view, name) for view, sliders in SLIDERS.items() for name in sliders]


def heat_maps(figure):
    return [trace.z for trace in figure.data if trace.type == "heatmap"]


def bars(figure, name):
    return next(np.asarray(trace.y) for trace in figure.data if trace.type == "bar" and trace.name == name)


def is_marked(trace):
    """Whether it is more than a line, which may have gaps."""
    return trace.type == "bar" or "markers" in trace.mode


@pytest.mark.parametrize(("view", "name"), CASES)
def test_every_slider_changes_the_picture(view, name):
    draw = getattr(toys, view)
    first, second = SLIDERS[view][name]
    assert draw(**{name: first}) != draw(**{name: second})


@pytest.mark.parametrize("view", SLIDERS)
def test_every_axis_of_every_picture_is_named_and_every_number_is_finite(view):
    figure = getattr(toys, view)()
    assert all(axis.title.text for axis in figure.select_xaxes())
    assert next(figure.select_yaxes()).title.text
    for trace in figure.data:
        numbers = [trace.z] if trace.type == "heatmap" else [trace.y] if is_marked(trace) else []
        assert all(np.isfinite(values).all() for values in numbers)


@pytest.mark.parametrize("view", ["soft_labels", "activations", "local_structure"])
def test_teacher_and_student_have_the_colours_that_they_have_everywhere(view):
    shades = {trace.name: trace.marker.color for trace in getattr(toys, view)().data if trace.type == "bar"}
    assert shades == {"Teacher": theme.TEACHER, "Student": theme.STUDENT}


def test_bars_are_the_distributions_of_the_centre():
    figure = toys.local_structure(-2.0, "poly")
    assert bars(figure, "Teacher") == pytest.approx(formulas.neighbour_distribution(formulas.star(), "poly"))
    assert bars(figure, "Student") == pytest.approx(formulas.neighbour_distribution(formulas.dragged(-2.0), "poly"))


def test_the_curve_passes_through_the_loss_at_the_chosen_temperature():
    figure = toys.soft_labels(2.0, 0.4)
    curve = next(trace for trace in figure.data if trace.name == "T² · KL")
    wanted = formulas.soft_label_loss(formulas.student_logits(0.4), formulas.teacher_logits(), 2.0)
    assert np.interp(2.0, curve.x, curve.y) == pytest.approx(wanted, rel=1e-3)


def test_the_smoothed_label_keeps_what_is_not_spread():
    figure = toys.smoothed_labels(0.5)
    assert bars(figure, "Smoothed label") == pytest.approx([0.6, 0.1, 0.1, 0.1, 0.1])


def test_the_contrast_shows_cosines_and_rows_that_sum_to_one():
    cosines, chosen = heat_maps(toys.contrast(0.1, 0.5, 6))
    assert np.abs(cosines).max() <= 1
    assert chosen.sum(axis=1) == pytest.approx([1.0] * 6)
    assert chosen.shape == (6, 6)


def test_the_last_panel_of_layer_pairs_is_the_product_of_the_others():
    attention, apart, product = heat_maps(toys.layer_pairs(0.3, 2.0))
    assert product == pytest.approx(attention * apart)
    assert attention.shape == (4, 3)


def test_the_difference_of_all_pairs_is_squared():
    teacher, student, gap = heat_maps(toys.all_pairs(0.8, "rbf"))
    assert gap == pytest.approx((teacher - student) ** 2)


def test_candidates_run_over_time_and_each_time_sums_to_one():
    teacher, student = heat_maps(toys.candidates(0.5, 1.0, 0.8))
    assert teacher.shape == student.shape == (len(toys.CANDIDATES), 8)
    assert teacher.sum(axis=0) == pytest.approx([1.0] * 8)
    scores = layer_toys.candidate_scores(1.0, 0.8)[1]
    assert np.log(student[0] / student[1]) == pytest.approx((scores[:, 0] - scores[:, 1]) / 0.5)
