"""A survey with its final errors, and the file of their random part beside the catalogue."""

from dataclasses import dataclass
from pathlib import Path

from torchfit.exceptions import DataError
from torchfit.files.atomic import atomic, remove
from torchfit.files.ownership import make_way, written_by_torchfit
from torchfit.files.table_pieces import Table
from torchfit.files.tensor_file import read_tensors, write_tensors
from torchfit.uncertainty.error_model import ErrorModel

RANDOM_ERRORS = "random_errors.safetensors"


@dataclass(frozen=True)
class CalibratedSurvey:
    """A survey with its final errors.

    Args:
        table: The result table; ``e_*``, ``e_*_sys`` and ``e_*_ran`` are calibrated; with the ends
            of the intervals where they are asked for.
        random: The model of random errors that was used; ``None`` for none.
    """

    table: Table
    random: ErrorModel | None

    def keep_random(self, folder: Path) -> dict[str, Path]:
        """Write the model of random errors beside the catalogue; remove that of an older run.

        Args:
            folder: Folder of the catalogue.

        Returns:
            The written file by name.

        Raises:
            OutputError: If it cannot be written.
        """
        path = folder / RANDOM_ERRORS
        if self.random is None:
            if RANDOM_ERRORS in written_by_torchfit(folder):
                remove(path)
            return {}
        make_way(folder, [RANDOM_ERRORS])
        with atomic(path) as temp:
            write_tensors(temp, self.random.state())
        return {RANDOM_ERRORS: path}


def read_error_model(path: Path) -> ErrorModel:
    """Read a model of errors from a file.

    Args:
        path: File of the tensors of a model.

    Returns:
        The model.

    Raises:
        ConfigError: If the file is not there.
        DataError: If it holds something else.
    """
    try:
        return ErrorModel.of_state(read_tensors(path.expanduser()))
    except KeyError as error:
        raise DataError(f"{path} is no model of random errors: it has no {error}") from error
