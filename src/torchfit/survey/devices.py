"""The devices of a run: every stage of the work is shared among them in the same way."""

import logging
from dataclasses import dataclass

from torchfit.emulator.learner import TrainerFactory
from torchfit.exceptions import ConfigError
from torchfit.measure.module import StageModule
from torchfit.survey.crew import ALONE, Crew
from torchfit.survey.datamodule import StageDataset, SurveyDataModule
from torchfit.survey.stage_writer import StageWriter

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Devices:
    """The devices that the processes of this run have.

    Args:
        trainer: Builds the Lightning trainer.
        crew: The processes that a cluster has started, whose shares must be done too before a
            stage is complete.
        at_once: Most stars that a device computes at once; ``None`` for a batch of the survey,
            and on an accelerator for as many batches as its free memory allows.

    Raises:
        ConfigError: If this number makes no sense.
    """

    trainer: TrainerFactory
    crew: Crew = ALONE
    at_once: int | None = None

    def __post_init__(self) -> None:
        if self.at_once is not None and (not isinstance(self.at_once, int) or self.at_once < 1):
            raise ConfigError(
                f"stars_at_once={self.at_once} must be a whole number, at least 1, or null"
            )

    def run(self, module: StageModule, dataset: StageDataset, writer: StageWriter) -> None:
        """Do what is left of a stage: every device its share, every finished batch a file.

        Args:
            module: What is computed.
            dataset: The batches whose files are not there yet.
            writer: Writes the files.
        """
        self.crew.meet()  # All have seen the same to be done, before anyone does more of it.
        if len(dataset):
            trainer = self.trainer(callbacks=[writer])
            if dataset.advice and len(dataset) < trainer.world_size:
                logger.warning(
                    "%s: %d devices have %d batches to share, and some nothing to do; %s",
                    writer.doing, trainer.world_size, len(dataset), dataset.advice,
                )  # fmt: skip
            trainer.predict(module, datamodule=SurveyDataModule(dataset), return_predictions=False)
        self.crew.meet()
