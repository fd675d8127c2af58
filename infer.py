"""Measure a survey: ``python infer.py data=stelib``."""

import hydra
from omegaconf import DictConfig

from torchfit import tasks
from torchfit.command import command


@hydra.main(version_base=None, config_path="conf", config_name="infer")
@command
def main(cfg: DictConfig) -> None:
    """Run the survey that the configuration describes."""
    tasks.infer(cfg)


if __name__ == "__main__":
    main()
