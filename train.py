"""Train an emulator: ``python train.py emulator=miles``."""

import hydra
from omegaconf import DictConfig

from torchfit import tasks
from torchfit.command import command


@hydra.main(version_base=None, config_path="conf", config_name="train")
@command
def main(cfg: DictConfig) -> None:
    """Run the training that the configuration describes."""
    tasks.train(cfg)


if __name__ == "__main__":
    main()
