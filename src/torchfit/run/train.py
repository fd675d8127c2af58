"""The task of ``torchfit train``: make an emulator, judge it on held-out stars, and write both."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import lightning
from omegaconf import DictConfig

from torchfit.catalogue.schema import catalogue_columns
from torchfit.emulator.artefact import save_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.emulator.kernel import hyperparameters
from torchfit.emulator.learner import TrainerFactory
from torchfit.emulator.misfit import add_misfit
from torchfit.emulator.training import EmulatorTraining
from torchfit.exceptions import ConfigError
from torchfit.files.atomic import atomic, remove
from torchfit.files.ownership import make_way, sole_run, written_by_torchfit
from torchfit.files.tensor_file import hash_of_tensor
from torchfit.library.audit import Findings
from torchfit.library.library import Library
from torchfit.measure.allocator import keep_freed_memory
from torchfit.report.audit import AuditedLibrary
from torchfit.report.rows import format_rows
from torchfit.report.training import HeldOut, flux_residual_rows, inversion_rows, training_report
from torchfit.run.audit import audit_csv, audited_emulator, audited_library, refined_csv
from torchfit.run.build import build
from torchfit.run.held_out import Trial, held_out_stars, hold_out
from torchfit.run.idle import warn_of_idle_settings
from torchfit.run.record import run_key, settings_of
from torchfit.run.settings import build_fit_settings, demand_least
from torchfit.run.terminal import print_paths
from torchfit.survey.crew import join_crew
from torchfit.uncertainty.library_errors import FILE as ERRORS
from torchfit.uncertainty.library_errors import LibraryErrors

_OF_A_SURVEY = ("data", "pack", "velocity")
"""Groups whose keys say how a survey is read."""

AUDIT = "audit.csv"
"""File of the templates that the audit lists, beside the emulator."""
_MOST_SHOWN = 8
"""Numbers of a hyperparameter that are shown one by one."""

REFINED = "refined_labels.csv"
"""File of the library's labels, refined by the held-out fits of the audit."""

logger = logging.getLogger(__name__)


def train(cfg: DictConfig) -> Path:
    """Make an emulator from a library, judge it on held-out stars, and write both.

    Args:
        cfg: Composed configuration of ``train.yaml``.

    Returns:
        The artefact folder.
    """
    demand_least(cfg, seed=0)
    with sole_run(Path(cfg.output_dir)):
        warn_of_idle_settings(cfg, _OF_A_SURVEY)
        return _train(cfg, Path(cfg.output_dir))


def _train(cfg: DictConfig, folder: Path) -> Path:
    keep_freed_memory()
    lightning.seed_everything(cfg.seed, verbose=False)
    preprocessor, training = build(cfg.preprocess), build(cfg.emulator)
    trainer = _for_one_device(build(cfg.trainer))
    misfit = build(cfg.misfit) if "misfit" in cfg else None
    library = build(cfg.library)(preprocessor=preprocessor)
    catalogue_columns(library.label_names)  # A name that is taken is an error now.
    stars = None if misfit is None else misfit.read(preprocessor, library.label_names)
    record = settings_of(cfg)
    content = (library.labels, library.spectra.flux, library.spectra.ivar)
    record_of_library = {"library": library.provenance, "stars": library.star_names}
    key = run_key(record | record_of_library | {"content": [*map(hash_of_tensor, content)]})
    checkpoint = folder / "checkpoints" / f"{key}.ckpt"
    emulator = training.train(library, preprocessor, trainer, checkpoint)
    uncertainty, fitting = build(cfg.uncertainty), build_fit_settings(cfg)
    findings = None
    if stars is None:
        emulator, findings = audited_emulator(emulator, training, fitting, uncertainty.learning)
    emulator = replace(emulator, settings=record)
    emulator, trial = _trial(emulator, training, library, stars, findings)
    held_out, measured = hold_out(emulator, training, fitting, uncertainty.n_noisy, trial)
    errors = uncertainty.learn(trial.stars, measured.quiet, measured.noisy)
    _write(folder, emulator, errors, _judged(held_out, emulator, library, training, findings))
    _remove_checkpoint(checkpoint)
    return folder / "emulator"


def _for_one_device(trainer: TrainerFactory) -> TrainerFactory:
    """A trainer of one device: a step is on the whole library, and there is nothing to share."""
    asked = trainer()
    if join_crew(asked).size > 1:
        raise ConfigError("training is one process: start it without srun, or with srun -n 1")
    if asked.num_devices == 1:
        return trainer
    logger.warning(
        "a training step is on the whole library: one of %d devices does it", asked.num_devices
    )
    return partial(trainer, devices=1, strategy="auto")


def _trial(
    emulator: Emulator,
    training: EmulatorTraining,
    library: Library,
    stars: Library | None,
    findings: Findings | None,
) -> tuple[Emulator, Trial]:
    """The emulator, and what it is tried on: its library, or the stars its misfit is learned of."""
    if stars is None:
        left_out = None if findings is None else findings.left_out
        remake = partial(training.with_hyperparameters, emulator)
        return emulator, Trial(library, remake, left_out)
    learn = partial(add_misfit, emulator, n_best=training.n_best, bandwidth=training.bandwidth)
    return learn(stars), Trial(stars, learn)


@dataclass(frozen=True)
class _Judged:
    """The held-out stars, what the audit has found, and the stars less those it leaves out.

    The tables of an audit are the texts of its files by their names.
    """

    held_out: HeldOut
    audited: AuditedLibrary | None = None
    rest: HeldOut | None = None
    tables: Mapping[str, str] = field(default_factory=dict)


def _judged(
    held_out: HeldOut,
    emulator: Emulator,
    library: Library,
    training: EmulatorTraining,
    findings: Findings | None,
) -> _Judged:
    if findings is None:
        return _Judged(held_out)
    stars = held_out_stars(library, training)
    audited = audited_library(library, findings, held_out, stars, emulator)
    kept = (~findings.left_out[stars]).numpy()
    tables = {AUDIT: audit_csv(audited), REFINED: refined_csv(library, findings)}
    return _Judged(held_out, audited, held_out.select(kept), tables)


def _write(folder: Path, emulator: Emulator, errors: LibraryErrors, judged: _Judged) -> None:
    """Write the emulator, its report and the audit, and print what they say."""
    summary, names = _emulator_summary(emulator), emulator.label_names
    report = training_report(judged.held_out, summary, names, judged.audited, judged.rest)
    files = {"emulator": folder / "emulator", "report": folder / "report.html"}
    files |= {Path(name).stem: folder / name for name in judged.tables}
    for stale in {AUDIT, REFINED} & written_by_torchfit(folder) - set(judged.tables):
        remove(folder / stale)
    make_way(folder, [path.name for path in files.values()])
    save_emulator(emulator, files["emulator"], {ERRORS: errors.state()})
    _write_text(files["report"], report)
    for name, text in judged.tables.items():
        _write_text(folder / name, text)
    _print(judged, names)
    print_paths(**files)


def _print(judged: _Judged, names: Sequence[str]) -> None:
    tables = [
        ("Held-out flux residuals", flux_residual_rows(judged.held_out)),
        ("Held-out labels", inversion_rows(judged.held_out, names)),
    ]
    if judged.rest is not None and judged.audited is not None and judged.audited.n_left_out:
        n_out = f"{judged.audited.n_left_out} templates that train no emulator"
        tables.append((f"Held-out labels without the {n_out}", inversion_rows(judged.rest, names)))
    for caption, rows in tables:
        print(f"\n{caption}\n{format_rows(rows)}")
    if judged.audited is not None:
        print(f"\nLibrary audit: {judged.audited.in_words}")
    print()


def _emulator_summary(emulator: Emulator) -> dict[str, str]:
    values = hyperparameters(emulator.gp.kernel, emulator.gp.likelihood)
    shown = {name: _in_words(value) for name, value in values.items()}
    return {
        "library": f"{emulator.library.provenance['library']}, {len(emulator.library)} stars",
        "labels": ", ".join(emulator.label_names),
        "grid": f"{emulator.wave[0]:.0f}-{emulator.wave[-1]:.0f} Angstrom, vacuum",
        "components": str(emulator.basis.shape[1]),
        **shown,
    }


def _in_words(values: list[float]) -> str:
    """Numbers of a hyperparameter; of many the least and the greatest."""
    if len(values) > _MOST_SHOWN:
        return f"{min(values):.3g} to {max(values):.3g}"
    return ", ".join(f"{value:.3g}" for value in values)


def _remove_checkpoint(path: Path) -> None:
    """Remove a checkpoint, and its folder if nothing else lies there."""
    path.unlink(missing_ok=True)
    with suppress(OSError):
        path.parent.rmdir()


def _write_text(path: Path, text: str) -> None:
    with atomic(path) as temp:
        temp.write_text(text, encoding="utf-8")
