import numpy as np
import pytest
import torch

from torchfit.spectra import Spectra, StarInfo
from torchfit.survey.shards import Shard, shard_table, star_row, write_shard

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
        uid="G0001",
        gaia_source_id="4054468390158237440",
        mjd=57000,
        sum_ormask=0,
        n_bad=12,
        z_err=1e-5,
        ra_obs=1.6,
    )
    return [star_row(4, known), star_row(9, StarInfo("b.fits")), star_row(10, StarInfo("c.fits"))]


@pytest.fixture
def spectra(observe, draw_labels):
    return observe(draw_labels(3, 0), 0.01, masked=0.1)


@pytest.fixture
def shard(tmp_path, rows, spectra):
    write_shard(tmp_path / "shard", shard_table(rows, spectra))
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
    assert list(info.columns) == [name for name in rows[0] if name != "checksum"]
    assert info.loc[0, "obsid"] == OBSID
    assert info["obsid"].isna().tolist() == [False, True, True]
    assert info.loc[0, "teff_lit"] == 5777
    assert info.loc[0, "snr_g"] == 30
    assert np.isnan(info.loc[1, "snr_g"])
    assert info["gaia_source_id"].tolist() == ["4054468390158237440", "", ""]
    assert info["uid"].tolist() == ["G0001", "", ""]
    assert (info.loc[0, "z_err"], info.loc[0, "ra_obs"]) == (1e-5, 1.6)
    assert np.isnan(info.loc[0, "dec_obs"])
    for name, value in (("mjd", 57000), ("sum_ormask", 0), ("n_bad", 12)):
        assert info.loc[0, name] == value
        assert info[name].isna().tolist() == [False, True, True]


def test_spectra_come_back(shard, spectra):
    read = shard.spectra(spectra.wave, [0, 1, 2])
    good = spectra.good
    assert read.flux.dtype == read.ivar.dtype == torch.float32
    read = read.to(torch.float64)
    assert torch.equal(read.good, good)
    torch.testing.assert_close(read.flux[good], spectra.flux[good], rtol=0, atol=3e-4)
    torch.testing.assert_close(read.ivar, spectra.ivar, rtol=1e-5, atol=0)


def test_a_star_takes_less_than_twenty_kilobytes(tmp_path):
    """On the grid of MaStar, with everything known that can be."""
    info = StarInfo(
        "20241007/LN042429N340750BM01/spec-60591-LN042429N340750BM01_sp01-001.fits.gz",
        obsid=OBSID, name="LAMOST J042543.91+323730.3", uid="G" + 17 * "1", subclass="G5",
        gaia_source_id=19 * "1", mjd=60591, sum_ormask=5, n_bad=41,
    )  # fmt: skip
    n_stars, n_pix = 256, 4901
    generator = torch.Generator().manual_seed(0)
    flux = torch.rand(n_stars, n_pix, generator=generator, dtype=torch.float64)
    wave = torch.arange(n_pix, dtype=torch.float64)
    spectra = Spectra(wave, flux, flux, torch.ones(n_stars, dtype=torch.bool))
    write_shard(
        tmp_path / "shard", shard_table([star_row(n, info) for n in range(n_stars)], spectra)
    )
    assert (tmp_path / "shard").stat().st_size / n_stars < 15_300


def test_rows_come_in_the_order_asked_for(shard, spectra):
    some = shard.spectra(spectra.wave, np.array([2, 0]))
    whole = shard.spectra(spectra.wave, [0, 1, 2])
    assert torch.equal(some.flux, whole.flux[[2, 0]])
    assert torch.equal(some.ivar, whole.ivar[[2, 0]])


@pytest.mark.parametrize("has_ivar", [True, False])
def test_it_is_kept_whether_there_are_errors(tmp_path, rows, observe, draw_labels, has_ivar):
    spectra = observe(draw_labels(3, 0), 0.01, has_ivar=has_ivar)
    write_shard(tmp_path / "shard", shard_table(rows, spectra))
    read = Shard(tmp_path / "shard").spectra(spectra.wave, [0, 1, 2])
    assert read.has_ivar.tolist() == [has_ivar] * 3


def test_no_star_may_know_its_number(tmp_path, spectra):
    rows = [star_row(star, StarInfo(f"{star}.fits")) for star in range(3)]
    write_shard(tmp_path / "shard", shard_table(rows, spectra))
    assert Shard(tmp_path / "shard").info()["obsid"].isna().all()


def test_the_same_stars_give_the_same_bytes(tmp_path, rows, spectra):
    for name in "ab":
        write_shard(tmp_path / name, shard_table(rows, spectra))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
