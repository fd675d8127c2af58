"""The task of ``torchfit validate``: what follows the fits, from a finished catalogue."""

from pathlib import Path

from omegaconf import DictConfig

from torchfit.catalogue.read import read_catalogue, read_rejects
from torchfit.files.atomic import scratch_folder
from torchfit.files.ownership import sole_run
from torchfit.run.record import command_of, settings_of
from torchfit.run.settings import build_finishing
from torchfit.run.terminal import print_results


def validate(cfg: DictConfig) -> Path:
    """Do again what follows the fits: join, flag, choose, compare, report.

    Args:
        cfg: Composed configuration of ``validate.yaml``.

    Returns:
        The folder of the results.
    """
    folder, results = Path(cfg.output_dir), Path(cfg.results).expanduser()
    with sole_run(folder), scratch_folder(folder) as work:
        _finish(cfg, folder, results, work)
    return folder


def _finish(cfg: DictConfig, folder: Path, results: Path, work: Path) -> None:
    finishing = build_finishing(cfg)
    table, labels, record = read_catalogue(results, work)
    rejects = read_rejects(results)
    command = command_of(cfg)
    ours = {f"validate_{name}": text for name, text in (settings_of(cfg) | command).items()}
    finished = finishing.finish(table, rejects, labels, record | ours)
    summary = command | {"catalogue": str(results), "stars": str(len(table))}
    print_results(finished, finishing.deliver(finished, folder, summary))
