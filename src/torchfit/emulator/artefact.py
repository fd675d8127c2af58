"""An emulator on disk: one folder with weights, a description, and the library's licence."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from gpytorch.kernels import AdditiveKernel, RBFKernel
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.emulator.flux_pca import FluxPCA
from torchfit.emulator.gp import EACH, SharedKernelGP
from torchfit.emulator.kernel import build_kernel, hyperparameters, radial_part
from torchfit.emulator.local_covariance import LocalCovariance, LocalVariance
from torchfit.emulator.soundness import SHA256, demand_sound, demand_unchanged, hashes
from torchfit.exceptions import ArtefactError
from torchfit.files.atomic import atomic_folder
from torchfit.files.tensor_file import load_tensors, write_tensors
from torchfit.library.library import Library
from torchfit.library.scaling import LabelScaler
from torchfit.names import Label, label_of
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectra

FORMAT = 3
_FORMER = {"clip_sigma": None, "reconstruct": None}
"""Settings of the preprocessing that artefacts did not name when there was no choice."""
WEIGHTS, DESCRIPTION, LICENCE = "weights.safetensors", "emulator.json", "LICENSE-library.txt"


def save_emulator(
    emulator: Emulator, folder: Path, beside: Mapping[str, Mapping[str, Tensor]] | None = None
) -> None:
    """Write an emulator; an old one in the same place is replaced as a whole.

    Args:
        emulator: The emulator.
        folder: Where to write ``weights.safetensors``, ``emulator.json`` (grid and its medium,
            preprocessing, label names, hyperparameters, provenance) and the library's licence.
        beside: Files of tensors that belong to the emulator, by name.

    Raises:
        OutputError: If the folder cannot be written.
    """
    with atomic_folder(folder) as temp:
        tensors, description = _tensors(emulator), _description(emulator)
        write_tensors(temp / WEIGHTS, tensors)
        for name, others in (beside or {}).items():
            write_tensors(temp / name, others)
        files = {name: _sha256(temp / name) for name in beside or ()}
        description |= {"beside": files}
        description[SHA256] = hashes(description, tensors)
        text = json.dumps(description, indent=2, sort_keys=True)
        (temp / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
        licence = emulator.library.provenance.get("licence", "not stated by the library")
        (temp / LICENCE).write_text(licence + "\n", encoding="utf-8")


def load_emulator(folder: Path) -> Emulator:
    """Read an emulator written by :func:`save_emulator`.

    Args:
        folder: The artefact folder.

    Returns:
        The emulator, ready to predict.

    Raises:
        ArtefactError: If it is missing, damaged, or of another format.
    """
    if not (folder / DESCRIPTION).is_file():
        raise ArtefactError(
            f"no emulator in {folder}; make one with `torchfit train`, or name it: artefact=FOLDER"
        )
    try:
        text = (folder / DESCRIPTION).read_text(encoding="utf-8")
        description = json.loads(text, parse_constant=_refuse)
        number = description["format"]
        emulator = _sound_emulator(folder, description) if number == FORMAT else None
    except Exception as error:  # Whatever goes wrong, it is the artefact's.
        why = " ".join(str(error).split())[:300] or type(error).__name__
        raise ArtefactError(f"{folder} is damaged ({why}); train it again") from error
    if emulator is None:
        raise ArtefactError(
            f"{folder} has format {number!s:.20}, this torchfit reads {FORMAT}; train it again"
        )
    return emulator


def load_beside(folder: Path, name: str) -> dict[str, Tensor]:
    """Read tensors that lie beside an emulator.

    Args:
        folder: The artefact folder.
        name: Name of their file.

    Returns:
        Tensors by name; none if the artefact has no such file.

    Raises:
        ArtefactError: If the file is not the one that was written.
    """
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        written = description["beside"].get(name)
        if written is None:
            return {}
        if _sha256(folder / name) != written:
            raise ValueError(f"{name} has changed since it was written")
        return load_tensors(folder / name)
    except Exception as error:  # Whatever goes wrong, it is the artefact's.
        raise ArtefactError(f"{folder} is damaged ({error}); train it again") from error


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sound_emulator(folder: Path, description: dict) -> Emulator:
    tensors = load_tensors(folder / WEIGHTS)
    demand_unchanged(description, tensors)
    demand_sound(description, tensors)
    return _emulator(description, tensors)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number")


def fingerprint(folder: Path) -> str:
    """Hash of an emulator on disk, the same for the same weights and description.

    Args:
        folder: The artefact folder.

    Returns:
        Hexadecimal sha256.
    """
    digest = hashlib.sha256()
    # The description has the hashes of what lies beside it.
    for name in (WEIGHTS, DESCRIPTION):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def _tensors(emulator: Emulator) -> dict[str, Tensor]:
    library, pca = emulator.library, emulator.flux_pca
    tensors = {
        "wave": library.spectra.wave,
        "library.flux": library.spectra.flux.float(),
        "library.good": library.spectra.good,
        "library.labels": library.labels,
        "library.lsf_fwhm": library.lsf_fwhm,
        "scaler.mean": emulator.scaler.mean,
        "scaler.std": emulator.scaler.std,
        "flux_pca.mean": pca.mean,
        "flux_pca.basis": pca.basis,
        "flux_pca.good": pca.good,
        "truncation.nodes": emulator.truncation.nodes,
        "truncation.values": emulator.truncation.values,
        "comp_scale": emulator.comp_scale,
        "residuals.nodes": emulator.residuals.nodes,
        "residuals.matrices": emulator.residuals.matrices,
        "start_error.nodes": emulator.start_error.nodes,
        "start_error.matrices": emulator.start_error.matrices,
    }
    tensors |= {f"gp.{name}": value for name, value in emulator.gp.state_dict().items()}
    return {name: value.detach().contiguous().clone() for name, value in tensors.items()}


def _description(emulator: Emulator) -> dict[str, object]:
    library, kernel = emulator.library, emulator.gp.kernel
    base = radial_part(kernel).base_kernel
    return {
        "format": FORMAT,
        "medium": "vacuum",
        "wave_unit": "Angstrom",
        "label_names": library.label_names,
        "labels": {
            name: {"unit": label.unit, "text": label.text}
            for name, label in ((name, label_of(name)) for name in library.label_names)
        },
        "star_names": library.star_names,
        "preprocess": dataclasses.asdict(emulator.preprocessor),
        "kernel": {
            "n_labels": len(library.label_names),
            "shape": "rbf" if isinstance(base, RBFKernel) else "matern52",
            "ard": base.ard_num_dims is not None,
            "linear": isinstance(kernel, AdditiveKernel),
        },
        "hyperparameters": hyperparameters(kernel, emulator.gp.likelihood),
        "provenance": dict(library.provenance),
        "settings": dict(emulator.settings),
    }


def _emulator(description: dict, tensors: dict[str, Tensor]) -> Emulator:
    good = tensors["library.good"]
    flux = tensors["library.flux"].double()
    no_errors = torch.zeros(len(flux), dtype=torch.bool)
    library = Library(
        Spectra(tensors["wave"], flux, good.double(), no_errors),
        tensors["library.labels"],
        _labels(description),
        tuple(description["star_names"]),
        tensors["library.lsf_fwhm"],
        description["provenance"],
    )
    return Emulator(
        Preprocessor(**(_FORMER | description["preprocess"])),
        library,
        LabelScaler(tensors["scaler.mean"], tensors["scaler.std"]),
        FluxPCA(*(tensors[f"flux_pca.{name}"] for name in ("mean", "basis", "good"))),
        LocalVariance(tensors["truncation.nodes"], tensors["truncation.values"]),
        tensors["comp_scale"],
        _gaussian_process(description["kernel"], tensors),
        LocalCovariance(tensors["residuals.nodes"], tensors["residuals.matrices"]),
        LocalCovariance(tensors["start_error.nodes"], tensors["start_error.matrices"]),
        description["settings"],
    )


def _labels(description: dict) -> tuple[Label, ...]:
    """The labels with unit and meaning; artefacts of old have none but those of torchfit."""
    own = description.get("labels", {})
    return tuple(
        Label(name, **own[name]) if name in own else label_of(name)
        for name in description["label_names"]
    )


def _gaussian_process(kernel: dict, tensors: dict[str, Tensor]) -> SharedKernelGP:
    raw_noise = tensors["gp.likelihood.noise_covar.raw_noise"]
    several = raw_noise.numel() > 1
    gp = SharedKernelGP(build_kernel(**kernel), EACH if several else None)
    if several:
        gp.hold_noise(torch.ones_like(raw_noise[:, 0]))
    state = {name[3:]: value for name, value in tensors.items() if name.startswith("gp.")}
    for name in ("x_train", "centre", "alpha"):
        gp.register_buffer(name, state[name])
    gp.load_state_dict(state)
    return gp.eval()
