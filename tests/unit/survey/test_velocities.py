"""Spectra without a redshift, on their way into shards."""

import math
import re

import numpy as np
import pytest
import torch
from tests.unit.survey.readers import WAVE, Fake

from torchfit.exceptions import DataError
from torchfit.names import SPEED_OF_LIGHT
from torchfit.spectra import Spectrum, StarInfo
from torchfit.survey.pack import Packing
from torchfit.survey.shards import Shard
from torchfit.velocity.redshifts import VelocityMeasurement

STATED = 2e-4
SOURCES = ("0:0", "1:stated", "2:-120", "3:90", "4:flat")


class Moving(Fake):
    """A source is ``number:km/s``; its redshift is stated by ``stated`` alone, which is at it."""

    def __init__(self, *sources, template):
        super().__init__(*sources)
        self.template = template

    def part(self, sources):
        return Moving(*sources, template=self.template)

    def read(self, source):
        kind = source.partition(":")[2]
        z = STATED if kind == "stated" else math.nan
        velocity = STATED * SPEED_OF_LIGHT if kind == "stated" else 0.0
        velocity = float(kind) if kind not in ("stated", "flat") else velocity
        at_rest = WAVE / (1 + velocity / SPEED_OF_LIGHT)
        flux = np.interp(at_rest, *self.template) if kind != "flat" else np.ones_like(WAVE)
        return Spectrum(WAVE, flux, np.full_like(flux, 1e4), StarInfo(source, z=z))


@pytest.fixture(scope="module")
def reader(emulator):
    flux = emulator.flux(emulator.library.labels[:1])[0].numpy()
    return Moving(*SOURCES, template=(emulator.wave.numpy(), flux))


@pytest.fixture
def pack(preprocessor, emulator, reader, tmp_path):
    def run(when, folder="shards", **settings):
        redshifts = VelocityMeasurement(when, n_templates=90, max_velocity=600.0)
        return Packing(**settings).pack(
            reader, preprocessor, emulator.flux_pca.good, tmp_path / folder,
            redshifts=redshifts.redshifts(emulator),
        )  # fmt: skip

    return run


def info_of(paths):
    return Shard(paths[0]).info().set_index("source")


def test_a_spectrum_without_a_redshift_is_rejected_where_none_is_measured(pack):
    paths, rejects = pack("never")
    assert info_of(paths).index.tolist() == ["1:stated"]
    assert rejects["source"].tolist() == ["0:0", "2:-120", "3:90", "4:flat"]
    assert rejects["reason"].str.startswith("no redshift (velocity=missing").all()


def test_velocities_that_are_missing_are_measured(pack):
    paths, rejects = pack("missing")
    info = info_of(paths)
    for velocity in (0, -120, 90):
        row = next(info.loc[name] for name in info.index if name.endswith(f":{velocity}"))
        assert row["v_ccf"] == pytest.approx(velocity, abs=5)
        assert row["z"] == pytest.approx(row["v_ccf"] / SPEED_OF_LIGHT)
        assert row["z_err"] == pytest.approx(row["e_v_ccf"] / SPEED_OF_LIGHT)
        assert 0 <= row["ccf_ratio"] < 1
    stated = info.loc["1:stated"]
    assert stated["z"] == STATED
    assert np.isnan([stated["v_ccf"], stated["e_v_ccf"], stated["ccf_ratio"]]).all()
    assert rejects["source"].tolist() == ["4:flat"]
    assert rejects["reason"][0] == "no redshift, and no template correlates with the spectrum"


def test_all_are_measured_where_that_is_asked_for(pack):
    stated = info_of(pack("always")[0]).loc["1:stated"]
    assert stated["v_ccf"] == pytest.approx(STATED * SPEED_OF_LIGHT, abs=5)
    assert stated["z"] == pytest.approx(stated["v_ccf"] / SPEED_OF_LIGHT)


def test_spectra_come_to_rest(pack, preprocessor, emulator):
    paths, _ = pack("missing", shard_size=100)
    spectra = Shard(paths[0]).spectra(preprocessor.wave, [0, 1, 2, 3])
    at_rest, both = spectra.flux[0], (spectra.ivar > 0).all(dim=0)
    for moved in spectra.flux[1:]:
        assert (moved - at_rest)[both].abs().max() < 0.02


@pytest.mark.parametrize("settings", [{"shard_size": 1}, {"workers": 2, "shard_size": 2}])
def test_velocities_do_not_depend_on_shards_or_processes(pack, settings):
    whole = info_of(pack("missing", "whole")[0])
    paths, _ = pack("missing", "parts", **settings)
    for path in paths:
        part = Shard(path).info().set_index("source")
        expected = torch.from_numpy(whole.loc[part.index, ["v_ccf", "z", "e_v_ccf"]].to_numpy())
        found = torch.from_numpy(part[["v_ccf", "z", "e_v_ccf"]].to_numpy())
        torch.testing.assert_close(found, expected, equal_nan=True, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("unit", [10.0, 1e4, 1e-4])
def test_wavelengths_beyond_the_emulator_are_said_to_be_that(
    reader, emulator, preprocessor, tmp_path, unit
):
    class Other(Fake):
        """Wavelengths in another unit than Angstrom."""

        def read(self, source):
            flux = reader.read("0:0").flux
            return Spectrum(WAVE / unit, flux, np.ones_like(flux), StarInfo(source, z=math.nan))

    redshifts = VelocityMeasurement("missing", n_templates=90).redshifts(emulator)
    low, high = emulator.wave[[0, -1]].tolist()
    first, last = (WAVE / unit)[[0, -1]]
    reason = (
        f"a: no good pixel within {low:.0f}-{high:.0f} Angstrom, the range of the emulator: they "
        f"lie within {first:.5g}-{last:.5g}"
    )
    with pytest.raises(DataError, match=re.escape(reason)):
        Packing().pack(
            Other("a"), preprocessor, emulator.flux_pca.good, tmp_path, redshifts=redshifts
        )
