"""The two tasks: build what the configuration names, run it, say where the results are."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
from omegaconf import DictConfig, OmegaConf

from torchfit.build import build
from torchfit.catalogue.write import write_catalogue, write_rejects
from torchfit.emulator.artefact import fingerprint, load_emulator, save_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.emulator.kernel import hyperparameters
from torchfit.exceptions import ConfigError
from torchfit.inference import Inference
from torchfit.io.atomic import atomic
from torchfit.optimise.fitting import Fitting
from torchfit.provenance import versions
from torchfit.report.rows import format_rows
from torchfit.report.survey import survey_report
from torchfit.report.training import flux_residual_rows, inversion_rows, training_report
from torchfit.stages import choose_examples, fit_survey, match_survey, run_key
from torchfit.validation import hold_out


def train(cfg: DictConfig) -> Path:
    """Make an emulator from a library, judge it on held-out stars, and write both.

    Args:
        cfg: Composed configuration of ``train.yaml``.

    Returns:
        The artefact folder.
    """
    folder = Path(cfg.output_dir)
    _demand_least(cfg, seed=0)
    lightning.seed_everything(cfg.seed, verbose=False)
    preprocessor, training = build(cfg.preprocess), build(cfg.emulator)
    trainer = build(cfg.trainer)
    library = build(cfg.library)(preprocessor=preprocessor)
    record = _record(cfg)
    key = run_key(record | {"library": library.provenance, "stars": library.star_names})
    checkpoint = folder / "checkpoints" / f"{key}.ckpt"
    emulator = training.train(library, preprocessor, trainer, checkpoint)
    emulator = replace(emulator, settings=record)
    held_out = hold_out(emulator, training, _inference(cfg, emulator))
    flux_rows = flux_residual_rows(held_out)
    label_rows = inversion_rows(held_out, emulator.label_names)
    save_emulator(emulator, folder / "emulator")
    report = training_report(held_out, _emulator_summary(emulator), emulator.label_names)
    _write_text(folder / "report.html", report)
    shutil.rmtree(checkpoint.parent, ignore_errors=True)
    print(f"\nHeld-out flux residuals\n{format_rows(flux_rows)}")
    print(f"\nHeld-out labels\n{format_rows(label_rows)}\n")
    _say(emulator=folder / "emulator", report=folder / "report.html")
    return folder / "emulator"


def infer(cfg: DictConfig) -> Path:
    """Measure a survey: pack, match, group, fit, merge, report.

    Args:
        cfg: Composed configuration of ``infer.yaml``.

    Returns:
        The folder of the catalogue.
    """
    folder, artefact = Path(cfg.output_dir), Path(cfg.artefact)
    _demand_least(cfg, seed=0, batch_groups=1, n_examples=1)
    lightning.seed_everything(cfg.seed, verbose=False)
    trained = load_emulator(artefact)
    reader, packing, trainer = build(cfg.data), build(cfg.pack), build(cfg.trainer)
    trainer()  # Hardware that is not there is told now, not after hours of packing.
    inference = _inference(cfg, trained.at_resolution(reader.lsf_fwhm))
    record = _record(cfg) | {"emulator_sha256": fingerprint(artefact)}
    work = folder / f"work-{run_key(record | {'sources': reader.sources()})}"
    emulator = inference.emulator
    paths, rejects = packing.pack(
        reader, emulator.preprocessor, emulator.flux_pca.good, work / "shards"
    )
    survey = match_survey(paths, inference)
    table = fit_survey(survey, inference, trainer, work / "parts", cfg.batch_groups)
    files = write_catalogue(table, folder, emulator.label_names, record)
    files["rejects"] = write_rejects(rejects, folder)
    examples = choose_examples(table, survey, inference, cfg.n_examples)
    summary = _survey_summary(cfg, table, rejects)
    labels = emulator.library.labels.numpy()
    page = survey_report(table, rejects, examples, labels, summary, emulator.label_names)
    _write_text(folder / "report.html", page)
    shutil.rmtree(work, ignore_errors=True)
    _say(**{f"catalogue ({kind})": path for kind, path in files.items()})
    _say(report=folder / "report.html")
    print(f"{len(table)} stars measured, {len(rejects)} rejected")
    return folder


def _demand_least(cfg: DictConfig, **least: int) -> None:
    """Demand whole numbers that are not below their least values."""
    for name, low in least.items():
        if not isinstance(cfg[name], int) or cfg[name] < low:
            raise ConfigError(f"{name}={cfg[name]} must be a whole number, at least {low}")


def _inference(cfg: DictConfig, emulator: Emulator) -> Inference:
    fitting = Fitting(build(cfg.metric), build(cfg.optimise))
    return Inference(emulator, build(cfg.match), build(cfg.group), fitting, build(cfg.flags))


def _record(cfg: DictConfig) -> dict[str, str]:
    """Versions and configuration, for the artefact and the catalogue."""
    plain = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "output_dir"])
    return versions() | {"config": OmegaConf.to_yaml(plain, resolve=True)}


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


def _survey_summary(cfg: DictConfig, table: Any, rejects: Any) -> Mapping[str, str]:
    return {
        "stars measured": str(len(table)),
        "spectra rejected": str(len(rejects)),
        "emulator": str(cfg.artefact),
        "survey": cfg.data._target_.rpartition(".")[2],
        "median reduced chi2": f"{table['rchi2'].median():.2f}",
    }


def _write_text(path: Path, text: str) -> None:
    with atomic(path) as temp:
        temp.write_text(text, encoding="utf-8")


def _say(**paths: Path) -> None:
    for name, path in paths.items():
        print(f"{name:>20}: {path}")
