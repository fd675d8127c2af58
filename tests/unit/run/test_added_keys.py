import pytest

from torchfit.exceptions import ConfigError
from torchfit.run.added_keys import demand_known
from torchfit.run.programs import conf_folder


@pytest.mark.parametrize(
    "word", ["+foo=1", "++foo=1", "+libary.labels.vsini.unit=km/s", "+reader.path=FILE"]
)
def test_a_key_that_no_program_knows_is_refused(word):
    with pytest.raises(ConfigError, match="no such key") as error:
        demand_known(["seed=1", word], conf_folder())
    assert word in str(error.value)


def test_the_nearest_key_is_named():
    with pytest.raises(ConfigError, match="there is library"):
        demand_known(["+libary.labels.vsini.unit=km/s"], conf_folder())


@pytest.mark.parametrize(
    "word",
    [
        "+library.reader.labels.vsini=VSINI",
        "++data.columns.z=Z",
        "+readings.paper.match=paper",
        "+experiment=paper",
        "foo=1",
        "~library.audit",
        "+hydra.job.num=3",
        "+group@other=paper",
    ],
)
def test_other_words_are_left_alone(word):
    demand_known([word], conf_folder())
