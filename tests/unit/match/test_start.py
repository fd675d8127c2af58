import torch

from torchfit.match.start import exclude_same_star, start_errors, start_labels

LABELS = torch.tensor([[5000.0, 4.0], [6000.0, 2.0], [7000.0, 3.0]], dtype=torch.float64)


def cfi(*values):
    return torch.tensor([values], dtype=torch.float64)


def test_one_best_is_the_template_itself():
    assert start_labels(cfi(0.2, 0.9, 0.5), LABELS, 1).tolist() == [[6000.0, 2.0]]


def test_equal_correlations_weigh_the_same():
    torch.testing.assert_close(
        start_labels(cfi(0.9, 0.9, -0.5), LABELS, 2),
        torch.tensor([[5500.0, 3.0]], dtype=torch.float64),
    )


def test_a_perfect_match_takes_nearly_all_the_weight():
    found = start_labels(cfi(1.0, 0.5, 0.5), LABELS, 3)[0]
    assert abs(found[0] - 5000) < 2


def test_more_than_the_library_is_the_library():
    values = cfi(0.3, 0.9, 0.5)
    assert torch.equal(start_labels(values, LABELS, 3), start_labels(values, LABELS, 50))


def test_the_mean_lies_between_the_templates(generator, library):
    values = torch.rand(5, len(library), generator=generator, dtype=torch.float64)
    found = start_labels(values, library.labels, 5)
    low, high = library.labels.min(dim=0).values, library.labels.max(dim=0).values
    assert ((found >= low) & (found <= high)).all()


def test_a_forbidden_pair_has_no_weight():
    found = start_labels(exclude_same_star(torch.eye(3).double(), ("a", "b", "c")), LABELS, 3)
    torch.testing.assert_close(found[0], LABELS[1:].mean(dim=0))


def test_errors_of_stars_seen_twice_do_not_use_the_other_visit(library, emulator):
    """A repeat would match itself nearly perfectly, with the same labels."""
    labels = library.labels.clone()
    labels[1] = labels[0]
    flux = library.spectra.flux.clone()
    flux[1] = flux[0]
    spectra = type(library.spectra)(
        library.spectra.wave, flux, library.spectra.ivar, library.spectra.has_ivar
    )
    doubled = type(library)(
        spectra, labels, library.label_names, library.star_names, library.lsf_fwhm
    )
    _, error = start_errors(doubled, emulator.scaler, n_best=1)
    assert (error[:2].abs().sum(dim=1) > 0).all()


def test_errors_are_smaller_than_those_of_chance(library, emulator):
    _, error = start_errors(library, emulator.scaler, n_best=5)
    spread = emulator.scaler.to_unit(library.labels).std(dim=0)
    assert (error.std(dim=0) < 0.8 * spread).all()
