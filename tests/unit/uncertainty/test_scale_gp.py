import torch

from torchfit.uncertainty.scale_gp import (
    Hyperparameters,
    ScaleGP,
    learn_hyperparameters,
    spread_out,
)

USUAL = Hyperparameters.usual(2, 0.25, 0.1)


def data(generator, n_stars=200):
    x = torch.randn(n_stars, 2, generator=generator).double()
    noise = torch.randn(n_stars, generator=generator).double()
    return x, x[:, 0].sin() + 0.1**0.5 * noise


def test_few_points_do_for_a_smooth_function(generator):
    x, y = data(generator, 400)
    new = torch.randn(50, 2, generator=generator).double().clamp(-2, 2)
    exact, sparse = (ScaleGP.fit(x, y, USUAL, n).predict(new) for n in (400, 60))
    assert (exact[0] - sparse[0]).abs().max() < 0.05
    assert (exact[1] - sparse[1]).abs().max() < 0.01


def test_a_function_is_found_within_its_variance(generator):
    x, y = data(generator)
    new = torch.randn(300, 2, generator=generator).double().clamp(-1.5, 1.5)
    mean, variance = ScaleGP.fit(x, y, learn_hyperparameters(x, y, USUAL, False)).predict(new)
    pull = (mean - new[:, 0].sin()) / variance.sqrt()
    assert pull.square().mean() < 2
    assert variance.max() < 0.1


def test_far_away_only_the_level_is_known(generator):
    x, y = data(generator)
    gp = ScaleGP.fit(x, y + 0.4, USUAL)
    far = torch.tensor([[torch.nan, 0.0], [1e5, 0.0]], dtype=torch.float64)
    mean, variance = gp.predict(far)
    torch.testing.assert_close(mean[0], mean[1])
    assert abs(mean[0] - 0.4) < 0.15
    assert (variance > USUAL.outputscale).all()
    assert (variance < USUAL.outputscale + USUAL.constant).all()


def test_more_is_known_near_the_data_than_before(generator):
    x, y = data(generator)
    prior = USUAL.constant + USUAL.outputscale
    _, variance = ScaleGP.fit(x, y, USUAL).predict(x)
    assert (variance >= 0).all()
    assert (variance < 0.3 * prior).all()


def test_hyperparameters_follow_the_data(generator):
    x, y = data(generator, 300)
    learned = learn_hyperparameters(x, y, USUAL, learn_noise=True)
    assert learned.lengthscale[1] > 1.5 * learned.lengthscale[0]
    assert 0.07 < learned.noise < 0.14
    assert learned.constant == USUAL.constant


def test_state_and_back(generator):
    x, y = data(generator, 50)
    gp = ScaleGP.fit(x, y, USUAL, 20)
    again = ScaleGP.of_state(gp.state())
    for first, second in zip(gp.predict(x), again.predict(x), strict=True):
        assert torch.equal(first, second)


def test_points_are_different_and_reach_the_ends(generator):
    x = torch.randn(500, 2, generator=generator).double()
    x[400:] = x[:100]
    chosen = spread_out(x, 450)
    assert len(chosen.unique()) == len(chosen) == 400
    first = spread_out(x, 10)
    assert torch.equal(first, chosen[:10])
    assert x[first].amax(dim=0).equal(x.amax(dim=0)) or len(first) == 10
