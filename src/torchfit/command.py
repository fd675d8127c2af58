"""What the command line owes its user: an error in one line, and an exit status."""

import functools
import sys
from collections.abc import Callable

from hydra.errors import InstantiationException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from torchfit.exceptions import TorchfitError


def command(task: Callable[[DictConfig], None]) -> Callable[[DictConfig], None]:
    """Turn the errors a user can mend into one line on standard error and exit status 1.

    Args:
        task: What the command does.

    Returns:
        The same, without tracebacks for errors of input, configuration, or a full disk. Errors
        of the program itself keep theirs.
    """

    @functools.wraps(task)
    def run(cfg: DictConfig) -> None:
        try:
            task(cfg)
        except (TorchfitError, OmegaConfBaseException) as error:
            _fail(error)
        except InstantiationException as error:
            _fail(error.__cause__ or error)
        except KeyboardInterrupt:
            print("\ninterrupted; the same command goes on from here", file=sys.stderr)
            sys.exit(130)

    return run


def _fail(error: BaseException) -> None:
    print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
    sys.exit(1)
