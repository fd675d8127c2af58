from dataclasses import replace

import lightning
import pytest
import torch
from tests.contract.optimiser_contract import not_above
from tests.metrics import loss_of, plain_metric, plain_nuisance
from torch.utils.data import DataLoader

from torchfit.emulator.gp import SharedKernelGP
from torchfit.flags.bits import ResultFlag
from torchfit.group.grouping import Grouping
from torchfit.likelihood.joint_spectra import JointSpectra, coadd
from torchfit.likelihood.metric import Sharing
from torchfit.likelihood.outliers import Outliers
from torchfit.match.cfi import correlate
from torchfit.match.matching import Matching
from torchfit.match.start import start_labels
from torchfit.measure.batch import GroupBatch, Unread
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.module import FitModule
from torchfit.measure.settings import FitSettings
from torchfit.optimise.bo import BayesianOptimisation
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.run.trainer import build_trainer
from torchfit.uncertainty.sampler import EnsembleSampler
from torchfit.uncertainty.sampling import PosteriorSampling

N_STARS = 10
BO = BayesianOptimisation(n_random=3, max_iterations=2, raw_samples=16, num_restarts=2)
LM = LevenbergMarquardt()
SAMPLING = PosteriorSampling(EnsembleSampler(n_warmup=20, n_steps=100))


@pytest.fixture(scope="module")
def truth(draw_labels):
    return draw_labels(N_STARS, 60)


@pytest.fixture(scope="module")
def spectra(observe, truth):
    return observe(truth, 0.01, seed=60, masked=0.02)


@pytest.fixture(scope="module")
def batch(spectra):
    return GroupBatch(torch.arange(100, 110), torch.tensor([7, 7, 3, 3, 3, 9, 7, 3, 9, 9]), spectra)


@pytest.fixture(scope="module")
def infer(masked_emulator):
    def make(metric=None, sampling=None, sampled=None, noise=None, **optimisers):
        settings = FitSettings(
            Matching(t=15, n_best=5),
            Grouping(max_comp=3),
            metric or plain_metric(),
            optimisers,
            sampling=sampling,
        )
        return BatchFitter(masked_emulator, settings, noise, sampled)

    return make


class Keep(lightning.Callback):
    """Keeps what Lightning would hand to a writer."""

    def __init__(self):
        self.measured = []

    def on_predict_batch_end(self, trainer, pl_module, outputs, *_):
        self.measured.append(list(outputs))


def test_labels_are_found_better_than_by_matching(infer, batch, truth, masked_emulator):
    found = infer(lm=LM).measure(batch)
    unit = masked_emulator.scaler.to_unit
    after, before = (
        (unit(x) - unit(truth)).square().mean(dim=0) for x in (found.labels, found.start)
    )
    assert (after < 0.3 * before).all()


def test_numbers_of_stars_and_groups_are_the_batchs(infer, batch):
    found = infer(lm=LM).measure(batch)
    assert torch.equal(found.star, batch.star)
    assert torch.equal(found.group, batch.group)


def test_every_column_is_what_it_says(infer, batch, masked_emulator, assert_close):
    fitter = infer(lm=LM)
    found, spectra = fitter.measure(batch), batch.spectra
    cfi = correlate(
        batch.spectra, masked_emulator.library.spectra, fitter.settings.matching.scatter
    )
    assert torch.equal(found.cfi, cfi.max(dim=1).values)
    assert_close(found.start, start_labels(cfi, masked_emulator.library.labels, 5))
    good = spectra.good & masked_emulator.flux_pca.good
    assert torch.equal(found.n_pix, good.sum(dim=1))
    residual = torch.where(good, spectra.flux - masked_emulator.flux(found.labels), 0.0)
    assert_close(found.sse, residual.square().sum(dim=1))
    objective = loss_of(plain_metric(), masked_emulator, spectra, found.start)
    assert_close(found.chi2, objective.chi_squared(masked_emulator.scaler.to_unit(found.labels)))
    assert_close(found.rchi2, found.chi2 / (found.n_pix - 3))
    assert_close(found.labels, masked_emulator.scaler.from_unit(found.fit.unit))
    assert found.v_rad.isnan().all()


def all_of(measured):
    """Every tensor of a measurement, in the order of its fields."""
    return [
        value
        for part in (measured, measured.errors, measured.fit)
        for value in vars(part).values()
        if isinstance(value, torch.Tensor)
    ]


@pytest.mark.parametrize("sharing", [None, Sharing()])
def test_a_star_of_one_exposure_has_the_bytes_of_the_usual_fit(infer, batch, sharing):
    """Whether or not it was looked for others; none of its company has several."""
    spectra = batch.spectra
    none = torch.zeros(0, dtype=torch.long)
    joint = JointSpectra(
        spectra.wave, spectra.flux, spectra.ivar, spectra.has_ivar, spectra[:0], none
    )
    fitter = infer(plain_metric(sharing=sharing, outliers=Outliers()), lm=LM)
    usual, other = (fitter.measure(replace(batch, spectra=each)) for each in (spectra, joint))
    for one, two in zip(all_of(usual), all_of(other), strict=True):
        assert torch.equal(one.nan_to_num(-1.0), two.nan_to_num(-1.0))


def test_stars_of_several_exposures_are_fitted_beside_others(infer, observe, truth, batch):
    """In their own rows, better than any exposure, the others as if they were alone."""
    star = torch.tensor([1, 1, 1, 1, 4, 4, 4, 4])
    exposures = observe(truth[star], 0.03, seed=61)
    coadds = coadd(exposures, star.unique(return_inverse=True)[1])
    spectra = batch.spectra
    flux, ivar = spectra.flux.clone(), spectra.ivar.clone()
    flux[[1, 4]], ivar[[1, 4]] = coadds.flux, coadds.ivar
    joint = JointSpectra(spectra.wave, flux, ivar, spectra.has_ivar, exposures, star)
    fitter = infer(plain_metric(nuisance=plain_nuisance(velocity_sigma=20.0)), lm=LM)
    found = fitter.measure(replace(batch, spectra=joint))
    alone = fitter.measure(GroupBatch(star, star, exposures))
    usual = fitter.measure(batch)
    others = torch.tensor([0, 2, 3, 5, 6, 7, 8, 9])
    torch.testing.assert_close(found.labels[others], usual.labels[others], rtol=1e-6, atol=1e-6)
    assert torch.equal(found.star, batch.star)
    assert (found.n_pix[[1, 4]] > 3 * found.n_pix[0]).all()
    for place, rows in ((1, slice(0, 4)), (4, slice(4, 8))):
        assert (found.errors.total[place] < alone.errors.total[rows]).all()
        assert (found.chi2[place] / found.n_pix[place]).item() == pytest.approx(1.0, abs=0.2)
    assert found.v_rad.isfinite().all()


def test_errors_are_positive_and_missing_without_weights(infer, batch):
    assert (infer(lm=LM).measure(batch).errors.total > 0).all()
    assert infer(plain_metric(weighted=False), lm=LM).measure(batch).errors.total.isnan().all()


def test_errors_say_how_wrong_the_labels_are(infer, observe, draw_labels):
    """Without the prior, which is made of the same spectrum and claims too much."""
    truth = draw_labels(150, 61)
    batch = GroupBatch(torch.arange(150), torch.arange(150) // 50, observe(truth, 0.02, seed=61))
    found = infer(plain_metric(prior_strength=0.0), lm=LM).measure(batch)
    pull = ((found.labels - truth) / found.errors.total).abs().median(dim=0).values / 0.6745
    assert ((pull > 0.7) & (pull < 1.2)).all()


def test_a_velocity_is_told_when_the_metric_has_one(infer, batch):
    metric = plain_metric(nuisance=plain_nuisance(velocity_sigma=20.0))
    assert infer(metric, lm=LM).measure(batch).v_rad.isfinite().all()


def test_without_optimisers_the_start_is_the_result(infer, batch, assert_close):
    found = infer().measure(batch)
    assert_close(found.labels, found.start)
    assert set(found.fit.stop_reasons()) == {"max_iterations"}
    assert (found.flags & ResultFlag.NOT_CONVERGED > 0).all()


def test_optimisers_go_on_from_each_other(infer, batch):
    both, grouped = infer(bo=BO, lm=LM).measure(batch), infer(bo=BO).measure(batch)
    assert not_above(both.fit.loss, grouped.fit.loss)
    assert (both.fit.iterations > grouped.fit.iterations).all()


def test_labels_after_the_search_of_groups_are_kept(infer, batch):
    both, grouped = infer(bo=BO, lm=LM).measure(batch), infer(bo=BO).measure(batch)
    assert torch.equal(both.grouped, grouped.labels)
    assert torch.equal(grouped.grouped, grouped.labels)
    assert not torch.equal(both.grouped, both.labels)
    assert infer(lm=LM).measure(batch).grouped.isnan().all()


@pytest.mark.parametrize("optimisers", [{"lm": LM}, {"bo": BO}, {"bo": BO, "lm": LM}])
def test_lightning_measures_the_same(infer, batch, optimisers):
    """``Trainer.predict`` works in fitter mode, where nothing has a gradient."""
    fitter, keep = infer(**optimisers), Keep()
    expected = fitter.measure(batch)
    loader = DataLoader([[Unread(0, len(batch), lambda: batch)]], batch_size=None)
    build_trainer(callbacks=[keep]).predict(FitModule(fitter), loader, return_predictions=False)
    ((found,),) = keep.measured
    one, other = tensors(found), tensors(expected)
    assert len(one) == 20
    torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


def tensors(value, path=""):
    """All tensors of nested dataclasses by name."""
    if isinstance(value, torch.Tensor) or value is None:
        return {} if value is None else {path: value}
    parts = [tensors(each, f"{path}.{name}") for name, each in vars(value).items()]
    return {name: tensor for part in parts for name, tensor in part.items()}


def test_a_group_alone_is_as_in_a_batch(infer, batch):
    fitter = infer(bo=BO, lm=LM)
    whole = fitter.measure(batch)
    for number in (3, 7, 9):
        stars = (batch.group == number).nonzero()[:, 0]
        alone = fitter.measure(
            GroupBatch(batch.star[stars], batch.group[stars], batch.spectra[stars])
        )
        torch.testing.assert_close(alone.labels, whole.labels[stars])
        torch.testing.assert_close(alone.errors.total, whole.errors.total[stars])


def test_flags_tell_what_happened(infer, batch, masked_emulator):
    ivar = batch.spectra.ivar.clone()
    ivar[0] = 0
    ivar[1, 150:] = 0
    flux = batch.spectra.flux.clone()
    generator = torch.Generator().manual_seed(1)
    flux[2] = 1 + 0.1 * torch.randn(400, generator=generator).double()
    has_ivar = batch.spectra.has_ivar.clone()
    has_ivar[3] = False
    odd = replace(batch.spectra, flux=flux, ivar=ivar, has_ivar=has_ivar)
    found = infer(lm=LM).measure(replace(batch, spectra=odd))
    flags = [ResultFlag(value) for value in found.flags.tolist()]
    assert flags[0] == ResultFlag.NOT_CONVERGED | ResultFlag.FEW_PIXELS | ResultFlag.INVALID
    assert ResultFlag.FEW_PIXELS in flags[1]
    assert ResultFlag.POOR_MATCH in flags[2]
    assert ResultFlag.NO_ERRORS in flags[3]
    lower, upper = masked_emulator.bounds
    edge = ((found.fit.unit <= lower + 1e-6) | (found.fit.unit >= upper - 1e-6)).any(dim=1)
    assert all(ResultFlag.EDGE in flag for flag, on_it in zip(flags, edge, strict=True) if on_it)


@pytest.mark.parametrize("beyond", [[4300.0, 3.0, -0.5], [7300.0, 3.0, -0.5], [5500.0, 3.0, 0.8]])
def test_stars_from_beyond_the_library_are_on_its_edge(infer, observe, beyond):
    """The soft wall lets them rest a little inside, where nothing else tells them apart."""
    labels = torch.tensor([beyond, [5500.0, 3.0, -0.5]], dtype=torch.float64)
    spectra = observe(labels, 0.01, seed=4)
    found = infer(lm=LM).measure(GroupBatch(torch.arange(2), torch.zeros(2).long(), spectra))
    assert [bool(value & ResultFlag.EDGE) for value in found.flags.tolist()] == [True, False]


def test_a_label_that_does_not_vary_is_held_against_no_star(training, masked_emulator, batch):
    """A grid of one metallicity: its stars are at the edge of nothing, and as valid as others."""
    library = masked_emulator.library
    labels = torch.cat([library.labels, torch.full((len(library), 1), 0.4).double()], dim=1)
    names = (*library.label_names, "alpha_fe")
    library = replace(library, labels=labels, label_names=names)
    gp = SharedKernelGP(training.kernel(4), training.noise)
    emulator = training.build(library, masked_emulator.preprocessor, gp, lambda gp, table: None)
    settings = FitSettings(Matching(t=15, n_best=5), optimisers={"lm": LM})
    found = BatchFitter(emulator, settings).measure(batch)
    assert (found.labels[:, 3] == labels[0, 3]).all()
    odd = ResultFlag.EDGE | ResultFlag.INVALID
    assert sum(bool(value & odd) for value in found.flags.tolist()) < N_STARS / 2
    assert found.errors.total[:, :3].isfinite().all() and found.errors.total[:, 3].isnan().all()


def test_posteriors_are_sampled_where_asked(infer, batch):
    assert infer(lm=LM).measure(batch).posterior is None
    fitter = infer(sampling=SAMPLING, sampled=torch.tensor([102, 105]), lm=LM)
    found = fitter.measure(batch)
    sampled = found.posterior.mean.isfinite().all(dim=1)
    assert batch.star[sampled].tolist() == [102, 105]
    ratio = (found.posterior.std / found.errors.total)[sampled]
    assert ((ratio > 0.3) & (ratio < 2)).all()
    assert infer(plain_metric(weighted=False), SAMPLING, lm=LM).measure(batch).posterior is None


def test_chains_that_do_not_mix_are_flagged(infer, batch):
    never = replace(SAMPLING, max_rhat=1 + 1e-9)
    fitter = infer(sampling=never, sampled=torch.tensor([102]), lm=LM)
    flags = fitter.measure(batch).flags
    assert ((flags & ResultFlag.NOT_MIXED) > 0).tolist() == (batch.star == 102).tolist()


def test_a_star_without_a_pixel_beside_sampled_ones(infer, batch, spectra):
    ivar = spectra.ivar.clone()
    ivar[4] = 0
    blank = replace(batch, spectra=replace(spectra, ivar=ivar))
    found = infer(sampling=SAMPLING, lm=LM).measure(blank)
    sampled = found.posterior.mean.isfinite().all(dim=1)
    assert sampled.tolist() == [star != 4 for star in range(N_STARS)]
    assert found.errors.total[4].isnan().all()
