"""Chi-squared of a star as a quadratic form of its flux coefficients: one contract, two kinds."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.emulator.local_covariance import LocalCovariance
from torchfit.likelihood.stars_by_key import StarsByKey


@runtime_checkable
class QuadraticForm(Protocol):
    r"""Chi-squared of stars, :math:`\chi^2(d) = c - 2 g^T d + d^T P d`, d = f - f_0.

    d counts from each star's own :math:`f_0`, so that small differences of large numbers arise
    once, in double precision, and never again. Rows are row vectors of coefficients, some per star:
    an offset d, or derivatives of f.
    """

    @property
    def constant(self) -> Float[Tensor, " star"]:
        """c, the chi-squared at :math:`f_0`."""
        ...

    def value(self, offset: Float[Tensor, "star cand comp"]) -> Float[Tensor, "star cand"]:
        """Chi-squared of some offsets per star."""
        ...

    def products(
        self, rows: Float[Tensor, "star row comp"]
    ) -> tuple[Float[Tensor, "star row row"], Float[Tensor, "star row"]]:
        r""":math:`R P R^T` and :math:`R g` of some rows R per star."""
        ...

    def information(
        self, rows: Float[Tensor, "star row comp"]
    ) -> tuple[Float[Tensor, "star row row"], Float[Tensor, "star row row"]]:
        r""":math:`R P R^T`, and its part :math:`R (P - P \Sigma P) R^T` from the pixels' noise.

        :math:`\Sigma` is the covariance of the emulator's own error, which is contained in P.
        """
        ...

    def square_root(self, star: int) -> tuple[Float[Tensor, "kept comp"], Float[Tensor, " kept"]]:
        """U and t of one star, in double precision, with P = U^T U and g = U^T t."""
        ...

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "QuadraticForm":
        """The forms of the chosen stars."""
        ...


@dataclass(frozen=True)
class EmulatorError:
    """Covariance of the emulator's own error for each star, computed when it is needed.

    Args:
        covariance: Covariance along temperature.
        teff: Temperature of each star in K.
    """

    covariance: LocalCovariance
    teff: Float[Tensor, " star"]

    def matrices(self) -> Float[Tensor, "star comp comp"]:
        """One covariance per star."""
        return self.covariance.at(self.teff)

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "EmulatorError":
        """The errors of the chosen stars."""
        return EmulatorError(self.covariance, self.teff[star])


@dataclass(frozen=True)
class DenseForm:
    """A matrix P of its own for every star.

    Args:
        precision: P of each star.
        pull: g of each star.
        constant: c of each star.
        emulator_error: Covariance of the emulator's error that P contains.
    """

    precision: Float[Tensor, "star comp comp"]
    pull: Float[Tensor, "star comp"]
    constant: Float[Tensor, " star"]
    emulator_error: EmulatorError

    @classmethod
    def about(
        cls,
        centre: Float[Tensor, "star comp"],
        at_zero: tuple[Tensor, Tensor, Tensor],
        emulator_error: EmulatorError,
    ) -> "DenseForm":
        r"""The same chi-squared, counted from a centre instead of from zero coefficients.

        Args:
            centre: Coefficients to count from.
            at_zero: P, v and c of :math:`c - 2 v^T f + f^T P f`.
            emulator_error: Covariance of the emulator's error that P contains.

        Returns:
            The form.
        """
        precision, linear, constant = at_zero
        weighted = torch.einsum("sij,sj->si", precision, centre)
        at_centre = constant + ((weighted - 2 * linear) * centre).sum(dim=1)
        return cls(precision, linear - weighted, at_centre, emulator_error)

    def value(self, offset: Float[Tensor, "star cand comp"]) -> Float[Tensor, "star cand"]:
        """See :meth:`QuadraticForm.value`."""
        bend = ((offset @ self.precision - 2 * self.pull[:, None]) * offset).sum(dim=-1)
        return self.constant[:, None] + bend

    def products(
        self, rows: Float[Tensor, "star row comp"]
    ) -> tuple[Float[Tensor, "star row row"], Float[Tensor, "star row"]]:
        """See :meth:`QuadraticForm.products`."""
        inner = (rows @ self.precision) @ rows.mT
        return inner, (rows @ self.pull[:, :, None])[:, :, 0]

    def information(
        self, rows: Float[Tensor, "star row comp"]
    ) -> tuple[Float[Tensor, "star row row"], Float[Tensor, "star row row"]]:
        """See :meth:`QuadraticForm.information`."""
        weighted = rows @ self.precision
        whole = weighted @ rows.mT
        return whole, whole - weighted @ self.emulator_error.matrices() @ weighted.mT

    def square_root(self, star: int) -> tuple[Float[Tensor, "kept comp"], Float[Tensor, " kept"]]:
        """See :meth:`QuadraticForm.square_root`; directions that P leaves empty are dropped."""
        value, vector = torch.linalg.eigh(self.precision[star].double())
        kept = value > 1e-12 * value.max()
        vector, scale = vector[:, kept], value[kept].sqrt()
        return (vector * scale).mT, (vector / scale).mT @ self.pull[star].double()

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "DenseForm":
        """The forms of the chosen stars."""
        return DenseForm(
            self.precision[star], self.pull[star], self.constant[star], self.emulator_error[star]
        )


@dataclass(frozen=True)
class WhitenedForm:
    r"""Coordinates :math:`w = U^T d`, shared by the stars of a key, in which P is the identity.

    Args:
        whitener: U of every key, :math:`P = U U^T`: a row of coefficients times it is a row of w.
        emulator_share: Share of the variance along each coordinate that is the emulator's own
            error; the rest is noise of the pixels.
        key: Key of each star.
        pull: g of each star in these coordinates.
        constant: c of each star.
    """

    whitener: Float[Tensor, "key comp comp"]
    emulator_share: Float[Tensor, "key comp"]
    key: Int[Tensor, " star"]
    pull: Float[Tensor, "star comp"]
    constant: Float[Tensor, " star"]

    def whiten(self, rows: Float[Tensor, "star row comp"]) -> Float[Tensor, "star row comp"]:
        """Rows of coefficients in these coordinates."""
        return self._stars.times(rows, self.whitener)

    @cached_property
    def _stars(self) -> StarsByKey:
        return StarsByKey.of(self.key, len(self.whitener), self.pull.device)

    def value(self, offset: Float[Tensor, "star cand comp"]) -> Float[Tensor, "star cand"]:
        """See :meth:`QuadraticForm.value`."""
        white = self.whiten(offset)
        return self.constant[:, None] + ((white - 2 * self.pull[:, None]) * white).sum(dim=-1)

    def products(
        self, rows: Float[Tensor, "star row comp"]
    ) -> tuple[Float[Tensor, "star row row"], Float[Tensor, "star row"]]:
        """See :meth:`QuadraticForm.products`."""
        white = self.whiten(rows)
        return white @ white.mT, (white @ self.pull[:, :, None])[:, :, 0]

    def information(
        self, rows: Float[Tensor, "star row comp"]
    ) -> tuple[Float[Tensor, "star row row"], Float[Tensor, "star row row"]]:
        """See :meth:`QuadraticForm.information`."""
        white = self.whiten(rows)
        noise = 1 - self.emulator_share[self.key]
        return white @ white.mT, (white * noise[:, None]) @ white.mT

    def square_root(self, star: int) -> tuple[Float[Tensor, "kept comp"], Float[Tensor, " kept"]]:
        """See :meth:`QuadraticForm.square_root`."""
        return self.whitener[self.key[star]].mT.double(), self.pull[star].double()

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "WhitenedForm":
        """The forms of the chosen stars."""
        return WhitenedForm(
            self.whitener,
            self.emulator_share,
            self.key[star],
            self.pull[star],
            self.constant[star],
        )
