"""Measure a survey: ``python infer.py data=stelib``."""

import hydra
from omegaconf import DictConfig

from torchfit import tasks
from torchfit.command import one_line_errors


@hydra.main(version_base=None, config_path="conf", config_name="infer")
def main(cfg: DictConfig) -> None:
    """Run the survey that the configuration describes."""
    with one_line_errors():
        tasks.infer(cfg)


if __name__ == "__main__":
    with one_line_errors():
        main()
