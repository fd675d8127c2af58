"""Lightning callback that writes each batch's rows as soon as they are measured."""

from collections.abc import Sequence
from pathlib import Path

from torchfit.catalogue.parts import write_part
from torchfit.catalogue.result import result_table
from torchfit.measure.measurement import Measurement
from torchfit.survey.stage_writer import StageWriter
from torchfit.survey.survey_stars import SurveyStars


class PartWriter(StageWriter):
    """Write one part per batch.

    Args:
        folder: Where parts go.
        stars: The stars of the survey.
        label_names: Labels of the emulator.
        n_done: Stars that an earlier, interrupted run has measured.
    """

    def __init__(
        self, folder: Path, stars: SurveyStars, label_names: Sequence[str], n_done: int = 0
    ) -> None:
        super().__init__("fitting", len(stars), n_done)
        self.folder, self.stars, self.label_names = folder, stars, label_names

    def write(self, number: int, result: Measurement) -> None:
        """Write the part of one batch."""
        known = self.stars.rows(result.star.numpy(force=True))
        table = result_table(result, known, self.label_names)
        write_part(part_path(self.folder, number), table)


def part_path(folder: Path, number: int) -> Path:
    """Path of the part of a batch."""
    return folder / f"part-{number:06d}.parquet"
