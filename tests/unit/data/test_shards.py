import numpy as np
import pytest
import torch

from torchfit.data.shards import Shard, star_row, write_shard
from torchfit.spectra import StarInfo

OBSID = 10**17 + 1
"""A number that a float cannot hold."""


@pytest.fixture
def rows():
    known = StarInfo(
        "a.fits",
        obsid=OBSID,
        name="HD 1",
        ra=1.5,
        dec=-2.5,
        subclass="G5",
        z=1e-4,
        snr={"g": 30.0},
        labels={"teff": 5777.0},
    )
    return [star_row(4, known), star_row(9, StarInfo("b.fits")), star_row(10, StarInfo("c.fits"))]


@pytest.fixture
def spectra(observe, draw_labels):
    return observe(draw_labels(3, 0), 0.01, masked=0.1)


@pytest.fixture
def shard(tmp_path, rows, spectra):
    write_shard(tmp_path / "shard", rows, spectra)
    return Shard(tmp_path / "shard")


def test_what_is_not_known_of_a_star_is_missing():
    row = star_row(3, StarInfo("a.fits"))
    assert row["star"] == 3
    assert row["obsid"] is None
    assert row["name"] == ""
    assert np.isnan([row[name] for name in ("ra", "dec", "snr_u", "snr_z", "teff_lit")]).all()
    assert {"snr_u", "snr_g", "snr_r", "snr_i", "snr_z", "alpha_fe_lit"} < row.keys()


def test_stars_come_back(shard, rows):
    info = shard.info()
    assert len(shard) == 3
    assert list(info["star"]) == [4, 9, 10]
    assert list(info.columns) == list(rows[0])
    assert info.loc[0, "obsid"] == OBSID
    assert info["obsid"].isna().tolist() == [False, True, True]
    assert info.loc[0, "teff_lit"] == 5777
    assert info.loc[0, "snr_g"] == 30
    assert np.isnan(info.loc[1, "snr_g"])


def test_spectra_come_back_to_single_precision(shard, spectra):
    read = shard.spectra(spectra.wave, [0, 1, 2])
    assert read.flux.dtype == read.ivar.dtype == torch.float64
    torch.testing.assert_close(read.flux, spectra.flux, rtol=1e-6, atol=0)
    torch.testing.assert_close(read.ivar, spectra.ivar, rtol=1e-6, atol=0)
    assert torch.equal(read.good, spectra.good)


def test_rows_come_in_the_order_asked_for(shard, spectra):
    some = shard.spectra(spectra.wave, np.array([2, 0]))
    whole = shard.spectra(spectra.wave, [0, 1, 2])
    assert torch.equal(some.flux, whole.flux[[2, 0]])
    assert torch.equal(some.ivar, whole.ivar[[2, 0]])


@pytest.mark.parametrize("has_ivar", [True, False])
def test_it_is_kept_whether_there_are_errors(tmp_path, rows, observe, draw_labels, has_ivar):
    spectra = observe(draw_labels(3, 0), 0.01, has_ivar=has_ivar)
    write_shard(tmp_path / "shard", rows, spectra)
    read = Shard(tmp_path / "shard").spectra(spectra.wave, [0, 1, 2])
    assert read.has_ivar.tolist() == [has_ivar] * 3


def test_no_star_may_know_its_number(tmp_path, spectra):
    rows = [star_row(star, StarInfo(f"{star}.fits")) for star in range(3)]
    write_shard(tmp_path / "shard", rows, spectra)
    assert Shard(tmp_path / "shard").info()["obsid"].isna().all()


def test_the_same_stars_give_the_same_bytes(tmp_path, rows, spectra):
    for name in "ab":
        write_shard(tmp_path / name, rows, spectra)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
