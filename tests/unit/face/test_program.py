import numpy as np
import pytest
from astropy.table import Table

from torchfit.face import program


@pytest.fixture
def spectra(face, make_spectrum, monkeypatch):
    made = [make_spectrum((5700.0, 3.0, -0.5), name="a.fits"), make_spectrum((6300.0, 4.0, 0.0))]
    asked = []

    def read(files, **settings):
        asked.append((files, settings))
        return made

    monkeypatch.setattr("torchfit.face.read.read_spectra", read)
    monkeypatch.setattr("torchfit.face.load.load", lambda name: face)
    return asked


def test_labels_are_printed_as_a_table(spectra, capsys, tmp_path):
    out = tmp_path / "labels.csv"
    options = ["a.fits", "b.fits", "--medium", "air", "--lsf-fwhm", "2.5", "--out", str(out)]
    program.main(options)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:5] == ["name", "teff", "e_teff", "logg", "e_logg"]
    assert lines[0].split()[-1] == "flags"
    assert sum(line.startswith("a.fits") for line in lines) == 1
    assert spectra == [(["a.fits", "b.fits"], {"format": None, "medium": "air", "lsf_fwhm": 2.5})]
    assert np.allclose(Table.read(out)["teff"], [5700, 6300], atol=400)


def test_a_file_that_is_not_there_is_one_line(capsys, tmp_path):
    with pytest.raises(SystemExit) as end:
        program.main([str(tmp_path / "nowhere.fits")])
    assert end.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("error: no such file") and len(error.splitlines()) == 1
