import pytest
from astropy.io.votable.ucd import check_ucd

from torchfit.catalogue.schema import catalogue_columns
from torchfit.catalogue.vocabulary import PAPER_NAMES, UCDS, ucd_of
from torchfit.names import LABELS

COLUMNS = catalogue_columns(LABELS, sampled=True, intervals=True)


def test_every_column_has_a_descriptor_of_the_standard():
    for column in COLUMNS:
        assert column.ucd, column.name
        assert check_ucd(column.ucd, check_controlled_vocabulary=True), column.ucd


def test_no_descriptor_is_of_a_column_that_is_not_there():
    assert set(UCDS) <= {column.name for column in COLUMNS}


def test_table_one_of_the_paper_is_complete_and_named_once():
    names = [column.name for column in COLUMNS]
    assert set(PAPER_NAMES) <= set(names)
    assert len(set(PAPER_NAMES.values())) == len(PAPER_NAMES)
    for wanted in ("obsid", "uid", "Teff", "e_[Fe/H]", "logg_imig", "FLAG_chi2", "r_geo_84th"):
        assert wanted in PAPER_NAMES.values()


def test_our_names_are_plain_words():
    assert all(column.name.isidentifier() and column.name.islower() for column in COLUMNS)


@pytest.mark.parametrize(
    ("name", "ucd"),
    [
        ("teff", "phys.temperature.effective"),
        ("teff_start", "phys.temperature.effective"),
        ("e_teff", "stat.error;phys.temperature.effective"),
        ("e_teff_sys", "stat.error;phys.temperature.effective"),
        ("alpha_fe_std", "stat.stdev;phys.abund"),
        ("e_gaia_g", "stat.error;phot.mag;em.opt"),
        ("snr_g", "stat.snr"),
        ("vsini", ""),
        ("e_vsini", ""),
    ],
)
def test_descriptors_follow_from_names(name, ucd):
    assert ucd_of(name) == ucd
