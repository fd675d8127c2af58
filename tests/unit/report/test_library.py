import numpy as np
import pytest
import torch

from torchfit.products.coadd import Mean
from torchfit.products.survey_library import Template
from torchfit.report.library import library_report, template_rows

WAVE = np.linspace(5000.0, 5100.0, 101)


def template(number, teff):
    rng = np.random.default_rng(number)
    flux = torch.from_numpy(1 + 0.01 * rng.standard_normal(101))
    ivar = torch.full((101,), 1e4, dtype=torch.float64)
    flux[5], ivar[5] = 0.0, 0.0
    n = torch.full((101,), 9)
    model = np.ones(101)
    model[90:] = np.nan
    labels = {"teff": teff, "e_teff": 30.0, "logg": 4.0, "e_logg": 0.1, "fe_h": -0.1, "e_fe_h": 0.1}
    mean = Mean(flux, ivar, n, ivar.expand(9, -1) / 9)
    return Template(f"bin {number:05d}", labels, 9, mean, model, 100.0, 33.0)


@pytest.fixture
def templates():
    return [template(number, teff) for number, teff in enumerate([3500.0, 5200.0, 5900.0, 12000.0])]


def test_rows_by_temperature(templates):
    rows = {row["teff"]: row for row in template_rows(templates)}
    assert list(rows) == ["< 4000 K", "5000-6000 K", "> 10000 K"]
    assert rows["5000-6000 K"]["templates"] == 2
    assert rows["5000-6000 K"]["stars"] == 18
    assert rows["5000-6000 K"]["residual"] == pytest.approx(0.01, rel=0.25)


def test_pixels_without_flux_or_model_are_no_residual(templates):
    unknown = np.flatnonzero(np.isnan(templates[0].residual))
    assert unknown.tolist() == [5, *range(90, 101)]


@pytest.mark.parametrize("n", [1, 4])
def test_the_page_opens_alone(templates, n):
    page = library_report(templates[:n], WAVE, {"templates": str(n)})
    for word in ("Coverage", "Kiel diagram", "Signal-to-noise", "Residuals", "bin 00000"):
        assert word in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert page == library_report(templates[:n], WAVE, {"templates": str(n)})
