import math
import os
from pathlib import Path

import numpy as np
import pytest
from tests.contract.reader_contract import ReaderContract
from tests.data.lamost_mrs import make as files

from torchfit.exceptions import SpectrumError
from torchfit.surveys.lamost_mrs import LamostMrsReader

BESIDE = Path(__file__).parents[3].parent / "shared" / "data"
REAL = Path(os.environ.get("TORCHFIT_TEST_DATA", BESIDE)) / "lamost_mrs"


class TestContract(ReaderContract):
    @pytest.fixture(params=[False, True], ids=["coadded", "single"])
    def reader(self, tmp_path, request):
        files.make(tmp_path / "old" / "med-1.fits.gz")
        files.make(tmp_path / "med-2.fits", one_row=True)
        return LamostMrsReader(str(tmp_path), single=request.param)

    def test_a_source_is_a_file_or_an_exposure(self, reader):
        wanted = ["med-2.fits", "old/med-1.fits.gz"]
        if reader.single:
            wanted = [f"{file}:{minute}" for file in wanted for minute in files.MINUTES]
        assert reader.sources() == wanted


@pytest.fixture
def reader(tmp_path):
    files.make(tmp_path / "med-1.fits")
    return LamostMrsReader(str(tmp_path))


def test_what_is_known_of_the_star(reader):
    info = reader.read("med-1.fits").info
    assert (info.obsid, info.mjd, info.name) == (589002051, 58025, "LAMOST J193322.51+430102.9")
    assert info.snr == {"g": 92.84, "r": 92.84}
    assert math.isnan(info.z) and info.n_bad == 6


def test_flags_and_the_ends_of_the_arms_are_bad(reader):
    """So nothing is interpolated over the gap between them."""
    spectrum = reader.read("med-1.fits")
    (gap,) = np.flatnonzero(np.diff(spectrum.wave) > 100)
    assert (spectrum.ivar[[0, gap, gap + 1, -1]] == 0).all()
    assert spectrum.ivar[files.FLAGGED] == 0


def test_the_resolution_is_that_of_the_survey(reader):
    spectrum = reader.read("med-1.fits")
    assert spectrum.wave / (2.3548 * spectrum.lsf_sigma) == pytest.approx(7500, rel=1e-3)


def test_the_shape_of_an_arm_is_divided_out_and_lines_stay(reader):
    spectrum = reader.read("med-1.fits")
    red = spectrum.wave > 6000
    assert spectrum.flux[red] == pytest.approx(1.0, abs=0.01)
    assert spectrum.flux.min() == pytest.approx(0.6, abs=0.05)


def test_one_arm_alone(tmp_path):
    files.make(tmp_path / "med-1.fits", arms="B")
    spectrum = LamostMrsReader(str(tmp_path)).read("med-1.fits")
    assert spectrum.wave[-1] < 5001 and spectrum.info.snr.keys() == {"g"}


def test_air_is_converted(tmp_path, reader):
    files.make(tmp_path / "med-2.fits", VACUUM=False)
    air, vacuum = (reader.read(name).wave[0] for name in ("med-2.fits", "med-1.fits"))
    assert air - vacuum == pytest.approx(1.35, abs=0.02)


def test_an_exposure_that_is_not_there(tmp_path, reader):
    with pytest.raises(SpectrumError, match="no such exposure"):
        LamostMrsReader(str(tmp_path), single=True).read("med-1.fits:0001")


def test_other_files_are_rejects(tmp_path):
    files.make(tmp_path / "med-1.fits", arms="")
    (tmp_path / "med-2.fits").write_bytes(b"no FITS")
    for single in (False, True):
        reader = LamostMrsReader(str(tmp_path), single=single)
        outcomes = [outcome for _, outcome in reader.spectra(reader.sources())]
        assert [type(each) for each in outcomes] == [SpectrumError] * 2


@pytest.mark.skipif(not REAL.is_dir(), reason="no real LAMOST MRS file: set TORCHFIT_TEST_DATA")
@pytest.mark.parametrize(("single", "count"), [(False, 1), (True, 4)])
def test_the_real_file(single, count):
    reader = LamostMrsReader(str(REAL), single=single)
    outcomes = [outcome for _, outcome in reader.spectra(reader.sources())]
    assert len(outcomes) == count
    for spectrum in outcomes:
        assert spectrum.good.mean() > 0.9
        assert np.median(spectrum.flux[spectrum.good]) == pytest.approx(1, abs=0.1)
