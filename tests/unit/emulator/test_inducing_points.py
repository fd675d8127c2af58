import torch

from torchfit.emulator.inducing_points import farthest_points, nearest_counts


def test_no_star_is_far_from_a_point(generator):
    scaled = torch.rand(500, 2, generator=generator).double()
    points = farthest_points(scaled, 40)
    assert len(points.unique()) == 40
    nearest = torch.cdist(scaled, scaled[points]).min(dim=1).values
    random = torch.cdist(scaled, scaled[:40]).min(dim=1).values
    assert nearest.max() < 0.75 * random.max()


def test_more_points_begin_with_the_fewer(generator):
    scaled = torch.rand(100, 3, generator=generator).double()
    assert torch.equal(farthest_points(scaled, 30)[:10], farthest_points(scaled, 10))


def test_every_star_counts_once(generator):
    scaled = torch.rand(100, 3, generator=generator).double()
    counts = nearest_counts(scaled, scaled[:7])
    assert counts.sum() == 100
    assert (counts >= 1).all()
    assert torch.equal(nearest_counts(scaled, scaled), torch.ones(100).double())
