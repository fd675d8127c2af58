"""Join, flag, compare a catalogue: ``python validate.py results=outputs/infer/stelib``."""

import hydra
from omegaconf import DictConfig

from torchfit.run.command import one_line_errors
from torchfit.run.validate import validate


@hydra.main(version_base=None, config_path="conf", config_name="validate")
def main(cfg: DictConfig) -> None:
    """Run the validation that the configuration describes."""
    with one_line_errors():
        validate(cfg)


if __name__ == "__main__":
    with one_line_errors():
        main()
