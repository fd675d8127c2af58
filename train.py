"""Train an emulator: ``python train.py emulator=miles``."""

import hydra
from omegaconf import DictConfig

from torchfit.run.command import one_line_errors
from torchfit.run.train import train


@hydra.main(version_base=None, config_path="conf", config_name="train")
def main(cfg: DictConfig) -> None:
    """Run the training that the configuration describes."""
    with one_line_errors():
        train(cfg)


if __name__ == "__main__":
    with one_line_errors():
        main()
