"""Surveys of other packages: their configuration joins ours when they are installed."""

from importlib.metadata import entry_points

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin

GROUP = "torchfit.surveys"
"""Group of the entry points; each names a package that holds ``data/NAME.yaml``."""


class OtherSurveys(SearchPathPlugin):
    """Adds the packages that installed distributions name to where Hydra looks."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append them; what torchfit itself has goes before.

        Args:
            search_path: Where Hydra looks.
        """
        for package in sorted({point.value for point in entry_points(group=GROUP)}):
            search_path.append(GROUP, f"pkg://{package}")


def find_other_surveys() -> None:
    """Have Hydra look for surveys of other packages."""
    Plugins.instance().register(OtherSurveys)
