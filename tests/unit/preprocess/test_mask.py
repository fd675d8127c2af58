import torch

from torchfit.preprocess.mask import MASK_WINDOWS, inside_windows, interstellar_windows


def test_limits_count_as_inside():
    wave = torch.tensor([9.99, 10.0, 15.0, 20.0, 20.01], dtype=torch.float64)
    found = inside_windows(wave, [(10.0, 20.0)])
    assert found.tolist() == [False, True, True, True, False]


def test_no_window_masks_nothing():
    assert not inside_windows(torch.linspace(3000, 9000, 50)[None], []).any()


def test_windows_may_overlap_and_touch():
    wave = torch.arange(10.0)[None]
    found = inside_windows(wave, [(1.0, 3.0), (2.0, 5.0), (8.0, 8.0)])[0]
    assert found.nonzero()[:, 0].tolist() == [1, 2, 3, 4, 5, 8]


def test_the_papers_windows_hold_the_telluric_bands_and_the_dichroic():
    wave = torch.tensor([6900.0, 7280.0, 7600.0, 8200.0, 5895.0, 6563.0, 5175.0, 8542.0])
    assert inside_windows(wave, MASK_WINDOWS).tolist() == [True] * 5 + [False] * 3


def test_the_strong_interstellar_bands_are_listed_in_vacuum():
    windows = interstellar_windows(min_ew=100.0, half_width=3.2)
    for air, vacuum in ((5780.48, 5782.08), (5797.06, 5798.67), (6283.84, 6285.58)):
        (window,) = [w for w in windows if w[0] <= vacuum <= w[1] and w[1] - w[0] < 20]
        centre = sum(window) / 2
        assert abs(centre - vacuum) < 0.01
        assert abs(centre - air) > 1


def test_a_broad_band_takes_its_width_and_a_narrow_one_the_least():
    widths = {
        round((high + low) / 2, 2): high - low for low, high in interstellar_windows(0.0, 3.2)
    }
    assert abs(widths[4429.43] - 2 * 22.5) < 1e-9
    assert abs(widths[5798.67] - 2 * 3.2) < 1e-9


def test_a_higher_limit_keeps_only_stronger_bands():
    every, strong = interstellar_windows(0.0, 1.0), interstellar_windows(50.0, 1.0)
    assert 0 < len(strong) < len(every)
    assert set(strong) < set(every)
    assert not interstellar_windows(1e6, 1.0)
