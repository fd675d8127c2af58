"""What every optimiser must keep; each optimiser's tests inherit it."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial

import pytest
import torch
from tests.metrics import loss_of, plain_metric
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.group.grouping import Grouping
from torchfit.likelihood.metric import Metric, Sharing
from torchfit.likelihood.shared import SharedLikelihood
from torchfit.match.cfi import correlate
from torchfit.match.matching import Matching
from torchfit.measure.device import to_device
from torchfit.optimise.problem import Fit, Optimiser, Problem, StopReason
from torchfit.optimise.subspace import join_label_pcas
from torchfit.spectra import Spectra

GROUPS = (0, 0, 1, 1, 1, 2, 0, 1)
"""Groups of three, four and one star, not in order."""


def make_problem(
    emulator: Emulator,
    spectra: Spectra,
    groups: Sequence[int],
    metric: Metric | None = None,
    max_comp: int | Sequence[int] = 4,
) -> tuple[Problem, Fit]:
    """Match and group spectra as the inference does.

    Args:
        emulator: The emulator.
        spectra: Spectra to fit.
        groups: Group of each star, 0 ... n_groups - 1.
        metric: Weights; the default metric when not given.
        max_comp: Most components of the label PCAs, of all groups or of each.

    Returns:
        The problem, and the fit before any optimiser has run.
    """
    group = torch.tensor(groups)
    members = [(group == number).nonzero()[:, 0] for number in group.unique()]
    limits = [max_comp] * len(members) if isinstance(max_comp, int) else max_comp
    matching = Matching(t=15, n_best=1)
    cfi = correlate(spectra, emulator.library.spectra)
    start = matching.start(cfi, emulator.library)
    sets, widths = matching.sets(cfi, emulator.library, start)
    pcas = [
        Grouping(max_comp=limit).label_pca(emulator.library.labels, sets[member], widths[member])
        for limit, member in zip(limits, members, strict=True)
    ]
    space = join_label_pcas(pcas, members, emulator.scaler)
    metric = plain_metric() if metric is None else metric
    objective = loss_of(metric, emulator, spectra, start)
    if metric.sharing is not None:
        objective = SharedLikelihood(metric, emulator).condense(spectra, start).objective
    problem = Problem(objective, *emulator.bounds, space)
    return problem, Fit.at_start(problem, emulator.scaler.to_unit(start))


def not_above(after: Tensor, before: Tensor) -> bool:
    """Whether no loss has risen by more than rounding.

    Args:
        after: Losses.
        before: Losses.

    Returns:
        True when none has.
    """
    return bool((after <= before + 1e-9 * (1 + before.abs())).all())


def chosen(spectra: Spectra, stars: Sequence[int]) -> Spectra:
    """Some of the spectra, in the given order."""
    return spectra[torch.tensor(stars)]


class OptimiserContract:
    """Tests of an optimiser; a subclass gives the fixture ``optimiser``."""

    @pytest.fixture
    def optimiser(self) -> Optimiser:
        raise NotImplementedError

    @pytest.fixture(params=[True, False], ids=["weighted", "unweighted"])
    def metric(self, request) -> Metric:
        return plain_metric(weighted=request.param)

    @pytest.fixture(scope="class")
    def spectra(self, observe, draw_labels) -> Spectra:
        return observe(draw_labels(len(GROUPS), 20), 0.01, seed=20, masked=0.02)

    @pytest.fixture
    def make(self, emulator):
        return partial(make_problem, emulator)

    @pytest.fixture
    def case(self, make, spectra, metric) -> tuple[Problem, Fit]:
        return make(spectra, GROUPS, metric)

    @staticmethod
    def group_loss(problem: Problem, fit: Fit) -> Tensor:
        return problem.subspace.group_mean(fit.loss)

    def test_is_an_optimiser(self, optimiser):
        assert isinstance(optimiser, Optimiser)

    def test_no_group_ends_above_its_start_and_some_end_below(self, optimiser, case):
        problem, start = case
        fit = optimiser.minimise(problem, start)
        before, after = self.group_loss(problem, start), self.group_loss(problem, fit)
        assert not_above(after, before)
        assert (after < before).any()

    def test_the_loss_is_that_of_the_labels(self, optimiser, case, assert_close):
        problem, start = case
        fit = optimiser.minimise(problem, start)
        assert_close(fit.loss, problem.objective.loss(fit.unit))

    def test_labels_stay_inside_the_box(self, optimiser, case):
        problem, start = case
        fit = optimiser.minimise(problem, start)
        assert fit.unit.isfinite().all()
        assert ((fit.unit >= problem.lower) & (fit.unit <= problem.upper)).all()

    def test_counts_go_on_from_the_starts(self, optimiser, case):
        problem, start = case
        begun = replace(start, iterations=start.iterations + 5, evaluations=start.evaluations + 7)
        first, second = (optimiser.minimise(problem, fit) for fit in (start, begun))
        assert (first.iterations > 0).all()
        assert (first.evaluations > start.evaluations).all()
        assert torch.equal(second.iterations, first.iterations + 5)
        assert torch.equal(second.evaluations, first.evaluations + 7)

    def test_every_star_has_a_stop_reason(self, optimiser, case):
        problem, start = case
        reasons = optimiser.minimise(problem, start).stop_reasons()
        assert len(reasons) == len(GROUPS)
        assert set(reasons) <= {str(reason) for reason in StopReason}

    def test_the_same_problem_has_the_same_answer(self, optimiser, case):
        problem, start = case
        first, second = (optimiser.minimise(problem, start) for _ in range(2))
        for name in ("unit", "loss", "iterations", "evaluations", "stop"):
            assert torch.equal(getattr(first, name), getattr(second, name))

    def test_the_start_is_left_as_it_was(self, optimiser, case):
        problem, start = case
        names = ("unit", "loss", "iterations", "evaluations", "stop")
        before = {name: getattr(start, name).clone() for name in names}
        optimiser.minimise(problem, start)
        for name in names:
            assert torch.equal(getattr(start, name), before[name])

    def test_going_on_never_goes_up(self, optimiser, case):
        problem, start = case
        first = optimiser.minimise(problem, start)
        second = optimiser.minimise(problem, first)
        assert not_above(self.group_loss(problem, second), self.group_loss(problem, first))

    def test_a_start_outside_the_box_is_pulled_in(self, optimiser, case):
        problem, start = case
        far = Fit.at_start(problem, start.unit + 100)
        assert torch.equal(far.unit, problem.upper.expand_as(far.unit))
        fit = optimiser.minimise(problem, far)
        assert ((fit.unit >= problem.lower) & (fit.unit <= problem.upper)).all()
        assert not_above(self.group_loss(problem, fit), self.group_loss(problem, far))

    def test_identical_stars_of_a_group_get_one_answer(self, optimiser, make, spectra, metric):
        problem, start = make(chosen(spectra, [0, 0, 0]), (0, 0, 0), metric)
        fit = optimiser.minimise(problem, start)
        assert not_above(fit.loss, start.loss)
        torch.testing.assert_close(fit.unit, fit.unit[:1].expand(3, -1))

    def test_a_group_of_one_star(self, optimiser, make, spectra, metric):
        problem, start = make(chosen(spectra, [3]), (0,), metric)
        fit = optimiser.minimise(problem, start)
        assert fit.unit.isfinite().all()
        assert not_above(fit.loss, start.loss)

    def test_a_space_of_one_dimension(self, optimiser, make, spectra, metric):
        problem, start = make(spectra, GROUPS, metric, max_comp=1)
        assert problem.subspace.lower.shape[1] == 1
        fit = optimiser.minimise(problem, start)
        assert not_above(self.group_loss(problem, fit), self.group_loss(problem, start))

    def test_a_star_without_a_good_pixel_ends_finite(self, optimiser, make, spectra, metric):
        ivar = spectra.ivar.clone()
        ivar[5] = 0
        blank = Spectra(spectra.wave, spectra.flux, ivar, spectra.has_ivar)
        problem, start = make(blank, GROUPS, metric)
        fit = optimiser.minimise(problem, start)
        assert fit.unit.isfinite().all()
        assert fit.loss.isfinite().all()

    def test_works_where_gradients_are_off(self, optimiser, case):
        problem, start = case
        fit = optimiser.minimise(problem, start)
        with torch.no_grad():
            assert torch.equal(optimiser.minimise(problem, start).unit, fit.unit)
        with torch.inference_mode():
            assert torch.equal(optimiser.minimise(problem, start).unit, fit.unit)

    def test_a_loss_in_single_precision_has_a_fit_in_double(self, optimiser, make, spectra):
        problem, start = make(spectra, GROUPS, plain_metric(sharing=Sharing()))
        assert problem.objective.dtype == torch.float32
        fit = optimiser.minimise(problem, start)
        assert {fit.unit.dtype, fit.loss.dtype} == {torch.float64}
        assert ((fit.unit >= problem.lower) & (fit.unit <= problem.upper)).all()
        before, after = self.group_loss(problem, start), self.group_loss(problem, fit)
        rounding = 1e-5 * problem.objective.constant.max()
        assert (after <= before + rounding).all()

    @pytest.mark.gpu
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
    def test_works_on_a_cuda_device(self, optimiser, case):
        problem, start = (to_device(value, torch.device("cuda")) for value in deepcopy(case))
        fit = optimiser.minimise(problem, start)
        assert fit.unit.is_cuda
        assert not_above(self.group_loss(problem, fit), self.group_loss(problem, start))


class IndependentGroupsContract(OptimiserContract):
    """Of an optimiser that treats every group as if it were alone."""

    def test_a_group_alone_is_as_in_the_batch(self, optimiser, make, spectra, metric, assert_close):
        fit = optimiser.minimise(*make(spectra, GROUPS, metric))
        for group in range(3):
            stars = [star for star, number in enumerate(GROUPS) if number == group]
            alone = optimiser.minimise(*make(chosen(spectra, stars), [0] * len(stars), metric))
            assert torch.equal(alone.iterations, fit.iterations[stars])
            assert_close(alone.unit, fit.unit[stars])

    def test_a_group_is_itself_beside_one_of_more_dimensions(
        self, optimiser, make, spectra, metric, assert_close
    ):
        stars = [star for star, number in enumerate(GROUPS) if number == 0]
        fit = optimiser.minimise(*make(spectra, GROUPS, metric, max_comp=(2, 5, 3)))
        alone = optimiser.minimise(
            *make(chosen(spectra, stars), [0] * len(stars), metric, max_comp=2)
        )
        assert_close(alone.unit, fit.unit[stars])

    def test_the_order_of_groups_and_stars_does_not_matter(
        self, optimiser, make, spectra, metric, assert_close
    ):
        fit = optimiser.minimise(*make(spectra, GROUPS, metric))
        order = [7, 2, 0, 5, 6, 1, 4, 3]
        renamed = [2 - GROUPS[star] for star in order]
        other = optimiser.minimise(*make(chosen(spectra, order), renamed, metric))
        assert_close(other.unit, fit.unit[order])

    def test_a_group_without_a_good_pixel_harms_no_other(
        self, optimiser, make, spectra, metric, assert_close
    ):
        """The star is a group of its own; within a group its start would move the group's space."""
        ivar = spectra.ivar.clone()
        ivar[5] = 0
        blank = Spectra(spectra.wave, spectra.flux, ivar, spectra.has_ivar)
        fit = optimiser.minimise(*make(blank, GROUPS, metric))
        others = [star for star in range(len(GROUPS)) if star != 5]
        without = optimiser.minimise(
            *make(chosen(spectra, others), [GROUPS[star] for star in others], metric)
        )
        assert_close(fit.unit[others], without.unit)
