"""Other ways from spectra to labels, in their shortest form.

``cannon``: The Cannon's quadratic model, per pixel a least-squares polynomial of the labels and a
scatter (Ness et al. 2015, ApJ 808, 16). ``cannon by class``: a model of its own for M, FGK, A and
OB stars, classes of test stars by their start labels; a quadratic is not made for O to M at once.
``slam``: a support vector regression per pixel, as in SLAM (Zhang et al. 2020, ApJS 246, 9), with
hyperparameters by cross validation, here the same for all pixels. ``gpr``: a discriminative
Gaussian process from flux components to every label. ``knn``: mean labels of the nearest spectra.
cannon and slam are inverted by scipy's least squares.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import least_squares
from sklearn.decomposition import PCA
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import PolynomialFeatures
from sklearn.svm import SVR

N_COMP = 40
"""Flux components of the discriminative process and of the neighbours."""
SVR_STEP = 4
"""One of so many pixels has a support vector regression."""


@dataclass(frozen=True)
class Fold:
    """Training and test stars as arrays.

    Args:
        flux: Normalised flux of the training stars in the pixels that nearly all stars have; bad
            pixels have the mean of the others.
        unit: Scaled labels of the training stars.
        test_flux: The same of the test stars.
        start: Scaled start labels of the test stars.
        kind: Number of the class of the training stars.
        test_kind: Number of the class of the test stars, by their start labels.
    """

    flux: Float[np.ndarray, "train pix"]
    unit: Float[np.ndarray, "train label"]
    test_flux: Float[np.ndarray, "test pix"]
    start: Float[np.ndarray, "test label"]
    kind: Int[np.ndarray, " train"]
    test_kind: Int[np.ndarray, " test"]

    def of(self, kind: int) -> "Fold":
        """The stars of a class."""
        train, test = self.kind == kind, self.test_kind == kind
        return Fold(
            self.flux[train], self.unit[train], self.test_flux[test], self.start[test],
            self.kind[train], self.test_kind[test],
        )  # fmt: skip


Found = tuple[np.ndarray, np.ndarray | None]
"""Scaled labels of the test stars and their standard deviations, where the method has any."""


def knn(fold: Fold) -> Found:
    """Mean labels of the five nearest spectra, weighted by inverse distance."""
    model = KNeighborsRegressor(n_neighbors=5, weights="distance").fit(fold.flux, fold.unit)
    return model.predict(fold.test_flux), None


def gpr(fold: Fold) -> Found:
    """A Gaussian process per label over standardised flux components."""
    pca = PCA(N_COMP, random_state=0).fit(fold.flux)
    scores, test = pca.transform(fold.flux), pca.transform(fold.test_flux)
    # One scale for all components: standardised one by one, the small ones are noise.
    width = scores.std()
    found = []
    for label in fold.unit.T:
        kernel = ConstantKernel(10.0) * RBF(5.0) + WhiteKernel(0.05)
        model = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
        found.append(model.fit(scores / width, label).predict(test / width, return_std=True))
    return np.stack([each[0] for each in found], axis=1), np.stack([e[1] for e in found], axis=1)


def cannon(fold: Fold) -> Found:
    """The Cannon's quadratic model."""
    terms = PolynomialFeatures(2).fit(fold.unit)
    design = terms.transform(fold.unit)
    weights = np.linalg.lstsq(design, fold.flux, rcond=None)[0]
    scatter = (fold.flux - design @ weights).std(axis=0)
    power = terms.powers_

    def model(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        slope = np.stack([_derivative(power, x, label) for label in range(len(x))])
        return terms.transform(x[None])[0] @ weights, slope @ weights

    return inverted(fold, model, scatter, slice(None))


def cannon_by_class(fold: Fold) -> Found:
    """The Cannon's quadratic model, one for each class."""
    labels, errors = np.empty_like(fold.start), np.empty_like(fold.start)
    for kind in np.unique(fold.test_kind):
        test = fold.test_kind == kind
        labels[test], errors[test] = cannon(fold.of(kind))
    return labels, errors


def _derivative(power: np.ndarray, x: np.ndarray, label: int) -> np.ndarray:
    """Derivative of every monomial by one label."""
    lower = power.copy()
    lower[:, label] = np.maximum(lower[:, label] - 1, 0)
    return power[:, label] * np.prod(x**lower, axis=1)


def slam(fold: Fold) -> Found:
    """A support vector regression per pixel; all pixels share the kernel."""
    pixels = slice(None, None, SVR_STEP)
    flux = fold.flux[:, pixels]
    centre, width = flux.mean(axis=0), flux.std(axis=0)
    y = (flux - centre) / width
    best = _svr_settings(fold.unit, y)
    dual, offset = np.zeros((len(y), y.shape[1])), np.zeros(y.shape[1])
    for pixel in range(y.shape[1]):
        fitted = SVR(**best).fit(fold.unit, y[:, pixel])
        dual[fitted.support_, pixel], offset[pixel] = fitted.dual_coef_[0], fitted.intercept_[0]

    def model(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        apart = x - fold.unit
        kernel = np.exp(-best["gamma"] * (apart**2).sum(axis=1))
        slope = (-2 * best["gamma"] * apart * kernel[:, None]).T
        return centre + width * (kernel @ dual + offset), width * (slope @ dual)

    inside = np.stack([model(x)[0] for x in fold.unit])
    return inverted(fold, model, (flux - inside).std(axis=0), pixels)


def _svr_settings(unit: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Penalty, kernel width and tolerance of least cross-validated error over twelve pixels."""
    grid = {"C": [1.0, 10.0, 100.0], "gamma": [0.03, 0.1, 0.3], "epsilon": [0.05, 0.2]}
    total: dict[tuple, float] = {}
    for pixel in np.linspace(0, y.shape[1] - 1, 12).astype(int):
        search = GridSearchCV(SVR(), grid, cv=3, scoring="neg_mean_squared_error", refit=False)
        search.fit(unit, y[:, pixel])
        results = search.cv_results_
        for settings, score in zip(results["params"], results["mean_test_score"], strict=True):
            key = tuple(settings.items())
            total[key] = total.get(key, 0.0) + score
    return dict(max(total, key=lambda key: total[key]))


def inverted(
    fold: Fold,
    model: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    scatter: np.ndarray,
    pixels: slice,
) -> Found:
    """Labels of least chi-squared within the range of the training stars, and their errors.

    Args:
        fold: The stars.
        model: Flux, and its derivatives by the scaled labels.
        scatter: Standard deviation of observed minus modelled flux of every pixel.
        pixels: Pixels of the model.

    Returns:
        Scaled labels, and errors from the curvature of chi-squared.
    """
    low, high = fold.unit.min(axis=0), fold.unit.max(axis=0)
    labels, errors = np.empty_like(fold.start), np.empty_like(fold.start)
    for star, (flux, start) in enumerate(zip(fold.test_flux[:, pixels], fold.start, strict=True)):
        fit = least_squares(
            lambda x, flux=flux: (model(x)[0] - flux) / scatter,
            np.clip(start, low + 1e-6, high - 1e-6),
            lambda x: (model(x)[1] / scatter).T,
            bounds=(low, high),
        )
        labels[star] = fit.x
        errors[star] = np.sqrt(np.diag(np.linalg.pinv(fit.jac.T @ fit.jac)))
    return labels, errors


PEERS: dict[str, Callable[[Fold], Found]] = {
    "knn": knn,
    "gpr": gpr,
    "cannon": cannon,
    "cannon by class": cannon_by_class,
    "slam": slam,
}
