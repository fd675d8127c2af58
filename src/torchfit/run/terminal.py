"""What a task prints when it ends."""

from collections.abc import Mapping
from pathlib import Path

from torchfit.catalogue.finished import FinishedSurvey
from torchfit.report.rows import format_rows
from torchfit.run.finish import told


def print_results(survey: FinishedSurvey, files: Mapping[str, Path]) -> None:
    """Say what was found, and where it is."""
    for caption, rows in told(survey):
        print(f"\n{caption}\n{format_rows(rows)}")
    print()
    print_paths(**files)
    print(f"{len(survey.table)} stars measured, {len(survey.rejects)} rejected")


def print_paths(**paths: Path) -> None:
    """Name the files that were written, one a line."""
    for name, path in paths.items():
        print(f"{name:>20}: {path}")
