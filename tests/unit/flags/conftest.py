import numpy as np
import pandas as pd
import pytest


def _survey(n_stars=600, name="G", seed=0):
    """Stars of one class whose misfit falls with the noise and stays from S/N of about 10 on."""
    rng = np.random.default_rng(seed)
    snr = rng.uniform(2, 60, n_stars)
    misfit = (0.03**2 + snr**-2.0) * rng.lognormal(0, 0.3, n_stars)
    return pd.DataFrame(
        {
            "spectral_class": [name] * n_stars,
            **{f"snr_{band}": snr for band in "ugriz"},
            "teff": rng.uniform(5300, 5900, n_stars),
            "logg": rng.uniform(2, 5, n_stars),
            "fe_h": rng.uniform(-1, 0.3, n_stars),
            "sse": 3000 * misfit,
            "n_pix": 3000,
            "rchi2": rng.lognormal(0, 0.2, n_stars),
            "flags": 0,
            "sum_ormask": pd.array([0] * n_stars, "Int64"),
        }
    )


@pytest.fixture
def survey():
    """``survey(n_stars, name, seed)``: what the rules of a whole survey look at."""
    return _survey
