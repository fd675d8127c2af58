import numpy as np

from torchfit.report.figures.neighbours import neighbour_figure

WAVE = np.arange(4000.0, 4050.0)


def test_one_panel_for_each_other_spectrum():
    others = [("model", np.full(50, 0.9)), ("$\\bad {x_2}", np.full(50, 1.1))]
    figure = neighbour_figure(WAVE, np.ones(50), others, "star $\\x_")
    figure.draw_without_rendering()
    assert len(figure.axes) == 2
    assert [axes.get_title(loc="right") for axes in figure.axes] == ["model", "$\\bad {x_2}"]
    assert figure.axes[0].get_title(loc="left") == "star $\\x_"
    colours = {axes.lines[1].get_color() for axes in figure.axes}
    assert len(colours) == 2
    assert all((axes.lines[0].get_ydata() == 1).all() for axes in figure.axes)
