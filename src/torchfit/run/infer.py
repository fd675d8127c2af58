"""The task of ``torchfit infer``: from the files of a survey to its catalogue."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import pandas as pd
from omegaconf import DictConfig

from torchfit.catalogue.merge import merge_parts
from torchfit.emulator.artefact import fingerprint, load_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.emulator.learner import TrainerFactory
from torchfit.files.atomic import remove, remove_remnants
from torchfit.files.ownership import sole_run
from torchfit.measure.fitter import BatchFitter
from torchfit.report.choice import choose_examples
from torchfit.run.build import build
from torchfit.run.record import HOW_MANY, command_of, run_key, settings_of
from torchfit.run.settings import build_finishing, build_fit_settings, demand_least
from torchfit.run.terminal import print_results
from torchfit.survey.crew import Crew, join_crew
from torchfit.survey.fit import fit_survey
from torchfit.survey.match import match_survey
from torchfit.survey.pack import Packing
from torchfit.survey.resume import file_stamp, prepare_work
from torchfit.surveys.reader import SurveyReader
from torchfit.uncertainty.library_errors import LibraryErrors
from torchfit.velocity.redshifts import VelocityMeasurement

_AFTER_THE_FIT = ("catalogue", "crossmatch", "compare", "n_examples")
"""Settings that change nothing of the fits: work that was interrupted goes on with others."""


def infer(cfg: DictConfig) -> Path:
    """Measure a survey: pack, match, group, fit, merge, report.

    Args:
        cfg: Composed configuration of ``infer.yaml``.

    Returns:
        The folder of the catalogue.
    """
    demand_least(cfg, seed=0, batch_groups=1, n_examples=1)
    trained, folder = load_emulator(Path(cfg.artefact)), Path(cfg.output_dir)
    trainer = build(cfg.trainer)
    crew = join_crew(trainer())  # Missing hardware is an error now, not after hours.
    with sole_run(folder) if crew.leads else nullcontext():
        crew.meet()
        _measure(cfg, trained, trainer, crew, folder)
    return folder


def _measure(
    cfg: DictConfig, trained: Emulator, trainer: TrainerFactory, crew: Crew, folder: Path
) -> None:
    lightning.seed_everything(cfg.seed, verbose=False)
    finishing, uncertainty = build_finishing(cfg), build(cfg.uncertainty)
    uncertainty.check()
    reader, packing, velocity = build(cfg.data), build(cfg.pack), build(cfg.velocity)
    emulator = trained.at_resolution(reader.lsf_fwhm_at(trained.wave))
    settings = build_fit_settings(cfg, uncertainty.posterior)
    errors = LibraryErrors.load(Path(cfg.artefact))
    record = settings_of(cfg) | {"emulator_sha256": fingerprint(Path(cfg.artefact))}
    inputs = _inputs(reader) | {"sampled": uncertainty.wanted()}
    work = folder / f"work-{run_key(record | settings_of(cfg, *_AFTER_THE_FIT) | inputs)}"
    if crew.leads:
        prepare_work(work, reader, packing.shard_size)
    crew.meet()
    paths, rejects = _pack(packing, reader, emulator, velocity, work / "shards", crew)
    survey = match_survey(
        paths, BatchFitter(emulator, settings), work / "start", crew, rejects["star"].tolist()
    )
    fitter = BatchFitter(emulator, settings, survey.noise, uncertainty.chosen(survey.stars))
    parts = fit_survey(survey, fitter, trainer, work / "parts", cfg.batch_groups, crew)
    if not crew.leads:
        return
    # Of the stars the merged table, which lies on disk, has all but their places in the shards.
    survey = replace(survey, stars=survey.stars[["star"]].copy())
    expected = survey.stars["star"].to_numpy()
    table = merge_parts(parts, expected, emulator.label_names, work / "table")
    snr = settings.flagging.survey.snr.ratio(table)
    calibrated = uncertainty.calibrate(table, emulator.label_names, errors, snr)
    examples = choose_examples(calibrated.table, survey, emulator, cfg.n_examples)
    finished = finishing.finish(
        calibrated.table, rejects, emulator.label_names, record | command_of(cfg, *HOW_MANY)
    )
    summary = command_of(cfg) | _survey_summary(cfg, table, rejects)
    files = finishing.deliver(finished, folder, summary, examples, emulator.library.labels.numpy())
    files |= calibrated.keep_random(folder)
    print_results(finished, files, reader.remarks())
    _tidy(folder, work)


def _inputs(reader: SurveyReader) -> dict[str, object]:
    """What decides the result beside the settings: the spectra, and the files they share."""
    stamps = {str(path): file_stamp(path) for path in reader.shared_files()}
    return {"sources": reader.sources(), "files": stamps}


def _pack(
    packing: Packing,
    reader: SurveyReader,
    emulator: Emulator,
    velocity: VelocityMeasurement,
    folder: Path,
    crew: Crew,
) -> tuple[list[Path], pd.DataFrame]:
    """Shards and rejects of a survey on the grid of an emulator, at its resolution."""
    known, lsf_fwhm = emulator.flux_pca.good, emulator.library.lsf_fwhm
    redshifts = velocity.redshifts(emulator)
    return packing.pack(reader, emulator.preprocessor, known, folder, crew, lsf_fwhm, redshifts)


def _survey_summary(cfg: DictConfig, table: Any, rejects: Any) -> dict[str, str]:
    return {
        "stars measured": str(len(table)),
        "spectra rejected": str(len(rejects)),
        "emulator": str(cfg.artefact),
        "survey": cfg.data._target_.rpartition(".")[2],
        "median reduced chi2": f"{table['rchi2'].median():.2f}",
    }


def _tidy(folder: Path, work: Path) -> None:
    """Remove what this run has left; name what others have, which may hold hours of work."""
    remove(work)
    remove_remnants(folder)
    for path in sorted(folder.glob("work-" + 16 * "[0-9a-f]")):
        print(
            f"{path} is of an interrupted run with other settings, which the same command as then "
            "would go on with; delete it if nobody will"
        )
