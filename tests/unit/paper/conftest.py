import pytest
import torch

from torchfit.paper.matched_library import MatchedLibrary


@pytest.fixture
def matched(generator):
    """Sixty stars along a sequence; each has its neighbours along it as matched sets."""
    teff = torch.linspace(4000, 7000, 60, dtype=torch.float64)
    noise = torch.randn(60, 2, generator=generator, dtype=torch.float64)
    labels = torch.cat([teff[:, None], torch.tensor([4.0, -0.2]) + 0.2 * noise], dim=1)
    distance = (teff[:, None] - teff).abs()
    sets = distance.fill_diagonal_(1e9).argsort(dim=1)[:, :30]
    widths = torch.tensor([1000.0, 1.0, 0.5], dtype=torch.float64).expand(60, 3)
    return MatchedLibrary(labels, ("teff", "logg", "fe_h"), sets, widths, labels)
