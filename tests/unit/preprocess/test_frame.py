import torch

from torchfit.preprocess.frame import rest_wave


def test_a_receding_star_is_shifted_to_the_blue():
    wave = torch.tensor([[4000.0, 5000.0], [4000.0, 5000.0], [4000.0, 5000.0]])
    found = rest_wave(wave, torch.tensor([0.0, 0.25, -0.2]))
    expected = torch.tensor([[4000.0, 5000.0], [3200.0, 4000.0], [5000.0, 6250.0]])
    torch.testing.assert_close(found, expected)
