import subprocess
import sys
from io import BytesIO

import matplotlib

from torchfit.names import Label
from torchfit.report.style import SQUARE, axis_name, make_teff_axis, new_figure, styled


@styled
def _png():
    figure = new_figure(SQUARE)
    figure.subplots().set_xlabel(axis_name("logg", "published"))
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def test_style_does_not_depend_on_the_user_and_leaves_no_trace():
    with matplotlib.rc_context({"font.size": 30.0, "axes.facecolor": "red"}):
        loud, size = _png(), matplotlib.rcParams["font.size"]
    assert size == 30.0
    assert loud == _png()


def test_report_never_loads_pyplot():
    code = (
        "import sys, torchfit.report.survey, torchfit.report.training;"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_axis_name_has_symbol_word_and_unit():
    assert axis_name("teff") == r"$T_\mathrm{eff}$ (K)"
    assert axis_name("fe_h", "published") == "[Fe/H] published (dex)"
    assert axis_name("logg").endswith("(dex)")


def test_any_other_label_has_its_name_and_its_unit():
    assert axis_name(Label("vsini", "km/s", "Rotation"), "published") == "vsini published (km/s)"
    assert axis_name(Label("activity")) == "activity"


def test_teff_axis_is_logarithmic_in_plain_kelvin():
    axes = new_figure(SQUARE).subplots()
    make_teff_axis(axes, "y")
    axes.set_ylim(3500.0, 12000.0)
    axes.figure.draw_without_rendering()
    shown = [text.get_text() for text in axes.get_yticklabels()]
    assert axes.get_yscale() == "log" and axes.get_xscale() == "linear"
    assert "5000" in shown and "10000" in shown
