import pickle
from unittest.mock import Mock

import lightning
import pytest

from torchfit.emulator.progress import Bar
from torchfit.run.trainer import build_trainer


@pytest.mark.parametrize("end", ["on_train_end", "on_predict_end", "on_exception"])
def test_the_bar_closes_however_the_run_ends(end):
    callback = Bar()
    callback.bar = Mock()
    more = (ValueError("x"),) if end == "on_exception" else ()
    getattr(callback, end)(build_trainer(), lightning.LightningModule(), *more)
    callback.bar.close.assert_called_once()


def test_a_run_that_ends_before_its_bar_opens_is_no_error():
    Bar().on_exception(build_trainer(), lightning.LightningModule(), ValueError("x"))


def test_an_open_bar_stays_with_its_process():
    callback = Bar()
    callback.bar, callback.n_done = (line for line in "xy"), 3  # What cannot be pickled.
    spawned = pickle.loads(pickle.dumps(callback))
    assert spawned.n_done == 3
    assert not hasattr(spawned, "bar")
