import numpy as np
import pytest

from torchfit.paper.matched_library import CLASSES
from torchfit.paper.panels import COLOURS, class_panels, few_decades, logarithmic


def test_every_class_has_a_colour():
    assert tuple(COLOURS) == CLASSES and len(set(COLOURS.values())) == len(CLASSES)


@pytest.mark.parametrize("n_panels", [1, 3, 4, 6])
def test_there_is_a_panel_for_each_name(n_panels):
    figure, panels = class_panels([str(n) for n in range(n_panels)])
    assert [axes.get_title() for axes in panels.values()] == list(panels)
    assert sum(axes.get_visible() for axes in figure.axes) == n_panels


def test_numbers_stand_at_the_values():
    _, panels = class_panels(["a"])
    logarithmic(panels["a"], "x", [5.0, 10.0, 50.0])
    panels["a"].figure.canvas.draw()
    assert [text.get_text() for text in panels["a"].get_xticklabels()] == ["5", "10", "50"]


@pytest.mark.parametrize("limits", [(1.0, 2.0), (0.002, 0.9), (1e-4, 1e3)])
def test_a_few_plain_numbers_stand_on_an_axis(limits):
    _, panels = class_panels(["a"])
    panels["a"].set_xlim(*limits)
    few_decades(panels["a"], "x")
    panels["a"].figure.canvas.draw()
    inside = [t for t in panels["a"].get_xticks() if limits[0] <= t <= limits[1]]
    assert 1 <= len(inside) <= 6 and np.all(np.diff(inside) > 0)
