"""The two tasks: build what the configuration names, run it, say where the results are."""

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
from omegaconf import DictConfig, OmegaConf

from torchfit.build import build
from torchfit.catalogue.finished import FinishedSurvey
from torchfit.catalogue.merge import merge_parts
from torchfit.catalogue.read import read_catalogue, read_rejects
from torchfit.crew import join_crew
from torchfit.emulator.artefact import fingerprint, load_emulator, save_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.emulator.kernel import hyperparameters
from torchfit.exceptions import ConfigError
from torchfit.finish import Finishing, told
from torchfit.inference import Inference
from torchfit.io.atomic import atomic, remove, remove_remnants
from torchfit.optimise.fitting import Fitting
from torchfit.provenance import versions
from torchfit.report.rows import format_rows
from torchfit.report.training import flux_residual_rows, inversion_rows, training_report
from torchfit.stages import choose_examples, fit_survey, match_survey, run_key
from torchfit.validation import hold_out

_AFTER_THE_FIT = ("catalogue", "crossmatch", "compare", "n_examples")
"""Settings that change nothing of the fits: work that was interrupted goes on with others."""
_HOW_MANY = ("trainer", "trainer.devices", "trainer.num_nodes", "trainer.strategy", "pack.workers")
"""Settings of how many share the work: no part of what comes out, so not of its record."""


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
    if join_crew(trainer()).size > 1:
        raise ConfigError("train.py is one process: start it without srun, or with srun -n 1")
    library = build(cfg.library)(preprocessor=preprocessor)
    record = _record(cfg)
    key = run_key(record | {"library": library.provenance, "stars": library.star_names})
    checkpoint = folder / "checkpoints" / f"{key}.ckpt"
    emulator = training.train(library, preprocessor, trainer, checkpoint)
    emulator = replace(emulator, settings=record)
    uncertainty, inference = build(cfg.uncertainty), _inference(cfg, emulator)
    held_out, measured = hold_out(emulator, training, inference, uncertainty.n_noisy)
    emulator = uncertainty.learn(emulator, measured.quiet, measured.noisy)
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
    finishing, uncertainty = _finishing(cfg), build(cfg.uncertainty)
    uncertainty.check()
    reader, packing, trainer = build(cfg.data), build(cfg.pack), build(cfg.trainer)
    crew = join_crew(trainer())  # Hardware that is not there is told now, not after hours.
    inference = _inference(cfg, trained.at_resolution(reader.lsf_fwhm_at(trained.wave)))
    record = _record(cfg) | {"emulator_sha256": fingerprint(artefact)}
    inputs = {"sources": reader.sources(), "sampled": uncertainty.wanted()}
    work = folder / f"work-{run_key(record | _record(cfg, *_AFTER_THE_FIT) | inputs)}"
    emulator = inference.emulator
    paths, rejects = packing.pack(
        reader, emulator.preprocessor, emulator.flux_pca.good, work / "shards", crew
    )
    survey = match_survey(paths, inference, work / "start", crew)
    inference.sampling, inference.chosen = uncertainty.posterior, uncertainty.chosen(survey.stars)
    parts = fit_survey(survey, inference, trainer, work / "parts", cfg.batch_groups, crew)
    if not crew.leads:
        return folder
    table = merge_parts(parts, survey.stars["star"].to_numpy(), emulator.label_names)
    snr = inference.flagging.survey.snr.ratio(table)
    calibrated = uncertainty.calibrate(table, emulator, snr)
    table = calibrated.table
    examples = choose_examples(table, survey, inference, cfg.n_examples)
    finished = finishing.finish(
        table, rejects, emulator.label_names, record | _command(cfg, "infer", *_HOW_MANY)
    )
    summary = _command(cfg, "infer") | _survey_summary(cfg, table, rejects)
    files = finishing.deliver(finished, folder, summary, examples, emulator.library.labels.numpy())
    files |= calibrated.keep_random(folder)
    _tell(finished, files)
    _tidy(folder, work)
    return folder


def validate(cfg: DictConfig) -> Path:
    """Do anew what follows the fits: join, flag, choose, compare, report.

    Args:
        cfg: Composed configuration of ``validate.yaml``.

    Returns:
        The folder of the results.
    """
    folder, results = Path(cfg.output_dir), Path(cfg.results).expanduser()
    finishing = _finishing(cfg)
    table, labels, record = read_catalogue(results)
    rejects = read_rejects(results)
    command = _command(cfg, "validate")
    ours = {f"validate_{name}": text for name, text in (_record(cfg) | command).items()}
    finished = finishing.finish(table, rejects, labels, record | ours)
    summary = command | {"catalogue": str(results), "stars": str(len(table))}
    _tell(finished, finishing.deliver(finished, folder, summary))
    return folder


def _demand_least(cfg: DictConfig, **least: int) -> None:
    """Demand whole numbers that are not below their least values."""
    for name, low in least.items():
        if not isinstance(cfg[name], int) or cfg[name] < low:
            raise ConfigError(f"{name}={cfg[name]} must be a whole number, at least {low}")


def _inference(cfg: DictConfig, emulator: Emulator) -> Inference:
    fitting = Fitting(build(cfg.metric), build(cfg.optimise))
    return Inference(emulator, build(cfg.match), build(cfg.group), fitting, build(cfg.flags))


def _finishing(cfg: DictConfig) -> Finishing:
    """What is done with the fits; the files that it needs are looked for at once."""
    sources, references = build(cfg.crossmatch), build(cfg.compare)
    finishing = Finishing(build(cfg.flags).survey, build(cfg.catalogue), sources, references)
    finishing.check()
    return finishing


def _command(cfg: DictConfig, program: str, *left_out: str) -> dict[str, str]:
    """What was typed."""
    typed = [text for text in cfg.overrides if text.partition("=")[0] not in left_out]
    return {"command": shlex.join(["python", f"{program}.py", *typed])}


def _record(cfg: DictConfig, *left_out: str) -> dict[str, str]:
    """Versions and configuration, for the artefact and the catalogue."""
    hidden = {"output_dir", "overrides", *left_out}
    plain = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key not in hidden])
    config: Any = OmegaConf.to_container(plain, resolve=True)
    for group, _, key in (name.partition(".") for name in _HOW_MANY):
        config.get(group, {}).pop(key or None, None)
    return versions() | {"config": OmegaConf.to_yaml(OmegaConf.create(config))}


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


def _survey_summary(cfg: DictConfig, table: Any, rejects: Any) -> dict[str, str]:
    return {
        "stars measured": str(len(table)),
        "spectra rejected": str(len(rejects)),
        "emulator": str(cfg.artefact),
        "survey": cfg.data._target_.rpartition(".")[2],
        "median reduced chi2": f"{table['rchi2'].median():.2f}",
    }


def _tell(survey: FinishedSurvey, files: Mapping[str, Path]) -> None:
    """Say what was found, and where it is."""
    for caption, rows in told(survey):
        print(f"\n{caption}\n{format_rows(rows)}")
    print()
    _say(**files)
    print(f"{len(survey.table)} stars measured, {len(survey.rejects)} rejected")


def _tidy(folder: Path, work: Path) -> None:
    """Remove what this run has left; name what others have, which may hold hours of work."""
    remove(work)
    remove_remnants(folder)
    for path in sorted(folder.glob("work-*")):
        print(f"{path} is of an interrupted run with other settings; delete it if it is in vain")


def _write_text(path: Path, text: str) -> None:
    with atomic(path) as temp:
        temp.write_text(text, encoding="utf-8")


def _say(**paths: Path) -> None:
    for name, path in paths.items():
        print(f"{name:>20}: {path}")
