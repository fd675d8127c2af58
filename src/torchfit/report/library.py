"""The page of a library made of a survey: what it covers, what coadding gained, what is left."""

from collections.abc import Mapping, Sequence

import numpy as np

from torchfit.products.survey_library import Template
from torchfit.report.figures.density import Axis, density_figure
from torchfit.report.figures.spectrum import spectrum_figure
from torchfit.report.metrics import TEFF_BINS, robust_sigma
from torchfit.report.page import Section, render_page
from torchfit.report.rows import Row

_SHOWN = 4


def library_report(
    templates: Sequence[Template], wave: np.ndarray, summary: Mapping[str, str]
) -> str:
    """Render the page.

    Args:
        templates: The templates.
        wave: Vacuum wavelength in Angstrom.
        summary: What stands at the top, word by word.

    Returns:
        HTML, self-contained.
    """
    sections = (_coverage(templates), _gain(templates), _residuals(templates, wave))
    return render_page("Library of a survey", summary, sections)


def template_rows(templates: Sequence[Template]) -> list[Row]:
    """What the templates are, by range of temperature.

    Args:
        templates: The templates.

    Returns:
        Rows ``teff, templates, stars, snr_star, snr, residual``: medians of the signal-to-noise
        ratio of a contributor and of a template, and the robust scatter of flux less the model of
        the emulator that had measured the contributors; a range without a template has no row.
    """
    inside = {
        each.name: [t for t in templates if each.low <= t.labels["teff"] < each.high]
        for each in TEFF_BINS
    }
    return [
        {
            "teff": name,
            "templates": len(some),
            "stars": sum(each.n_stars for each in some),
            "snr_star": float(np.median([each.snr_star for each in some])),
            "snr": float(np.median([each.snr for each in some])),
            "residual": robust_sigma(np.concatenate([each.residual for each in some])),
        }
        for name, some in inside.items()
        if some
    ]


def _coverage(templates: Sequence[Template]) -> Section:
    teff, logg = _labels(templates, "teff"), _labels(templates, "logg")
    axes = Axis("Teff (K)", teff, is_teff=True), Axis("log g", logg, reversed=True)
    figures = [("Templates in the Kiel diagram", density_figure(*axes))]
    if "fe_h" in templates[0].labels:
        fe_h = Axis("[Fe/H]", _labels(templates, "fe_h"))
        figures.append(("Templates by temperature and metallicity", density_figure(axes[0], fe_h)))
    return Section(
        "Coverage",
        "Labels of the templates, the weighted means of their contributors. What the survey has no "
        "good stars of, a library made of it has not either.",
        figures,
        [("Templates by temperature", template_rows(templates))],
    )


def _gain(templates: Sequence[Template]) -> Section:
    gain = np.array([each.snr / max(each.snr_star, 1e-3) for each in templates])
    n_stars = np.array([each.n_stars for each in templates], dtype=float)
    figure = density_figure(
        Axis("root of the number of stars", np.sqrt(n_stars)), Axis("gain", gain)
    )
    return Section(
        "Signal-to-noise ratio",
        "Median ratio per pixel of a template over that of its median contributor. Stars of equal "
        "errors gain the root of their number.",
        [("Gain of the signal-to-noise ratio", figure)],
    )


def _residuals(templates: Sequence[Template], wave: np.ndarray) -> Section:
    places = np.unique(np.linspace(0, len(templates) - 1, _SHOWN).astype(int))
    figures = []
    for each in (templates[place] for place in places):
        good = np.isfinite(each.residual)
        title = ", ".join(
            f"{name} {value:.4g}" for name, value in each.labels.items() if name[:2] != "e_"
        )
        flux, model = each.mean.flux.numpy(), each.model
        title = f"{each.name}: {title}, {each.n_stars} stars"
        figures.append((title, spectrum_figure(wave, flux, model, good, title)))
    return Section(
        "Residuals against the emulator",
        "Coadded spectra, and the mean of the models of their contributors: what is left is what "
        "the emulator that has measured them does not know.",
        figures,
    )


def _labels(templates: Sequence[Template], name: str) -> np.ndarray:
    return np.array([each.labels[name] for each in templates])
