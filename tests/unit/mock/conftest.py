"""Mock stars of given labels, and the strength of what is seen in them."""

import numpy as np
import pytest
import torch

from torchfit.mock.star import StarModel

STEP = 5e-5


def grid(low, high):
    """Grid of the step that surveys use, in vacuum Angstrom."""
    n_pix = int((np.log10(high) - np.log10(low)) / STEP)
    return torch.from_numpy(low * 10 ** (STEP * np.arange(n_pix)))


class Stars:
    """Stars on one grid, asked for by label; what is not said is solar."""

    def __init__(self):
        self.wave = grid(3590.0, 10420.0)
        self.model = StarModel(self.wave)

    @staticmethod
    def labels(teff=5777.0, logg=4.44, fe_h=0.0, alpha_fe=0.0):
        given = [
            torch.as_tensor(value, dtype=torch.float64) for value in (teff, logg, fe_h, alpha_fe)
        ]
        return torch.stack(
            torch.broadcast_tensors(*(torch.atleast_1d(value) for value in given)), 1
        )

    def flux(self, **labels):
        return self.model(self.labels(**labels))

    def equivalent_width(self, low, high, **labels):
        """Equivalent width in Angstrom between two wavelengths, under the line from end to end."""
        inside = (self.wave > low) & (self.wave < high)
        wave, flux = self.wave[inside], self.flux(**labels)[:, inside]
        share = (wave - wave[0]) / (wave[-1] - wave[0])
        ends = [flux[:, :5].amax(1, keepdim=True), flux[:, -5:].amax(1, keepdim=True)]
        return torch.trapezoid(1 - flux / (ends[0] * (1 - share) + ends[1] * share), wave, dim=1)


@pytest.fixture(scope="session")
def stars():
    return Stars()
