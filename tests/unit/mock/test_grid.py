import numpy as np
import pytest
import torch

from torchfit.mock.grid import RESOLVING_POWER, write_grid
from torchfit.mock.lines import LineList
from torchfit.mock.star import StarModel
from torchfit.surveys.grid import GridReader
from torchfit.surveys.grid_labels import GridLabels
from torchfit.surveys.label_pattern import LabelPattern

WAVE = torch.arange(5100.0, 5300.0, 0.5)
NAMES = r"t(?P<teff>\d+)_g(?P<logg>\d\.\d+)_m(?P<fe_h>[+-]\d\.\d+)"
SUN = torch.tensor([[5777.0, 4.44, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("format", "labels"),
    [
        (
            "npz",
            {"names": LabelPattern(r"t(?P<teff>\d+)_g(?P<logg>\d\.\d+)_m(?P<fe_h>[+-]\d\.\d+)")},
        ),
        ("fits", {"cards": {"teff": "TEFF", "logg": "LOGG", "fe_h": "FE_H"}}),
    ],
)
def test_what_is_written_is_read(tmp_path, format, labels):
    assert write_grid(tmp_path, (5000.0, 6000.0), 1, format=format) == 108
    reader = GridReader(str(tmp_path), "vacuum", labels=GridLabels(**labels))
    spectrum = reader.read(f"t05000_g5.00_m+0.50_a+0.40.{format}")
    assert spectrum.info.labels == {"teff": 5000, "logg": 5.0, "fe_h": 0.5}
    own = torch.tensor([[5000.0, 5.0, 0.5, 0.4]])
    flux = StarModel(torch.from_numpy(spectrum.wave).float())(own)[0].numpy()
    np.testing.assert_allclose(spectrum.flux / flux, np.median(spectrum.flux / flux), rtol=1e-4)


def test_the_resolving_power_is_that_lines_are_drawn_with():
    assert pytest.approx(4243.6, abs=0.1) == RESOLVING_POWER


def test_a_wrong_line_list_is_wrong_in_the_same_way_each_time():
    true, wrong, again = (StarModel(WAVE, error)(SUN) for error in (0.0, 0.3, 0.3))
    assert torch.equal(wrong, again)
    assert (wrong / true - 1).abs().max() > 0.02
    star = StarModel(WAVE, 0.3)._lines
    assert isinstance(star, LineList) and star.error == 0.3
