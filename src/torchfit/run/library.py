"""The task of ``torchfit library``: a library of the good stars of a measured survey."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from omegaconf import DictConfig

from torchfit.catalogue.finished import RECOMMENDED
from torchfit.catalogue.parts import read_part
from torchfit.catalogue.write import Writer, text_writer
from torchfit.exceptions import DataError
from torchfit.files.atomic import scratch_folder, write_together
from torchfit.files.model_reader import model_files, read_models, stars_of
from torchfit.files.ownership import make_way, sole_run
from torchfit.flags.bits import ResultFlag
from torchfit.products.survey_library import SurveyLibrary, library_table
from torchfit.report.library import library_report, template_rows
from torchfit.report.rows import format_rows
from torchfit.run.build import build
from torchfit.run.record import command_of, settings_of
from torchfit.run.terminal import print_paths

LIBRARY = "library.parquet"


def library(cfg: DictConfig) -> Path:
    """Coadd the good stars of a survey into templates, and write their library and a page.

    Args:
        cfg: Composed configuration of ``library.yaml``.

    Returns:
        The folder of the library.

    Raises:
        DataError: If catalogue or model spectra are missing, or no bin has enough stars.
    """
    folder, results = Path(cfg.output_dir), Path(cfg.results).expanduser()
    with sole_run(folder), scratch_folder(folder) as work:
        _make(cfg, folder, results, work)
    return folder


def _make(cfg: DictConfig, folder: Path, results: Path, work: Path) -> None:
    maker: SurveyLibrary = build(cfg.library)
    chosen, models = maker.choose(_good_stars(results)), _models(results)
    templates = list(maker.templates(chosen, models, work))
    first = model_files(models)[0]
    grid = read_models(first, stars_of(first)[:1])
    table = library_table(templates, grid.wave, grid.lsf_fwhm)
    rows, record = template_rows(templates), settings_of(cfg) | command_of(cfg)
    summary = command_of(cfg) | {
        "catalogue": str(results), "templates": str(len(table)), "stars": str(len(chosen)),
    }  # fmt: skip
    writers: dict[str, Writer] = {
        "report.html": text_writer(library_report(templates, grid.wave, summary)),
        LIBRARY: partial(_write, table=table, record=record),
    }
    make_way(folder, writers)
    write_together({folder / name: write for name, write in writers.items()})
    print(f"\nTemplates\n{format_rows(rows)}\n")
    print_paths(**{name: folder / name for name in writers})


def _good_stars(results: Path) -> pd.DataFrame:
    """The recommended stars whose spectra have errors."""
    path = results / f"{RECOMMENDED}.parquet"
    if not path.is_file():
        raise DataError(
            f"no recommended sample in {results}: `torchfit infer catalogue=recommended "
            "'products=[models]'` writes one, with the spectra of its stars"
        )
    stars = read_part(path)
    return stars[stars["flags"] & int(ResultFlag.NO_ERRORS) == 0]


def _models(results: Path) -> Path:
    """The folder of the model spectra of a survey, in either format."""
    found = [results / name for name in ("models", "models_fits") if (results / name).is_dir()]
    return found[0] if found else results


def _write(path: Path, table: pd.DataFrame, record: Mapping[str, str]) -> None:
    rows = pa.Table.from_pandas(table, preserve_index=False)
    metadata = {"medium": "vacuum", "provenance": json.dumps(dict(record), sort_keys=True)}
    pq.write_table(rows.replace_schema_metadata(metadata), path, compression="zstd")
