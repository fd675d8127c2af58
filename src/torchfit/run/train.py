"""The task of ``torchfit train``: make an emulator, judge it on held-out stars, and write both."""

import logging
from contextlib import suppress
from dataclasses import replace
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
from torchfit.files.atomic import atomic
from torchfit.files.ownership import make_way, sole_run
from torchfit.files.tensor_file import hash_of_tensor
from torchfit.library.library import Library
from torchfit.measure.allocator import keep_freed_memory
from torchfit.report.rows import format_rows
from torchfit.report.training import flux_residual_rows, inversion_rows, training_report
from torchfit.run.build import build
from torchfit.run.held_out import Trial, hold_out
from torchfit.run.record import run_key, settings_of
from torchfit.run.settings import build_fit_settings, demand_least
from torchfit.run.terminal import print_paths
from torchfit.survey.crew import join_crew
from torchfit.uncertainty.library_errors import FILE as ERRORS

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
    emulator = replace(emulator, settings=record)
    emulator, trial = _with_misfit(emulator, training, stars)
    uncertainty, fitting = build(cfg.uncertainty), build_fit_settings(cfg)
    held_out, measured = hold_out(emulator, training, fitting, uncertainty.n_noisy, trial)
    errors = uncertainty.learn(trial.stars, measured.quiet, measured.noisy)
    report = training_report(held_out, _emulator_summary(emulator), emulator.label_names)
    make_way(folder, ["emulator", "report.html"])
    save_emulator(emulator, folder / "emulator", {ERRORS: errors.state()})
    _write_text(folder / "report.html", report)
    _remove_checkpoint(checkpoint)
    print(f"\nHeld-out flux residuals\n{format_rows(flux_residual_rows(held_out))}")
    print(f"\nHeld-out labels\n{format_rows(inversion_rows(held_out, emulator.label_names))}\n")
    print_paths(emulator=folder / "emulator", report=folder / "report.html")
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


def _with_misfit(
    emulator: Emulator, training: EmulatorTraining, stars: Library | None
) -> tuple[Emulator, Trial]:
    """The emulator, and what it is tried on: its library, or the stars its misfit is learned of."""
    if stars is None:
        return emulator, Trial(emulator.library, partial(training.with_hyperparameters, emulator))
    learn = partial(add_misfit, emulator, n_best=training.n_best, bandwidth=training.bandwidth)
    return learn(stars), Trial(stars, learn)


def _emulator_summary(emulator: Emulator) -> dict[str, str]:
    values = hyperparameters(emulator.gp.kernel, emulator.gp.likelihood)
    shown = {name: ", ".join(f"{v:.3g}" for v in value) for name, value in values.items()}
    return {
        "library": f"{emulator.library.provenance['library']}, {len(emulator.library)} stars",
        "labels": ", ".join(emulator.label_names),
        "grid": f"{emulator.wave[0]:.0f}-{emulator.wave[-1]:.0f} Angstrom, vacuum",
        "components": str(emulator.basis.shape[1]),
        **shown,
    }


def _remove_checkpoint(path: Path) -> None:
    """Remove a checkpoint, and its folder if nothing else lies there."""
    path.unlink(missing_ok=True)
    with suppress(OSError):
        path.parent.rmdir()


def _write_text(path: Path, text: str) -> None:
    with atomic(path) as temp:
        temp.write_text(text, encoding="utf-8")
