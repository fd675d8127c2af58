"""A small ``python benchmarks/audit.py``: exchanged labels are found, sound stars are spared."""

import io
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from tests.metrics import plain_metric

from torchfit.emulator.gp import SharedKernelGP
from torchfit.group.grouping import Grouping
from torchfit.library.audit import Audit
from torchfit.library.library import Library
from torchfit.library.sample import SampleSizes
from torchfit.match.matching import Matching
from torchfit.measure.settings import FitSettings
from torchfit.names import LABELS
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.run.audit import audit_csv, audited_emulator, audited_library, refined_csv
from torchfit.run.held_out import Trial, held_out_stars, hold_out
from torchfit.uncertainty.error_learning import ErrorLearning

N_STARS, N_EXCHANGED = 300, 6
SCATTER = torch.tensor([40.0, 0.1, 0.05], dtype=torch.float64)
MOVED = 3.0


def exchange(labels, n_stars, seed):
    """The first stars hand their labels on to the next of them."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(labels), generator=generator)[:n_stars]
    changed = labels.clone()
    changed[chosen] = labels[chosen.roll(1)]
    return changed


@pytest.fixture(scope="module")
def settings():
    optimisers = {"lm": LevenbergMarquardt()}
    return FitSettings(Matching(t=10), Grouping(n_group=20, max_comp=2), plain_metric(), optimisers)


@pytest.fixture(scope="module")
def true(draw_labels, observe):
    """Stars whose published labels scatter about the truth."""
    labels = draw_labels(N_STARS, seed=21)
    spectra = observe(labels, 0.005, seed=21)
    generator = torch.Generator().manual_seed(22)
    noise = torch.randn(labels.shape, generator=generator, dtype=torch.float64)
    names = tuple(f"HD{number:06d}" for number in range(N_STARS))
    lsf_fwhm = torch.full_like(spectra.wave, 2.0)
    return Library(
        spectra, labels + SCATTER * noise, LABELS[:3], names, lsf_fwhm, {"library": "made"}, Audit()
    )


@pytest.fixture(scope="module")
def folded(training):
    return replace(training, n_folds=3)


def emulate(folded, library, preprocessor):
    gp = SharedKernelGP(folded.kernel(3), folded.noise)
    return folded.build(library, preprocessor, gp, lambda gp, table: None)


@pytest.fixture(scope="module")
def wrong(true):
    return replace(true, labels=exchange(true.labels, N_EXCHANGED, seed=1))


@pytest.fixture(scope="module")
def audited(folded, wrong, preprocessor, settings):
    emulator = emulate(folded, wrong, preprocessor)
    return audited_emulator(emulator, folded, settings, ErrorLearning())


def test_exchanged_labels_are_found_and_sound_stars_spared(audited, wrong, true):
    findings = audited[1]
    shift = ((wrong.labels - true.labels).abs() / findings.evidence.error).amax(dim=1)
    far, sound = shift > MOVED, shift == 0
    assert int(far.sum()) >= 4
    assert float(findings.listed[far].double().mean()) >= 0.95
    assert float(findings.listed[sound].double().mean()) < 0.01


def test_the_emulator_is_of_the_rest(audited, wrong):
    emulator, findings = audited
    n_out = int(findings.left_out.sum())
    assert 0 < n_out <= N_EXCHANGED
    kept = [name for name, out in zip(wrong.star_names, findings.left_out, strict=True) if not out]
    assert emulator.library.star_names == tuple(kept)
    assert len(emulator.gp.x_train) == N_STARS - n_out


def trial_of(library, audited, training):
    """All stars of a library, by emulators that see none of those that the audit leaves out."""
    emulator, findings = audited
    remake = partial(training.with_hyperparameters, emulator)
    return Trial(library, remake, findings.left_out)


def test_leaving_out_helps_the_others(audited, folded, wrong, true, preprocessor, settings):
    """All stars are scored, against the labels before the exchange."""
    emulator, _ = audited
    before, _ = hold_out(emulate(folded, wrong, preprocessor), folded, settings)
    after, _ = hold_out(emulator, folded, settings, 0, trial_of(wrong, audited, folded))
    assert len(after.predicted) == len(before.predicted) == N_STARS
    true_labels = true.labels.numpy()
    scatter = [np.abs(each.predicted - true_labels).mean(axis=0) for each in (before, after)]
    assert (scatter[1] < scatter[0]).all()


def test_what_is_left_out_trains_no_fold(folded, wrong, true, preprocessor, settings, audited):
    """With the labels of a star that is left out changed, no other prediction moves."""
    emulator, findings = audited
    star = int(findings.left_out.nonzero()[0])
    labels = wrong.labels.clone()
    labels[star] = labels[(star + 1) % N_STARS]
    changed = replace(wrong, labels=labels)
    found = [
        hold_out(emulator, folded, settings, 0, trial_of(library, audited, folded))[0].predicted
        for library in (wrong, changed)
    ]
    np.testing.assert_array_equal(*found)


def test_stars_with_noise_are_themselves(audited, folded, wrong, settings):
    """Their places are those of all stars, not of those that train."""
    emulator, findings = audited
    assert bool(findings.left_out[:-1].any())
    _, measured = hold_out(emulator, folded, settings, 60, trial_of(wrong, audited, folded))
    again = measured.noisy.labels.isfinite().all(dim=1)
    assert int(again.sum()) == 60
    quiet, noisy = measured.quiet.labels[again], measured.noisy.labels[again]
    apart = (noisy - quiet).abs().median(dim=0).values
    assert bool((apart < 0.3 * quiet.std(dim=0)).all())


def test_a_library_that_is_not_audited(folded, true, preprocessor, settings):
    emulator = emulate(folded, replace(true, audit=None), preprocessor)
    same, findings = audited_emulator(emulator, folded, settings, ErrorLearning())
    assert same is emulator
    assert findings is None


@pytest.fixture(scope="module")
def shown(audited, wrong, folded, settings):
    emulator, findings = audited
    held_out, _ = hold_out(emulator, folded, settings, 0, trial_of(wrong, audited, folded))
    stars = held_out_stars(wrong, folded)
    return held_out, stars, audited_library(wrong, findings, held_out, stars, emulator)


def test_listed_templates_come_with_their_neighbours(shown, audited, wrong):
    findings, library = audited[1], shown[2]
    assert [each.name for each in library.templates] == [
        wrong.star_names[star] for star in findings.ranked.tolist()
    ]
    assert library.n_left_out == int(findings.left_out.sum())
    for each in library.templates:
        assert len(set(each.neighbours)) == 3
        assert each.name not in each.neighbours
        near = each.neighbour_labels.mean(axis=0)
        errors = [np.abs((near - labels) / SCATTER.numpy()).max()
                  for labels in (each.measured, each.labels)]  # fmt: skip
        assert errors[0] < errors[1]
        assert np.isfinite(each.model).all()


def test_visits_of_listed_stars_that_are_not_held_out(folded, wrong, true, preprocessor, settings):
    """Of a sample one visit of a star is held out and listed: then the others are measured, too."""
    pairs = tuple(name for name in true.star_names[::2] for _ in range(2))
    labels = exchange(wrong.labels[::2], 20, seed=3).repeat_interleave(2, dim=0)
    spectra = true.spectra[torch.arange(0, N_STARS, 2).repeat_interleave(2)]
    visits = replace(wrong, labels=labels, star_names=pairs, spectra=spectra)
    sampled = replace(folded, samples=SampleSizes(held_out=40, folds=1))
    whole = emulate(sampled, visits, preprocessor)
    emulator, findings = audited_emulator(whole, sampled, settings, ErrorLearning())
    stars = held_out_stars(visits, sampled)
    assert set(findings.ranked.tolist()) - set(stars.tolist())
    held_out, _ = hold_out(
        emulator, sampled, settings, 0, trial_of(visits, (emulator, findings), sampled)
    )
    shown = audited_library(visits, findings, held_out, stars, emulator)
    assert len(shown.templates) == len(findings.ranked)
    for place, each in zip(findings.ranked.tolist(), shown.templates, strict=True):
        row = (stars == place).nonzero()[:, 0].tolist()
        by_itself = emulator.flux(labels[[place]])[0].float().numpy()
        model = held_out.model[row[0]] if row else by_itself
        np.testing.assert_allclose(each.model, model, rtol=1e-6)


def test_the_table_reads_back(shown):
    library = shown[2]
    table = pd.read_csv(io.StringIO(audit_csv(library)))
    assert table["star"].tolist() == [each.name for each in library.templates]
    assert table["left_out"].sum() == library.n_left_out
    np.testing.assert_allclose(table["teff"], [each.labels[0] for each in library.templates])
    assert (table["neighbours"].str.count(";") == 2).all()


def test_nothing_listed_is_a_header(shown):
    text = audit_csv(replace(shown[2], templates=()))
    assert text.startswith("star,reason,size,left_out,teff,teff_measured,teff_error,logg")
    assert text.count("\n") == 1


def test_refined_labels_are_nearer_to_the_truth(audited, wrong, true, draw_labels):
    """Also those of stars whose published labels are of another star."""
    findings, sound = audited[1], (wrong.labels == true.labels).all(dim=1).numpy()
    table = pd.read_csv(io.StringIO(refined_csv(wrong, findings)))
    assert table["star"].tolist() == list(wrong.star_names)
    truth = draw_labels(N_STARS, seed=21).numpy()
    for place, name in enumerate(wrong.label_names):
        np.testing.assert_allclose(table[name], wrong.labels[:, place], rtol=1e-6)
        off = np.abs(table[f"{name}_refined"] - truth[:, place])
        published = np.abs(table[name] - truth[:, place])
        assert np.sqrt(np.mean(off[sound] ** 2)) < 0.9 * np.sqrt(np.mean(published[sound] ** 2))
        assert off[~sound].mean() < published[~sound].mean()
        inside = (off < table[f"{name}_error"]).mean()
        assert 0.55 < inside < 0.9


def test_templates_that_were_not_measured_keep_their_published_labels(audited, wrong):
    findings = audited[1]
    measured = findings.evidence.measured.clone()
    measured[3] = torch.nan
    evidence = replace(findings.evidence, measured=measured)
    text = refined_csv(wrong, replace(findings, evidence=evidence))
    row = pd.read_csv(io.StringIO(text)).iloc[3]
    assert row["teff"] == pytest.approx(float(wrong.labels[3, 0]), rel=1e-6)
    assert row[["teff_refined", "teff_error", "teff_measured"]].isna().all()
