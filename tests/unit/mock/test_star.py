import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from torchfit.mock.star import StarModel, flux

TEMPERATURES = torch.tensor([7000.0, 8000.0, 9000.0, 10000.0, 11000.0, 13000.0, 17000.0, 25000.0])
H_BETA = (4780.0, 4945.0)
CALCIUM_K = (3915.0, 3955.0)
HELIUM_II = (4680.0, 4694.0)
TIO = (7045.0, 7056.0, 7075.0)


def test_flux_is_positive_everywhere(stars):
    teff = torch.tensor([3000.0, 4000, 6000, 9000, 15000, 32000], dtype=torch.float64)
    for logg in (0.0, 5.0):
        for fe_h in (-2.5, 0.5):
            made = stars.flux(teff=teff, logg=logg, fe_h=fe_h, alpha_fe=0.4)
            assert made.isfinite().all()
            assert (made > 0).all()


def test_balmer_lines_are_strongest_in_a_stars(stars):
    width = stars.equivalent_width(*H_BETA, teff=TEMPERATURES, logg=4.0)
    assert 8000 <= TEMPERATURES[width.argmax()] <= 11000
    assert 10 < width.max() < 22


def test_hydrogen_in_the_sun(stars):
    assert 2 < stars.equivalent_width(6535.0, 6595.0) < 6


def test_calcium_grows_towards_cool_stars(stars):
    teff = torch.tensor([9500.0, 8000, 7000, 6000, 5200], dtype=torch.float64)
    width = stars.equivalent_width(*CALCIUM_K, teff=teff)
    assert (width.diff() > 0).all()
    assert width[0] < 2
    assert width[-1] > 8


def test_titanium_oxide_in_cool_stars_only(stars):
    low, head, high = TIO
    before = (stars.wave > low) & (stars.wave < head - 3)
    after = (stars.wave > head + 6) & (stars.wave < high)
    made = stars.flux(teff=torch.tensor([3200.0, 3600.0, 4200.0, 5000.0], dtype=torch.float64))
    drop = 1 - made[:, after].mean(1) / made[:, before].mean(1)
    assert drop[0] > 0.25
    assert drop[1] > 0.08
    assert (drop[2:].abs() < 0.02).all()


def test_ionised_helium_in_the_hottest_stars_only(stars):
    teff = torch.tensor([15000.0, 22000.0, 26000.0, 32000.0, 36000.0], dtype=torch.float64)
    width = stars.equivalent_width(*HELIUM_II, teff=teff, logg=4.0)
    assert (width[:3] < 0.06).all()
    assert width[3] > 0.1
    assert width[4] > width[3]


def test_neutral_helium_in_b_stars(stars):
    teff = torch.tensor([8000.0, 20000.0], dtype=torch.float64)
    width = stars.equivalent_width(4462.0, 4480.0, teff=teff, logg=4.0, fe_h=-2.0)
    assert width[0] < 0.05
    assert width[1] > 0.4


def test_balmer_wings_are_broad_in_dwarfs(stars):
    width = stars.equivalent_width(
        *H_BETA, teff=9500.0, logg=torch.tensor([2.0, 3.0, 4.0]).double()
    )
    assert (width.diff() > 1).all()


def test_cool_dwarfs_have_broad_sodium(stars):
    width = stars.equivalent_width(
        5850.0, 5940.0, teff=4000.0, logg=torch.tensor([1.5, 4.6]).double()
    )
    assert width[1] > 1.5 * width[0]


def test_magnesium_hydride_belongs_to_dwarfs(stars):
    width = stars.equivalent_width(
        5090.0, 5216.0, teff=4300.0, logg=torch.tensor([1.5, 4.6]).double()
    )
    assert width[1] > width[0]


def test_metal_lines_grow_with_metals(stars):
    width = stars.equivalent_width(5250.0, 5460.0, fe_h=torch.tensor([-2.0, -1, 0, 0.5]).double())
    assert (width.diff() > 0).all()
    assert width[2] > 2 * width[0]


def test_alpha_elements_change_magnesium_and_leave_iron(stars):
    solar, enhanced = stars.flux(fe_h=-0.5, alpha_fe=torch.tensor([0.0, 0.4]).double())
    change = (enhanced / solar - 1).abs()

    def largest(low, high):
        return float(change[(stars.wave > low) & (stars.wave < high)].max())

    magnesium, iron = largest(5165.0, 5190.0), largest(5405.0, 5440.0)
    assert magnesium > 0.08
    assert iron < 0.01


def test_every_label_shows(stars):
    """What a good fitter can reach at S/N 50 is far better than surveys need."""
    labels = stars.labels(teff=5777.0).requires_grad_()
    blurred = torch.nn.functional.avg_pool1d(stars.model(labels)[None], 7, 2)[0, 0]
    use = slice(600, 3600)
    continuum = torch.nn.functional.avg_pool1d(blurred[None, None], 401, 1, 200)[0, 0]
    normal = (blurred / continuum)[use]
    rows = [torch.autograd.grad(value, labels, retain_graph=True)[0][0] for value in normal[::4]]
    derivative = 2 * torch.stack(rows)
    sigma = torch.linalg.inv(derivative.T @ derivative * 50**2).diagonal().sqrt()
    assert (sigma < torch.tensor([50.0, 0.15, 0.08, 0.06])).all()
    assert (sigma > torch.tensor([1.0, 0.003, 0.001, 0.001])).all()


@settings(max_examples=10)
@given(
    teff=st.floats(3100, 31000),
    logg=st.floats(0.1, 4.9),
    fe_h=st.floats(-2.4, 0.4),
    alpha_fe=st.floats(-0.3, 0.3),
)
def test_derivatives_agree_with_differences(stars, teff, logg, fe_h, alpha_fe):
    wave = stars.wave[2000:2400]
    model = StarModel(wave)
    point = stars.labels(teff, logg, fe_h, alpha_fe)
    direction = torch.tensor([[1.0, 1e-3, 1e-3, 1e-3]], dtype=torch.float64)
    _, slope = torch.func.jvp(model, (point,), (direction,))
    difference = (model(point + 0.1 * direction) - model(point - 0.1 * direction)) / 0.2
    torch.testing.assert_close(slope, difference, rtol=1e-3, atol=1e-7)


def test_a_batch_is_its_stars_one_by_one(stars):
    labels = stars.labels(teff=torch.tensor([3500.0, 6000.0, 20000.0], dtype=torch.float64))
    single = torch.cat([stars.model(row[None]) for row in labels])
    torch.testing.assert_close(stars.model(labels), single)


def test_single_precision_is_enough(stars):
    labels = stars.labels(teff=torch.tensor([3200.0, 5000.0, 9000.0, 30000.0], dtype=torch.float64))
    coarse = StarModel(stars.wave.float())(labels.float())
    torch.testing.assert_close(coarse.double(), stars.model(labels), rtol=1e-3, atol=1e-4)


def test_the_function_is_the_model(stars):
    labels = stars.labels()
    torch.testing.assert_close(flux(labels, stars.wave[:500]), stars.model(labels)[:, :500])


def test_a_window_is_part_of_the_whole(stars):
    window = slice(3000, 3900)
    made = StarModel(stars.wave[window])(stars.labels(teff=4800.0))
    torch.testing.assert_close(made, stars.flux(teff=4800.0)[:, window], rtol=1e-9, atol=1e-9)
