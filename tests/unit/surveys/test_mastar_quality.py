import pytest

from torchfit.exceptions import ConfigError
from torchfit.surveys.mastar_quality import REJECTED, MastarQuality, quality_mask


def test_bits_are_those_of_sdss():
    values = {name: int(bit) for name, bit in MastarQuality.__members__.items()}
    assert values["LOWSN"] == 512
    assert values["UPTURNMANUAL"] == 16384
    assert values["CRITICAL"] == 2**30
    assert len(values) == 16


def test_what_imig_rejects_is_rejected():
    imig = 2**1 + 2**4 + 2**5 + 2**6 + 2**7 + 2**8 + 2**9
    assert int(quality_mask(REJECTED)) & imig == imig


def test_names_join():
    assert quality_mask([]) == 0
    assert quality_mask(["LOWSN", "EMLINE"]) == MastarQuality.LOWSN | MastarQuality.EMLINE


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"no such MJDQUAL bit: UGLY; the bits are NODATA, SKY"):
        quality_mask(["LOWSN", "UGLY"])
