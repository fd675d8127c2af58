"""The errors torchfit raises: one family; a message says what is wrong, where, what to do."""


class TorchfitError(Exception):
    """Base of every error that torchfit raises on purpose."""


class ConfigError(TorchfitError):
    """A configuration value is impossible or contradicts another."""


class DataError(TorchfitError):
    """An input as a whole cannot be used: a folder, an archive, a table, a download."""


class SpectrumError(TorchfitError):
    """One spectrum cannot be used; in a survey run it becomes a row of the rejects table."""


class ArtefactError(TorchfitError):
    """A saved emulator is missing, damaged, or does not fit the data."""


class OutputError(TorchfitError):
    """A result cannot be written; what stood there before is untouched."""


class CatalogueError(TorchfitError):
    """The parts of a run do not make a catalogue: a star is missing or doubled."""


class CrewError(TorchfitError):
    """One of the processes of a run has ended before its work was done."""


class LabelError(TorchfitError, ValueError):
    """Stellar labels are missing, not numbers, or far from any star of the library."""


class OutsideLibraryWarning(UserWarning):
    """Too few stars of the library are near some labels: the emulator extrapolates."""
