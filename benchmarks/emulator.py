"""The emulator's Gaussian process at full size: time, memory and held-out error.

    python benchmarks/emulator.py
    python benchmarks/emulator.py --n 18654 --scikit-learn-most 18654

Outputs are smooth functions of four labels, drawn from a Gaussian process prior in the same way for
every method, plus noise; errors are against the functions without noise at labels of no template.
Kernel and hyperparameters are the same everywhere and nothing is learned. Each line is measured in
a process of its own: ``peak_gb`` is its peak resident memory, the tables included, and ``cpu_s``
the processor time of the fit, which other work on the machine disturbs less than ``fit_s``.

scikit-learn holds four n x n matrices and one of n (n-1)/2 besides: above
``--scikit-learn-most`` it is left out (18,654 templates would need some 13 GB).
"""

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable

import numpy as np
import torch
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from record import record
from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import build_kernel
from torchfit.report.rows import Row

N_LABELS, N_TEST, N_FEATURES = 4, 1000, 400
LENGTHSCALE, OUTPUTSCALE, NOISE = 1.5, 2.1, 0.1
Table = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
Predict = Callable[[torch.Tensor], torch.Tensor]


def draw(n_templates: int, n_comp: int) -> Table:
    """Labels and outputs of templates, labels and noiseless outputs of test stars."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    frequency = normal(N_LABELS, N_FEATURES) / LENGTHSCALE
    phase = 2 * torch.pi * torch.rand(N_FEATURES, generator=generator, dtype=torch.float64)
    weight = (2 * OUTPUTSCALE / N_FEATURES) ** 0.5 * normal(N_FEATURES, n_comp)
    x_test, x = normal(N_TEST, N_LABELS), normal(n_templates, N_LABELS)
    true, y = ((labels @ frequency + phase).cos() @ weight for labels in (x_test, x))
    return x, y + NOISE**0.5 * normal(*y.shape), x_test, true


def scikit_learn(x: torch.Tensor, y: torch.Tensor) -> Predict:
    """The exact process of scikit-learn."""
    kernel = ConstantKernel(OUTPUTSCALE) * RBF(LENGTHSCALE) + WhiteKernel(NOISE)
    fitted = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(x.numpy(), y.numpy())
    return lambda labels: torch.from_numpy(fitted.predict(labels.numpy()))


def torchfit(n_inducing: int | None) -> Callable[[torch.Tensor, torch.Tensor], Predict]:
    """Ours, exact or with inducing points."""

    def fit(x: torch.Tensor, y: torch.Tensor) -> Predict:
        kernel = build_kernel(N_LABELS, "rbf", False, False, LENGTHSCALE, OUTPUTSCALE)
        gp = SharedKernelGP(kernel, NOISE, n_inducing)
        gp.condition(x, y, torch.arange(0))
        return gp.mean

    return fit


def measure(method: str, n_inducing: int | None, n_templates: int, n_comp: int) -> Row:
    """One line of the table."""
    x, y, x_test, true = draw(n_templates, n_comp)
    fit = scikit_learn if method == "scikit-learn" else torchfit(n_inducing)
    start, cpu = time.perf_counter(), time.process_time()
    predict = fit(x, y)
    fit_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    predict(x_test[:1])
    start = time.perf_counter()
    error = predict(x_test) - true
    return {
        "method": method,
        "n": n_templates,
        "components": n_comp,
        "fit_s": round(fit_s, 2),
        "cpu_s": round(cpu_s, 2),
        "stars_per_s": round(N_TEST / (time.perf_counter() - start)),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        "held_out_rms": float(np.sqrt(np.mean(error.numpy() ** 2))),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, nargs="+", default=[2000, 5000, 18654])
    parser.add_argument("--components", type=int, nargs="+", default=[60, 237])
    parser.add_argument("--inducing", type=int, default=2048)
    parser.add_argument("--scikit-learn-most", type=int, default=5000)
    parser.add_argument("--name", default="emulator")
    args = parser.parse_args()
    methods = {"exact": None, f"inducing {args.inducing}": args.inducing, "scikit-learn": None}
    most = max(args.components)
    cases = [
        (method, n_inducing, n, n_comp)
        for n in args.n
        for n_comp in args.components
        for method, n_inducing in methods.items()
        if (n_comp == most or n == min(args.n))
        and not (method == "scikit-learn" and n > args.scikit_learn_most)
    ]
    context = multiprocessing.get_context("spawn")
    rows = []
    for case in cases:
        with context.Pool(1) as pool:
            rows.append(pool.apply(measure, case))
    record(args.name, rows)


if __name__ == "__main__":
    main()
