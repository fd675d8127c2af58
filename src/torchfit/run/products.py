"""The products of ``torchfit infer`` beside the catalogue."""

from collections.abc import Mapping
from pathlib import Path

from torchfit.catalogue.merge import merge_parts
from torchfit.catalogue.write import Writer
from torchfit.files.atomic import remove
from torchfit.files.column_table import ColumnTable
from torchfit.files.ownership import written_by_torchfit
from torchfit.measure.fitter import BatchFitter
from torchfit.products.exposures import EXPOSURES, exposures_product
from torchfit.products.measured import MeasuredSurvey
from torchfit.products.models import FOLDERS, ModelProduct, folder_writer
from torchfit.survey.crew import Crew
from torchfit.survey.match import MatchedSurvey


def merged_by(
    crew: Crew, parts: list[Path], survey: MatchedSurvey, fitter: BatchFitter, folder: Path
) -> MeasuredSurvey:
    """Merge the parts of a survey; the leader does, and the others see the table.

    Args:
        crew: The processes of the run.
        parts: Parts of the fits.
        survey: The survey.
        fitter: What it was measured with.
        folder: Where the table lies.

    Returns:
        The measured survey.
    """
    star, emulator = survey.stars.number, fitter.emulator
    if crew.leads:
        table = merge_parts(parts, star, emulator.label_names, folder)
    crew.meet()
    if not crew.leads:
        table = ColumnTable.opened(folder)
    crew.meet()  # The leader adds columns to the folder only when all have opened it.
    return MeasuredSurvey(survey.packed, star, table, emulator, fitter.settings.metric)


def write_products(
    products: Mapping[str, ModelProduct],
    survey: MeasuredSurvey,
    folder: Path,
    provenance: Mapping[str, str],
    crew: Crew,
) -> dict[str, Writer]:
    """Write every product, each process its share, and the table of exposures where there is one.

    Args:
        products: What is wanted.
        survey: The measured survey.
        folder: Where the parts go.
        provenance: How they came about.
        crew: The processes of the run.

    Returns:
        What puts each where the results go, by name.

    Raises:
        CatalogueError: If the parts do not hold every star once.
    """
    folders: dict[str, Path] = {}
    for name, product in products.items():
        product.write(survey, folder / name, provenance, crew)
        crew.meet()
        if crew.leads:
            product.demand_all(survey, folder / name)
        folders |= product.folders(folder / name)
    others = exposures_product(survey) if crew.leads else {}
    return {name: folder_writer(path) for name, path in folders.items()} | others


def remove_older(folder: Path, written: Mapping[str, Path]) -> None:
    """Remove products of an older run in a results folder, which are of other spectra or labels.

    Args:
        folder: Folder of the results.
        written: What this run has written, by name.
    """
    for name in {*FOLDERS.values(), EXPOSURES} & written_by_torchfit(folder) - set(written):
        remove(folder / name)
