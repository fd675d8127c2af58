"""Whether what was read of an artefact is what was written, and can be an emulator at all."""

import hashlib
import json
from collections.abc import Mapping

import torch
from torch import Tensor

from torchfit.exceptions import ArtefactError
from torchfit.files.tensor_file import hash_of_tensor

SHA256 = "sha256"
"""Key of the hashes in the description."""
_AXES = {
    "wave": "pix",
    "library.flux": "template pix",
    "library.good": "template pix",
    "library.labels": "template label",
    "library.lsf_fwhm": "pix",
    "scaler.mean": "label",
    "scaler.std": "label",
    "flux_pca.mean": "pix",
    "flux_pca.basis": "pix comp",
    "flux_pca.good": "pix",
    "truncation.nodes": "truncation_node",
    "truncation.values": "truncation_node pix",
    "comp_scale": "comp",
    "residuals.nodes": "residual_node",
    "residuals.matrices": "residual_node comp comp",
    "start_error.nodes": "start_node",
    "start_error.matrices": "start_node label label",
    "gp.x_train": "template label",
    "gp.centre": "centre",
    "gp.alpha": "centre comp",
}
_DTYPES = {
    "library.flux": torch.float32,
    "library.good": torch.bool,
    "flux_pca.good": torch.bool,
    "gp.centre": torch.int64,
}
_POSITIVE = ("wave", "scaler.std", "comp_scale", "library.lsf_fwhm")
_VARIANCES = ("truncation.values", "residuals.matrices", "start_error.matrices")


def hashes(description: Mapping[str, object], tensors: Mapping[str, Tensor]) -> dict[str, object]:
    """Hash an artefact.

    Args:
        description: What will be written as text, without the hashes.
        tensors: Tensors by name.

    Returns:
        Hexadecimal sha256 of the description, and of each tensor by name.
    """
    text = json.dumps(description, sort_keys=True)
    return {
        "description": hashlib.sha256(text.encode()).hexdigest(),
        "arrays": {name: hash_of_tensor(tensor) for name, tensor in sorted(tensors.items())},
    }


def demand_unchanged(description: Mapping[str, object], tensors: Mapping[str, Tensor]) -> None:
    """Compare an artefact with its hashes.

    Args:
        description: The text as read, with the hashes.
        tensors: Tensors by name.

    Raises:
        ArtefactError: If anything has changed.
    """
    rest = {name: value for name, value in description.items() if name != SHA256}
    written, found = description[SHA256], hashes(rest, tensors)
    if written == found:
        return
    arrays = written.get("arrays") if isinstance(written, Mapping) else None
    known = arrays if isinstance(arrays, Mapping) else {}
    both: dict[str, object] = {**known, **tensors}
    now = found["arrays"]
    changed = sorted(n for n in both if known.get(n) != now.get(n))  # type: ignore[attr-defined]
    raise ArtefactError(f"changed since it was written: {', '.join(changed) or 'the description'}")


def demand_sound(description: Mapping[str, object], tensors: Mapping[str, Tensor]) -> None:
    """Look for what no training writes.

    Args:
        description: The text as read.
        tensors: Tensors by name.

    Raises:
        ArtefactError: If a shape, a type, a number or a setting is impossible.
    """
    _demand_types(tensors)
    _demand_shapes(tensors)
    _demand_numbers(tensors)
    _demand_settings(description, tensors)


def _demand(holds: bool, fault: str) -> None:
    if not holds:
        raise ArtefactError(fault)


def _demand_types(tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        wanted = _DTYPES.get(name, torch.float64)
        fits = tensor.dtype == wanted
        _demand(fits, f"{name} is {tensor.dtype}, not {wanted}")


def _demand_shapes(tensors: Mapping[str, Tensor]) -> None:
    sizes: dict[str, int] = {}
    for name, axes in _AXES.items():
        _demand(name in tensors, f"{name} is missing")
        tensor = tensors[name]
        known = [sizes.get(axis) for axis in axes.split()]
        fits = tensor.dim() == len(known) and tensor.numel() > 0
        for axis, size in zip(axes.split(), tensor.shape, strict=False):
            fits = fits and sizes.setdefault(axis, size) == size
        _demand(fits, f"{name} has shape {tuple(tensor.shape)}, not ({axes}) = {known}")


def _demand_numbers(tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        # Bounds of a hyperparameter may be infinite.
        if tensor.is_floating_point() and not name.endswith("_bound"):
            _demand(bool(tensor.isfinite().all()), f"{name} is not finite")
    for name in _POSITIVE:
        _demand(bool((tensors[name] > 0).all()), f"{name} is not positive")
    for name in _VARIANCES:
        values = tensors[name] if name.endswith("values") else tensors[name].diagonal(0, 1, 2)
        _demand(bool((values >= 0).all()), f"{name} has a negative variance")
    for name in _AXES:
        if name.endswith(".nodes"):
            _demand(len(tensors[name]) > 1, f"{name} are fewer than two")
            _demand(bool((tensors[name].diff() > 0).all()), f"{name} do not increase")
    centre, n_templates = tensors["gp.centre"], len(tensors["gp.x_train"])
    inside = (centre >= 0) & (centre < n_templates)
    _demand(bool(inside.all()), f"gp.centre is not within the {n_templates} templates")


def _demand_settings(description: Mapping[str, object], tensors: Mapping[str, Tensor]) -> None:
    """Compare sizes in the description with the arrays, before anything of that size is made."""
    preprocess, kernel = (description[name] for name in ("preprocess", "kernel"))
    _demand(isinstance(preprocess, dict) and isinstance(kernel, dict), "no settings")
    low, high, step = (preprocess[f"wave_{name}"] for name in ("min", "max", "step"))  # type: ignore[index]
    n_pix = (high - low) / step + 1
    _demand(abs(n_pix - len(tensors["wave"])) < 1, f"preprocess has {n_pix:g} pixels")
    _demand(description.get("medium") == "vacuum", "the medium is not vacuum")
    _demand(description.get("wave_unit") == "Angstrom", "the unit of wavelength is not Angstrom")
    n_labels = tensors["library.labels"].shape[1]
    _demand(kernel["n_labels"] == n_labels, f"the kernel is not of {n_labels} labels")  # type: ignore[index]
    for name in ("label_names", "star_names"):
        names = description[name]
        texts = isinstance(names, list) and all(isinstance(each, str) for each in names)
        _demand(texts, f"{name} are no names")
    own = description.get("labels", {})
    _demand(isinstance(own, dict) and all(map(_is_description, own.values())), "no labels")
    for name in ("provenance", "settings"):
        _demand(isinstance(description[name], dict), f"{name} is no table")


def _is_description(entry: object) -> bool:
    """Whether an entry is the unit and the meaning of a label."""
    texts = isinstance(entry, dict) and all(isinstance(each, str) for each in entry.values())
    return texts and set(entry) == {"unit", "text"}  # type: ignore[call-overload]
