"""What the figures are made of, by the tasks that make emulators and catalogues."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import torch
from jaxtyping import Int
from omegaconf import DictConfig

from torchfit.catalogue.read import read_catalogue, read_rejects
from torchfit.emulator.artefact import load_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.exceptions import TorchfitError
from torchfit.files.model_reader import read_models
from torchfit.files.model_spectra import ModelSpectra
from torchfit.group.grouping import Grouping
from torchfit.library.folds import folds_by_star
from torchfit.library.library import Library
from torchfit.library.sample import stratified
from torchfit.match.matching import Matching
from torchfit.measure.batch import GroupBatch
from torchfit.measure.fitter import BatchFitter
from torchfit.paper.matched_library import MatchedLibrary, match_library
from torchfit.paper.material import (
    OURS,
    PAPER,
    GroupedTrial,
    Material,
    MeasuredSurvey,
    with_sets,
)
from torchfit.report.training import HeldOut
from torchfit.run.build import build
from torchfit.run.held_out import hold_out
from torchfit.run.infer import infer
from torchfit.run.readings import (
    MEASURING,
    TRAINING,
    chosen,
    part_of,
    reading_of,
    sampled,
    with_tables,
)
from torchfit.run.record import settings_of
from torchfit.run.settings import build_finishing, build_fit_settings
from torchfit.run.steps import Steps
from torchfit.run.train import train

T = TypeVar("T")

logger = logging.getLogger(__name__)


class RunMaterial(Material):
    """Material made by the tasks of training and measuring, in folders of this run.

    Args:
        cfg: Composed configuration of ``reproduce.yaml``.
        folder: Where the parts of it lie.
        work: Where tables lie as long as they are worked with.
    """

    def __init__(self, cfg: DictConfig, folder: Path, work: Path) -> None:
        self.cfg, self.folder, self.work, self.steps = sampled(cfg), folder, work, Steps()
        self._matched: MatchedLibrary | None = None
        self._made: dict[tuple[str, object], Any] = {}

    def _once(self, kind: str, which: object, make: Callable[[], T]) -> T:
        """What was made before, or is made now."""
        if (kind, which) not in self._made:
            self._made[kind, which] = make()
        made: T = self._made[kind, which]
        return made

    @cached_property
    def remark(self) -> str:
        """What must be said of the data; empty for real stars."""
        readers = (build(self.cfg.library.reader), build(self.cfg.data))
        mock = [each.provenance()["mock"] for each in readers if "mock" in each.provenance()]
        return f"mock data: {mock[0]}" if mock else ""

    @cached_property
    def library(self) -> Library:
        """The library: that of the emulator where one is given."""
        if self.cfg.artefact is not None:
            return self.emulator.library
        with self.steps.step("library"):
            return build(self.cfg.library)(preprocessor=build(self.cfg.preprocess))

    @cached_property
    def matching(self) -> Matching:
        """The paper's settings of the matching."""
        return build(self.cfg.readings.paper.match)

    @cached_property
    def artefact(self) -> Path:
        """Folder of the emulator; trained where none is given and none lies here already."""
        if self.cfg.artefact is not None:
            return Path(self.cfg.artefact).expanduser()
        cfg = part_of(self.cfg, TRAINING, self.folder / "train")
        folder = self.folder / "train" / "emulator"
        if _is_trained(folder, settings_of(cfg)):
            logger.info("%s is of these settings, and is used; delete it to train again", folder)
            return folder
        with self.steps.step("training of the emulator, with its held-out report"):
            return train(cfg)

    @cached_property
    def emulator(self) -> Emulator:
        """The emulator of the library."""
        return load_emulator(self.artefact)

    def matched(self, t: int) -> MatchedLibrary:
        """See :class:`torchfit.paper.material.Material`; matched once, for the largest t."""
        most = max(t, *self.cfg.size.t)
        if self._matched is None or self._matched.sets.shape[1] < t:
            library = self.library
            with self.steps.step("library matched to itself"):
                self._matched = match_library(library, with_sets(self.matching, most))
        return self._matched

    def held_out(self, reading: str = OURS) -> HeldOut:
        """See :class:`torchfit.paper.material.Material`."""
        return self._once("held out", reading, lambda: self._held_out(reading))

    def _held_out(self, reading: str) -> HeldOut:
        emulator, cfg = self.emulator, self._reading(reading)
        with self.steps.step(f"held-out stars, {reading}"):
            return hold_out(emulator, build(cfg.emulator), build_fit_settings(cfg))[0]

    def trial(self, n_group: int | None) -> GroupedTrial:
        """See :class:`torchfit.paper.material.Material`."""
        return self._once("trial", n_group, lambda: self._trial(n_group))

    def _trial(self, n_group: int | None) -> GroupedTrial:
        library, (other, star) = self.emulator.library, self._other_fold
        settings = build_fit_settings(self._reading(OURS if n_group is None else PAPER))
        if n_group is not None:
            settings = replace(settings, grouping=Grouping(n_group))
        fitter, spectra = BatchFitter(other, settings), library.spectra[star]
        start = fitter.match(spectra).start
        _, group = settings.grouping.order([""] * len(star), start.numpy())
        batch = GroupBatch(star, torch.from_numpy(group), spectra)
        # What is loaded at the first fit of a process is no cost of a size of groups.
        fitter.measure(batch[(batch.group == 0).nonzero()[:, 0]])
        name = "default fit" if n_group is None else f"grouped search, N_group = {n_group}"
        with self.steps.step(f"{name}, of held-out stars"):
            before = time.perf_counter()
            measured = fitter.measure(batch)
            seconds = time.perf_counter() - before
        return GroupedTrial(library.labels[star], measured, seconds)

    @cached_property
    def _other_fold(self) -> tuple[Emulator, Int[torch.Tensor, " star"]]:
        """An emulator that has not seen some stars, and these stars."""
        emulator, training = self.emulator, build(self.cfg.emulator)
        library = emulator.library
        fold = folds_by_star(library.star_names, training.n_folds, training.seed)
        star = (fold == 0).nonzero()[:, 0]
        unit = emulator.scaler.to_unit(library.labels[star])
        star = star[stratified(unit, self.cfg.size.n_trial)]
        with self.steps.step("emulator of the other folds"):
            return training.with_hyperparameters(emulator, library.select(fold != 0)), star

    def survey(self, reading: str = OURS) -> MeasuredSurvey:
        """See :class:`torchfit.paper.material.Material`."""
        return self._once("survey", reading, lambda: self._survey(reading))

    def _survey(self, reading: str) -> MeasuredSurvey:
        cfg = self._reading(reading)
        results = self._results(reading)
        with self.steps.step(f"joins and comparisons, {reading}"):
            table, labels, record = read_catalogue(results, self.work / reading)
            finishing = build_finishing(cfg, wanted=False)
            finished = finishing.finish(table, read_rejects(results), labels, record)
            comparisons = dict(zip(cfg.compare, finished.findings.comparisons, strict=True))
            return MeasuredSurvey(finished, comparisons, results)

    def _results(self, reading: str) -> Path:
        """The folder of a catalogue; measured where none is given."""
        if (given := self.cfg.results[reading]) is not None:
            return Path(given).expanduser()
        cfg = part_of(self._reading(reading), MEASURING, self.folder / f"survey-{reading}")
        cfg.artefact = str(self.artefact)
        with self.steps.step(f"measuring the survey, {reading}"):
            return infer(cfg)

    def models(self, sources: Sequence[str]) -> ModelSpectra:
        """See :class:`torchfit.paper.material.Material`."""
        folder = self.folder / "models"
        cfg = part_of(chosen(self._reading(OURS), sources), MEASURING, folder)
        cfg.artefact = str(self.artefact)
        with self.steps.step("some spectra with their models"):
            infer(cfg)
            return read_models(folder / "models")

    def _reading(self, name: str) -> DictConfig:
        """The configuration of a reading, with the tables that are at hand."""
        return reading_of(with_tables(self.cfg, self.stand_ins), name)

    @cached_property
    def stand_ins(self) -> Mapping[str, str]:
        """Files in place of catalogues, for mock stars only: paths by key of the configuration."""
        reader = build(self.cfg.data)
        if "mock" not in reader.provenance() or self.cfg.stand_ins is None:
            return {}
        with self.steps.step("mock tables in place of other catalogues"):
            return build(self.cfg.stand_ins).write(reader, self.folder / "mock-tables")


def _is_trained(artefact: Path, settings: Mapping[str, str]) -> bool:
    """Whether an emulator of these settings lies there."""
    try:
        return dict(load_emulator(artefact).settings) == dict(settings)
    except TorchfitError:
        return False
