"""Whether errors are honest, from library to survey, where the truth is known.

The slow and wide version is ``python benchmarks/intervals.py``.
"""

import numpy as np
import pandas as pd
import pytest
import torch
from tests.conftest import N_LABELS
from tests.metrics import plain_metric

from torchfit.emulator.gp import SharedKernelGP
from torchfit.group.grouping import Grouping
from torchfit.library.library import Library
from torchfit.match.matching import Matching
from torchfit.measure.batch import GroupBatch
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.settings import FitSettings
from torchfit.names import LABELS
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.run.held_out import hold_out
from torchfit.uncertainty.survey_errors import Uncertainty

N_LIBRARY, N_SURVEY = 240, 400
LABEL_ERRORS = torch.tensor([60.0, 0.12, 0.08], dtype=torch.float64)
"""Scatter of the published labels: what a fit's own errors know nothing of."""
SHARES = {1.0: 0.6827, 1.96: 0.95}


def coverage(error, size, n_sigma):
    return (error.abs() < n_sigma * size).double().mean(dim=0)


def allowed(share, n_stars):
    """Four binomial standard errors, and the same of the stars that taught the errors."""
    return 4 * np.sqrt(share * (1 - share) * (1 / n_stars + 1 / N_LIBRARY))


@pytest.fixture(scope="module")
def emulator(training, observe, draw_labels, preprocessor):
    """An emulator of stars whose published labels have errors, with its own error model."""
    truth = draw_labels(N_LIBRARY, 90)
    generator = torch.Generator().manual_seed(90)
    published = truth + LABEL_ERRORS * torch.randn(truth.shape, generator=generator).double()
    names = tuple(f"star {number}" for number in range(N_LIBRARY))
    spectra = preprocessor.normalised_again(observe(truth, 0.005, seed=90))
    library = Library(
        spectra,
        published,
        LABELS[:N_LABELS],
        names,
        torch.full_like(spectra.wave, 2.0),
        {"licence": "none"},
    )
    gp = SharedKernelGP(training.kernel(N_LABELS), training.noise)
    made = training.build(library, preprocessor, gp, lambda gp, table: None)
    uncertainty = Uncertainty()
    _, labels = hold_out(made, training, SETTINGS, uncertainty.n_noisy)
    return made, uncertainty.learn(library, labels.quiet, labels.noisy)


SETTINGS = FitSettings(
    Matching(t=15), Grouping(n_group=1000), plain_metric(), {"lm": LevenbergMarquardt()}
)


@pytest.fixture(scope="module", params=[0.005, 0.02, 0.05], ids=lambda sigma: f"noise {sigma}")
def survey(request, emulator, observe, draw_labels):
    """Stars as the library would have published them: measured minus published, and errors."""
    truth = draw_labels(N_SURVEY, 91)
    generator = torch.Generator().manual_seed(91)
    published = truth + LABEL_ERRORS * torch.randn(truth.shape, generator=generator).double()
    star = torch.arange(N_SURVEY)
    made, errors = emulator
    # Normalised with their noise, as the noisy stars of the library are that teach the errors.
    spectra = made.preprocessor.normalised_again(observe(truth, request.param, seed=91))
    batch = GroupBatch(star, torch.zeros_like(star), spectra)
    found = BatchFitter(made, SETTINGS).measure(batch)
    table = pd.DataFrame({"source": [str(number) for number in range(N_SURVEY)]})
    table[["uid", "name"]] = ""
    table[["obsid", "mjd"]] = None
    for place, name in enumerate(LABELS[:N_LABELS]):
        table[name] = found.labels[:, place].numpy()
        table[f"e_{name}_sys"] = found.errors.model[:, place].numpy()
        table[f"e_{name}_ran"] = found.errors.noise[:, place].numpy()
    names, unknown = LABELS[:N_LABELS], np.full(N_SURVEY, np.nan)
    final = Uncertainty(random=None).calibrate(table, names, errors, unknown).table
    errors = final[[f"e_{name}" for name in LABELS[:N_LABELS]]].to_numpy()
    return found, published, torch.from_numpy(errors)


@pytest.mark.parametrize("n_sigma", SHARES)
def test_calibrated_errors_cover_what_they_say(survey, n_sigma):
    found, published, total = survey
    share = SHARES[n_sigma]
    covered = coverage(found.labels - published, total, n_sigma)
    assert ((covered - share).abs() < allowed(share, N_SURVEY)).all(), covered


def test_errors_half_as_large_again_would_be_seen(survey):
    found, published, total = survey
    for wrong in (total / 1.5, total * 1.5):
        covered = coverage(found.labels - published, wrong, 1.0)
        assert ((covered - 0.6827).abs() > allowed(0.6827, N_SURVEY)).any()
