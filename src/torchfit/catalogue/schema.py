"""The columns of the result table: name, unit, type and meaning, declared once.

A new column is one line below and one in :mod:`torchfit.catalogue.vocabulary`; the parts, the
merge and every written file follow. The fits of a survey come part by part; what needs the whole
survey or other catalogues stands behind them. Positions and redshifts are in double precision; what
is measured has three or four digits that mean something, and is in single precision.
"""

from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass

from torchfit.catalogue.vocabulary import PAPER_NAMES, ucd_of
from torchfit.exceptions import CatalogueError
from torchfit.names import LOGG, QUANTITIES, Label, label_of


@dataclass(frozen=True)
class Column:
    """One column of the result table.

    Args:
        name: Column name, the same in every file format.
        unit: Unit in FITS spelling; empty when dimensionless.
        dtype: pandas type; ``Int64`` is an integer that may be missing, a missing number is NaN
            and a missing string is empty.
        text: One sentence in ASCII that says what it is.
    """

    name: str
    unit: str
    dtype: str
    text: str

    @property
    def ucd(self) -> str:
        """Unified Content Descriptor of the IVOA."""
        return ucd_of(self.name)

    @property
    def paper(self) -> str:
        """What Table 1 of the paper calls the column; empty when it is not there."""
        return PAPER_NAMES.get(self.name, "")


_STAR = (
    Column("star", "", "int64", "Running number of the star in the survey"),
    Column("source", "", "str", "File, or archive:member, that the spectrum was read from"),
    Column("obsid", "", "Int64", "Identifier of the observation in the survey"),
    Column("name", "", "str", "Name of the star, shared by its repeat visits"),
    Column("uid", "", "str", "Identifier of the star in the survey, shared by its repeat visits"),
    Column("gaia_source_id", "", "str", "Gaia DR3 source identifier, as text"),
    Column("ra", "deg", "float64", "Right ascension"),
    Column("dec", "deg", "float64", "Declination"),
    Column("ra_obs", "deg", "float64", "Right ascension the fibre was put at"),
    Column("dec_obs", "deg", "float64", "Declination the fibre was put at"),
    Column("mjd", "d", "Int64", "Modified Julian Date of the night, local where the survey's is"),
    Column("subclass", "", "str", "Spectral type given by the survey"),
    Column("z", "", "float64", "Redshift removed from the spectrum before the fit"),
    Column("z_err", "", "float32", "Error of the redshift"),
    Column("v_ccf", "km/s", "float32", "Velocity by cross-correlation; missing where z is given"),
    Column("e_v_ccf", "km/s", "float32", "Error of the velocity by cross-correlation"),
    Column("ccf_ratio", "", "float32", "Second peak of the cross-correlation over the first"),
    Column("sum_ormask", "", "Int64", "Sum of the mask of pixels flagged in any exposure"),
    Column("n_bad", "", "Int64", "Number of bad pixels in the file"),
    Column("n_exposures", "", "Int64", "Number of spectra of the star that were fitted together"),
)

_SNR = tuple(
    Column(f"snr_{band}", "", "float32", f"Signal-to-noise ratio in the {band} band")
    for band in "ugriz"
)

_PER_LABEL = (
    ("{}", "{}"),
    ("e_{}", "{}: 1-sigma error, calibrated"),
    ("e_{}_fisher", "{}: 1-sigma error that the Fisher matrix expects"),
    ("e_{}_sys", "{}: part of the error that repeats share"),
    ("e_{}_ran", "{}: part of the error that repeats do not share"),
    ("{}_start", "{}: start value from the matching"),
    ("{}_group", "{}: value after the search that moves whole groups; missing where none did"),
    ("{}_lit", "{}: published value carried by the survey file"),
)

_PER_SAMPLED_LABEL = (
    ("{}_mean", "{}: mean of the posterior"),
    ("{}_std", "{}: standard deviation of the posterior"),
    ("{}_p16", "{}: 16th percentile of the posterior"),
    ("{}_p50", "{}: median of the posterior"),
    ("{}_p84", "{}: 84th percentile of the posterior"),
)

_PER_LABEL_INTERVAL = (
    ("{}_lower95", "{}: 2.5th percentile, calibrated"),
    ("{}_lower68", "{}: 16th percentile, calibrated"),
    ("{}_upper68", "{}: 84th percentile, calibrated"),
    ("{}_upper95", "{}: 97.5th percentile, calibrated"),
)
"""Ends of the intervals that hold 68 % and 95 %: 16 bytes a label and star."""

_SAMPLED = (
    Column("rhat", "", "float32", "Split R-hat of the sampled posterior; 1 when chains agree"),
    Column("ess", "", "float32", "Effective number of draws of the sampled posterior"),
)

_FIT = (
    Column("cfi", "", "float32", "Highest correlation of the spectrum with a library spectrum"),
    Column("chi2", "", "float32", "Chi-squared of the fit, residual covariance included"),
    Column("rchi2", "", "float32", "Chi-squared per degree of freedom"),
    Column("sse", "", "float32", "Unweighted sum of squared residuals over the good pixels"),
    Column("n_pix", "", "int64", "Number of good pixels"),
    Column("n_clipped", "", "int64", "Number of pixels left out as outliers"),
    Column("outlier_score", "", "float32", "RMS of whitened residuals of the flux components"),
    Column("v_rad", "km/s", "float32", "Residual radial velocity found by the fit"),
    Column("group", "", "int64", "Number of the group the star was fitted in"),
    Column("spectral_class", "", "str", "Spectral class used for the grouping"),
    Column("iterations", "", "int64", "Number of iterations of the optimiser"),
    Column("evaluations", "", "int64", "Number of model evaluations"),
    Column("stop", "", "str", "Why the optimiser stopped"),
    Column("flags", "", "int64", "Quality flags, one bit each; 0 is good"),
    Column("in_library", "", "bool", "Whether this very star is in the training library"),
)

_JUDGED = (
    Column("flag_snr", "", "Int64", "1: S/N below that of the class; null: S/N not known"),
    Column("flag_chi2", "", "Int64", "1: fitted worse than its class; null: cannot be said"),
    Column("flag_alpha_fe", "", "Int64", "1: [alpha/Fe] of a hot dwarf; null: there is none"),
)

_GAIA = tuple(
    Column(f"{kind}gaia_{band}", "mag", "float32", f"{text} in the {band.upper()} band of Gaia")
    for band in ("g", "bp", "rp")
    for kind, text in (("", "Magnitude"), ("e_", "Error of the magnitude"))
)

_JOINED = (
    Column("logg_imig", QUANTITIES[LOGG].unit, "float32", "Surface gravity on the scale of Imig"),
    Column("r_geo", "pc", "float32", "Geometric distance, median"),
    Column("r_geo_16th", "pc", "float32", "Geometric distance, 16th percentile"),
    Column("r_geo_84th", "pc", "float32", "Geometric distance, 84th percentile"),
    *_GAIA,
    Column("ebv_bayes19", "mag", "float32", "Reddening E(B-V) of Bayestar19 at its distance"),
)


def difference_unit(unit: str) -> str:
    """Return the unit of a difference of two values: dex for dex(cm/s2), else ``unit``."""
    return unit.partition("(")[0]


def columns(labels: Sequence[str], sampled: bool = False) -> tuple[Column, ...]:
    """Return the schema of the fits, part by part, in its order.

    Args:
        labels: Labels of the emulator: :class:`torchfit.names.Label`, or names of
            :data:`torchfit.names.QUANTITIES`.
        sampled: Whether posteriors were asked for.

    Returns:
        Every column; each label has a value, an error, a start value and a published value.

    Raises:
        CatalogueError: If a label is unknown.
    """
    unknown = [n for n in labels if not isinstance(n, Label) and n not in QUANTITIES]
    if unknown:
        raise CatalogueError(f"no such label: {unknown}; give it a unit and a meaning")
    texts = _PER_LABEL + (_PER_SAMPLED_LABEL if sampled else ())
    return _STAR + _SNR + _per_label(texts, labels) + (_SAMPLED if sampled else ()) + _FIT


def _per_label(texts: Sequence[tuple[str, str]], labels: Sequence[str]) -> tuple[Column, ...]:
    return tuple(_label_column(name, text, label) for name, text in texts for label in labels)


CLIPPED = Column("clipped", "", "str", "outliers without weight in the fit, ranges of pixels")
"""Of the parts and the merged table, for products of spectra; no column of the catalogue."""


def part_columns(labels: Sequence[str], table: Container[str]) -> tuple[Column, ...]:
    """Return the schema of parts.

    Args:
        labels: Labels of the emulator.
        table: One of the parts, or a list of its columns.

    Returns:
        The columns of the fits, and of what that part has beside.
    """
    beside = (CLIPPED,) if CLIPPED.name in table else ()
    return columns(labels, is_sampled(table)) + beside


def is_sampled(table: Container[str]) -> bool:
    """Whether posteriors were asked for when a table, or a list of its columns, was made."""
    return _SAMPLED[0].name in table


def has_intervals(table: Container[str]) -> bool:
    """Whether a table, or a list of its columns, has the ends of intervals."""
    return "teff_lower95" in table


def catalogue_columns(
    labels: Sequence[str], sampled: bool = False, intervals: bool = False
) -> tuple[Column, ...]:
    """Return the schema of the catalogue: the fits, the flags of the survey, what is joined.

    Args:
        labels: Labels of the emulator.
        sampled: Whether posteriors were asked for.
        intervals: Whether the ends of intervals were asked for.

    Returns:
        Every column.

    Raises:
        CatalogueError: If a label is unknown, or has the name of another column.
    """
    ends = _per_label(_PER_LABEL_INTERVAL, labels) if intervals else ()
    schema = columns(labels, sampled) + ends + _JUDGED + _JOINED
    names = [column.name for column in schema]
    twice = [label for label in labels if names.count(label) > 1]
    if twice:
        raise CatalogueError(
            f"a label cannot be called {', '.join(twice)}: the catalogue has a column of that name"
        )
    return schema


def labels_among(names: Collection[str]) -> list[str]:
    """Labels of a catalogue, by the names of its columns: any that have a start value.

    Args:
        names: Names of columns, in their order.
    """
    return [name for name in names if name in QUANTITIES or f"{name}_start" in names]


def _label_column(name: str, text: str, label: str) -> Column:
    quantity = label_of(label)
    is_difference = name.startswith("e_") or name == "{}_std"
    unit = difference_unit(quantity.unit) if is_difference else quantity.unit
    return Column(name.format(label), unit, "float32", text.format(quantity.text))
