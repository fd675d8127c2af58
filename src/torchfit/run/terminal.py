"""What a task prints when it ends."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from torchfit.catalogue.finished import FinishedSurvey
from torchfit.report.rows import format_rows
from torchfit.run.finish import summary


def print_results(
    survey: FinishedSurvey, files: Mapping[str, Path], remarks: Sequence[str] = ()
) -> None:
    """Print what was found, and where it is.

    Args:
        survey: The finished survey.
        files: The written files by name.
        remarks: What the reader has left out.
    """
    for caption, rows in summary(survey):
        print(f"\n{caption}\n{format_rows(rows)}")
    print()
    print_paths(**files)
    for line in remarks:
        print(line)
    print(f"{len(survey.table)} stars measured, {len(survey.rejects)} rejected")
    for line in unexpected(survey.rejects):
        print(line)


def unexpected(rejects: pd.DataFrame) -> list[str]:
    """Lines that count the files whose failure torchfit does not know.

    Args:
        rejects: Of the packing, with the class of an unexpected error in ``unexpected``.
    """
    kinds = rejects.get("unexpected", pd.Series(dtype=str)).replace("", np.nan).value_counts()
    if not len(kinds):
        return []
    counts = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
    files = "1 file" if kinds.sum() == 1 else f"{kinds.sum()} files"
    return [f"{files} failed unexpectedly ({counts}): please report; rejects.csv names them"]


def print_paths(**paths: Path) -> None:
    """Name the files that were written, one a line."""
    for name, path in paths.items():
        print(f"{name:>20}: {path}")
