"""The task of ``torchfit infer``: from the files of a survey to its catalogue."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning
import pandas as pd
from omegaconf import DictConfig

from torchfit.catalogue.schema import CLIPPED
from torchfit.emulator.artefact import fingerprint, load_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.files.atomic import remove, remove_remnants
from torchfit.files.ownership import sole_run
from torchfit.measure.allocator import keep_freed_memory
from torchfit.measure.fitter import BatchFitter
from torchfit.products.measured import MeasuredSurvey
from torchfit.report.choice import choose_examples
from torchfit.run.build import build
from torchfit.run.idle import warn_of_idle_settings
from torchfit.run.products import merged_by, remove_older, write_products
from torchfit.run.record import HOW_MANY, command_of, digest_of, run_key, settings_of
from torchfit.run.settings import (
    build_finishing,
    build_fit_settings,
    build_survey,
    demand_least,
)
from torchfit.run.terminal import print_results
from torchfit.survey.crew import Crew, join_crew
from torchfit.survey.devices import Devices
from torchfit.survey.fit import fit_survey
from torchfit.survey.joint import join_exposures
from torchfit.survey.match import MatchedSurvey, match_survey
from torchfit.survey.noise import estimate_noise
from torchfit.survey.pack import Packing
from torchfit.survey.resume import file_stamp, prepare_work
from torchfit.surveys.reader import SurveyReader
from torchfit.uncertainty.library_errors import LibraryErrors
from torchfit.uncertainty.selection import LISTED_BY
from torchfit.uncertainty.survey_errors import Uncertainty
from torchfit.velocity.redshifts import VelocityMeasurement

_NOT_OF_THE_FIT = (
    "catalogue", "crossmatch", "compare", "n_examples", "stars_at_once", "products",
)  # fmt: skip
"""Settings that change nothing of the fits: work that was interrupted goes on with others."""

_OF_TRAINING = ("emulator", "library", "preprocess")
"""Groups whose keys made the emulator and are in its artefact."""


def infer(cfg: DictConfig) -> Path:
    """Measure a survey: pack, match, group, fit, merge, report.

    Args:
        cfg: Composed configuration of ``infer.yaml``.

    Returns:
        The folder of the catalogue.
    """
    demand_least(cfg, seed=0, batch_groups=1, n_examples=1)
    keep_freed_memory()
    trained, folder = load_emulator(Path(cfg.artefact)), Path(cfg.output_dir)
    trainer = build(cfg.trainer)
    crew = join_crew(trainer())  # Missing hardware is an error now, not after hours.
    with sole_run(folder) if crew.leads else nullcontext():
        crew.meet()
        if crew.leads:
            warn_of_idle_settings(cfg, _OF_TRAINING)
        _measure(cfg, trained, Devices(trainer, crew, cfg.stars_at_once), folder)
    return folder


def _measure(cfg: DictConfig, trained: Emulator, devices: Devices, folder: Path) -> None:
    lightning.seed_everything(cfg.seed, verbose=False)
    finishing, uncertainty = build_finishing(cfg), build(cfg.uncertainty)
    uncertainty.check()
    reader, joint = build_survey(cfg.data)
    packing, products, velocity = build(cfg.pack), build(cfg.products), build(cfg.velocity)
    emulator = trained.at_resolution(reader.lsf_fwhm_at(trained.wave))
    settings = build_fit_settings(cfg, uncertainty.posterior)
    errors = LibraryErrors.load(Path(cfg.artefact))
    record = settings_of(cfg) | {"emulator_sha256": fingerprint(Path(cfg.artefact))}
    inputs = _inputs(reader) | {"sampled": uncertainty.wanted()}
    work = folder / f"work-{run_key(record | settings_of(cfg, *_NOT_OF_THE_FIT) | inputs)}"
    paths, rejects = _pack(packing, reader, emulator, velocity, work, devices.crew)
    remarks = reader.remarks()
    del reader  # The names of a survey's files take more memory than all that follows.
    fitter = BatchFitter(emulator, settings)
    survey = _match(joint, paths, rejects["star"].tolist(), fitter, devices, work)
    measured = _fit(survey, fitter, uncertainty, devices, work, cfg.batch_groups)
    made = write_products(products, measured, work / "products", record, devices.crew)
    if not devices.crew.leads:
        return
    table = measured.table.select([name for name in measured.table if name != CLIPPED.name])
    calibrated = uncertainty.calibrate(
        table, emulator.label_names, errors, settings.flagging.survey.snr.ratio(table)
    )
    examples = choose_examples(calibrated.table, survey, emulator, cfg.n_examples)
    finished = finishing.finish(
        calibrated.table, rejects, emulator.label_names, record | command_of(cfg, *HOW_MANY)
    )
    summary = command_of(cfg) | _survey_summary(cfg, table, rejects)
    files = finishing.deliver(
        finished, folder, summary, examples, emulator.library.labels.numpy(), made
    )
    files |= calibrated.keep_random(folder)
    print_results(finished, files, remarks)
    _tidy(folder, work, files)


def _inputs(reader: SurveyReader) -> dict[str, object]:
    """What decides the result beside the settings: the spectra, and the files they share."""
    stamps = {str(path): file_stamp(path) for path in reader.shared_files()}
    return {"sources": digest_of(reader.sources()), "files": stamps}


def _pack(
    packing: Packing,
    reader: SurveyReader,
    emulator: Emulator,
    velocity: VelocityMeasurement,
    work: Path,
    crew: Crew,
) -> tuple[list[Path], pd.DataFrame]:
    """Shards and rejects of a survey on the grid of an emulator, at its resolution."""
    if crew.leads:
        prepare_work(work, reader, packing.shard_size)
    crew.meet()
    known, lsf_fwhm = emulator.flux_pca.good, emulator.library.lsf_fwhm
    shards, redshifts = work / "shards", velocity.redshifts(emulator)
    return packing.pack(
        reader, emulator.survey_preprocessor, known, shards, crew, lsf_fwhm, redshifts
    )


def _match(
    joint: bool,
    paths: list[Path],
    left_out: Sequence[int],
    fitter: BatchFitter,
    devices: Devices,
    work: Path,
) -> MatchedSurvey:
    """The stars of shards, matched: where it is wanted, all exposures of a star are one."""
    joined, wave = None, fitter.emulator.wave
    if joint:
        joined = join_exposures(paths, wave, left_out, work / "joint", devices.crew)
    return match_survey(paths, fitter, devices, work / "start", left_out, joined)


def _fit(
    survey: MatchedSurvey,
    fitter: BatchFitter,
    uncertainty: Uncertainty,
    devices: Devices,
    work: Path,
    batch_groups: int,
) -> MeasuredSurvey:
    """Fit and merge a matched survey, with its own noise, and sample what is wanted of it."""
    noise = estimate_noise(survey, fitter, devices, work / "noise")
    chosen = uncertainty.chosen(survey.stars.pieces(LISTED_BY))
    fitter = BatchFitter(fitter.emulator, fitter.settings, noise, chosen)
    parts = fit_survey(survey, fitter, devices, work / "parts", batch_groups)
    return merged_by(devices.crew, parts, survey, fitter, work / "table")


def _survey_summary(cfg: DictConfig, table: Any, rejects: Any) -> dict[str, str]:
    several = int((table["n_exposures"] > 1).sum())
    return {
        "stars measured": str(len(table)) + (f", {several} of several exposures" * bool(several)),
        "spectra rejected": str(len(rejects)),
        "emulator": str(cfg.artefact),
        "survey": cfg.data._target_.rpartition(".")[2],
        "median reduced chi2": f"{table['rchi2'].median():.2f}",
    }


def _tidy(folder: Path, work: Path, written: Mapping[str, Path]) -> None:
    """Remove what this run has left and older products; name the work of other runs."""
    remove_older(folder, written)
    remove(work)
    remove_remnants(folder)
    for path in sorted(folder.glob("work-" + 16 * "[0-9a-f]")):
        print(
            f"{path} is of an interrupted run with other settings, which the same command as then "
            "would go on with; delete it if nobody will"
        )
