"""A progress bar that Lightning's callbacks open, and that closes however the run ends."""

from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from tqdm import tqdm


class Bar(Callback):
    """Closes the bar of a callback at its end, so that an error stands in a line of its own."""

    bar: tqdm

    def on_train_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Close the bar."""
        self._close()

    def on_predict_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Close the bar."""
        self._close()

    def on_exception(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        exception: BaseException,
    ) -> None:
        """Close the bar."""
        self._close()

    def _close(self) -> None:
        if "bar" in self.__dict__:
            self.bar.close()

    def __getstate__(self) -> dict[str, Any]:
        """What a spawned process needs; an open bar stays where it is."""
        return {name: value for name, value in self.__dict__.items() if name != "bar"}
