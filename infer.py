"""Measure a survey: ``python infer.py data=stelib``."""

import hydra
from omegaconf import DictConfig

from torchfit.run.command import one_line_errors
from torchfit.run.infer import infer


@hydra.main(version_base=None, config_path="conf", config_name="infer")
def main(cfg: DictConfig) -> None:
    """Run the survey that the configuration describes."""
    with one_line_errors():
        infer(cfg)


if __name__ == "__main__":
    with one_line_errors():
        main()
