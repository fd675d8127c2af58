"""The errors torchfit raises: one family; a message says what is wrong, where, what to do."""


class TorchfitError(Exception):
    """Base of every error that torchfit raises on purpose."""


class ConfigError(TorchfitError):
    """A configuration value is impossible or contradicts another."""


class DataError(TorchfitError):
    """An input as a whole cannot be used: a folder, an archive, a table, a download."""


class SpectrumError(TorchfitError):
    """One spectrum cannot be used; in a survey run it becomes a row of the rejects table."""


class UnexpectedError(SpectrumError):
    """One spectrum failed in a way that torchfit does not know, and that should be reported.

    Args:
        source: The spectrum.
        error: What was raised.
    """

    def __init__(self, source: str, error: Exception) -> None:
        self.source, self.error = source, error
        words = " ".join(str(error).split())
        super().__init__(f"{source}: failed unexpectedly ({self.kind}: {words})")

    @property
    def kind(self) -> str:
        """Class of what was raised."""
        return type(self.error).__name__

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled by what it is made of, so that it comes whole from another process."""
        return type(self), (self.source, self.error)


class ArtefactError(TorchfitError):
    """A saved emulator is missing, damaged, or does not fit the data."""


class OutputError(TorchfitError):
    """A result cannot be written; what stood there before is untouched."""


class CatalogueError(TorchfitError):
    """The parts of a run do not make a catalogue: a star is missing or doubled."""


class CrewError(TorchfitError):
    """One of the processes of a run has ended before its work was done."""


class DeviceMemoryError(TorchfitError):
    """A device has too little memory for the emulator, or for one star beside it."""


class LabelError(TorchfitError, ValueError):
    """Stellar labels are missing, not numbers, or far from any star of the library."""


class OutsideLibraryWarning(UserWarning):
    """Too few stars of the library are near some labels: the emulator extrapolates."""
