from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from torchfit.catalogue.result import result_table
from torchfit.catalogue.schema import CLIPPED, columns
from torchfit.measure.measurement import Measurement
from torchfit.names import LABELS
from torchfit.optimise.problem import STOP_REASONS, Fit
from torchfit.spectra import StarInfo
from torchfit.survey.shards import star_row
from torchfit.uncertainty.fisher import LabelErrors
from torchfit.uncertainty.posterior import Posterior

THREE = LABELS[:3]


@pytest.fixture
def stars():
    infos = [
        StarInfo(f"{name}.fits", obsid=number, name=name, labels={"teff": 5000.0 + number})
        for number, name in enumerate("abcd")
    ]
    rows = pd.DataFrame([star_row(10 * number, info) for number, info in enumerate(infos)])
    rows = rows.drop(columns="checksum")  # It is for finding copies, and stays in the shards.
    rows = rows.assign(n_exposures=[1, 1, 3, 1])
    rows = rows.assign(spectral_class=list("FGKM"), in_library=[True, False, True, False])
    return rows.iloc[[2, 0]]


@pytest.fixture
def measured():
    """Stars c and a, in this order."""
    labels = torch.tensor([[5000.0, 4.0, -1.0], [6000.0, 3.0, 0.0]], dtype=torch.float64)
    two, whole = torch.tensor([1.0, 2.0], dtype=torch.float64), torch.tensor([3, 4])
    fit = Fit(labels, two, whole, whole + 10, torch.tensor([0, len(STOP_REASONS) - 1]))
    return Measurement(
        star=torch.tensor([2, 0]),
        group=torch.tensor([7, 8]),
        labels=labels,
        errors=LabelErrors(0.006 * labels.abs(), 0.008 * labels.abs()),
        posterior=None,
        start=labels + 1,
        grouped=labels + 2,
        cfi=two / 10,
        chi2=two * 1000,
        sse=two,
        n_pix=torch.tensor([103, 1003]),
        clipped=torch.tensor([[True, False, True, True], [False] * 4]),
        outlier_score=two,
        v_rad=torch.full_like(two, torch.nan),
        flags=torch.tensor([0, 17]),
        fit=fit,
    )


def test_rows_have_the_schema(measured, stars):
    table = result_table(measured, stars, THREE)
    schema = (*columns(THREE), CLIPPED)
    assert list(table.columns) == [column.name for column in schema]
    assert list(table.index) == [0, 1]


def test_outliers_are_counted_and_named(measured, stars):
    table = result_table(measured, stars, THREE)
    assert table["n_clipped"].tolist() == [3, 0]
    assert table["clipped"].tolist() == ["0 2-3", ""]


def test_a_row_joins_the_star_with_its_measurement(measured, stars):
    table = result_table(measured, stars, THREE).set_index("source")
    c, a = table.loc["c.fits"], table.loc["a.fits"]
    assert (c["star"], c["obsid"], c["name"], c["spectral_class"]) == (20, 2, "c", "K")
    assert (c["n_exposures"], a["n_exposures"]) == (3, 1)
    assert (a["star"], a["obsid"], a["name"], a["spectral_class"]) == (0, 0, "a", "F")
    assert (c["teff"], c["e_teff"], c["teff_start"], c["teff_lit"]) == (5000, 50, 5001, 5002)
    assert (c["teff_group"], a["fe_h_group"]) == (5002, 2)
    assert (a["fe_h"], a["e_fe_h"], a["fe_h_start"]) == (0, 0, 1)
    assert np.isnan(a["fe_h_lit"])
    assert (c["group"], a["group"]) == (7, 8)
    assert (c["flags"], a["flags"]) == (0, 17)
    assert (c["iterations"], c["evaluations"]) == (3, 13)
    assert (c["stop"], a["stop"]) == (str(STOP_REASONS[0]), str(STOP_REASONS[-1]))
    assert c["in_library"]
    assert np.isnan(c["v_rad"])


def test_reduced_chi_squared_is_per_degree_of_freedom(measured, stars):
    table = result_table(measured, stars, THREE)
    assert table["rchi2"].tolist() == [10.0, 2.0]


def test_published_labels_that_the_emulator_does_not_know_are_left_out(measured, stars):
    assert "alpha_fe_lit" in stars
    assert "alpha_fe_lit" not in result_table(measured, stars, THREE)


def test_the_stars_may_have_any_index(measured, stars):
    moved = stars.set_index(pd.Index([9, 8]))
    pd.testing.assert_frame_equal(
        result_table(measured, moved, THREE), result_table(measured, stars, THREE)
    )


def test_a_tensor_with_a_gradient_is_a_number(measured, stars):
    learned = replace(measured, chi2=measured.chi2.requires_grad_())
    assert result_table(learned, stars, THREE)["chi2"].tolist() == [1000, 2000]


def test_errors_come_in_parts(measured, stars):
    row = result_table(measured, stars, THREE).iloc[0]
    assert row["e_teff"] == row["e_teff_fisher"] == 50
    assert (row["e_teff_ran"], row["e_teff_sys"]) == pytest.approx((40, 30))


def test_a_sampled_posterior_has_columns_beside_the_error(measured, stars):
    posterior = Posterior.unsampled(measured.labels)
    one = Posterior(
        measured.labels[:1] + 5,
        torch.diag(torch.tensor([100.0, 4, 9], dtype=torch.float64) ** 2)[None],
        measured.labels[:1, :, None] + torch.tensor([-1.0, 0, 1], dtype=torch.float64),
        torch.tensor([1.01], dtype=torch.float64),
        torch.tensor([900.0], dtype=torch.float64),
    )
    posterior.put(torch.tensor([1]), one)
    table = result_table(replace(measured, posterior=posterior), stars, THREE)
    schema = (*columns(THREE, sampled=True), CLIPPED)
    assert list(table.columns) == [column.name for column in schema]
    other, row = table.iloc[0], table.iloc[1]
    assert (row["teff_mean"], row["teff_std"], row["rhat"], row["ess"]) == (5005, 100, 1.01, 900)
    assert (row["teff_p16"], row["teff_p50"], row["teff_p84"]) == (4999, 5000, 5001)
    assert row["e_teff"] == row["e_teff_fisher"] == 60
    assert np.isnan(other["teff_mean"])
    assert other["e_teff"] == other["e_teff_fisher"] == 50
