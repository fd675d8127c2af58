"""The configuration is the constructors: every option composes, fits its class, and builds."""

import functools
import inspect
import socket
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict

from torchfit.compare.published import offsets_and_scatters
from torchfit.emulator.kernel import radial_part
from torchfit.exceptions import ConfigError
from torchfit.preprocess.mask import MASK_WINDOWS
from torchfit.run.build import build
from torchfit.run.settings import JOINT, build_survey

CONF = Path(__file__).parents[2] / "conf"
PROGRAMS = ("train", "infer")
OPTIONS = sorted((path.parent.name, path.stem) for path in CONF.glob("*/*.yaml"))
REFERENCES = [option for group, option in OPTIONS if group == "compare"]
TREES = ("desi", "files", "lamost_dr10", "lamost_mrs", "sdss")
GRIDS = ("bosz", "grid", "phoenix", "tlusty")
NEEDED = {
    ("misfit", "table"): ["misfit.stars.reader.path=a.fits", "misfit.stars.reader.medium=air"],
    **{("data", name): ["data.root=spectra"] for name in TREES},
    ("data", "table"): ["data.path=spectra.fits", "data.medium=vacuum"],
    **{
        (group, name): ["library.reader.root=models", "library.reader.medium=vacuum"]
        for group in ("emulator", "library")
        for name in GRIDS
    },
    **{
        (group, "table"): ["library.reader.path=stars.fits", "library.reader.medium=vacuum"]
        for group in ("emulator", "library")
    },
    **{("compare", name): [f"compare.{name}.path=theirs.fits"] for name in REFERENCES},
}
"""Values without a default, by option."""

REPRODUCTION_ONLY = {"figure", "size"}
"""Groups that only the reproduction of the paper has; tests/conf/test_reproduce.py is theirs."""

TRAINING_ONLY = {"misfit"}
"""Groups that no other program has; none is chosen unless named."""

AFTER_THE_FIT = {"catalogue", "compare", "crossmatch", "products"}
"""Groups that training has not; validation has no others but the flags."""

N_NODES = {"train": 13, "infer": 17, "validate": 4}
"""Groups of each program, everyone of which builds."""


def has_group(program, group):
    if group in REPRODUCTION_ONLY:
        return False
    if group in TRAINING_ONLY:
        return program == "train"
    if program == "validate":
        return group in {*AFTER_THE_FIT, "flags"} - {"products"}
    return program == "infer" or group not in AFTER_THE_FIT


AT_CALL_TIME = {
    "torchfit.library.build.build_library": {"preprocessor"},
    "torchfit.emulator.kernel.build_kernel": {"n_labels"},
    "torchfit.run.trainer.build_trainer": {"max_epochs", "callbacks"},
}
"""Partial nodes: the parameters that the program supplies when it calls them."""

PULLS = {
    ("data", "desi"): {
        "pack": "lamost",
        "match": "components",
        "metric": "common",
        "velocity": "missing",
    },
    ("data", "files"): {"pack": "default", "metric": "default", "velocity": "missing"},
    ("data", "lamost_dr10"): {"pack": "lamost", "velocity": "survey"},
    ("data", "lamost_mock"): {"pack": "lamost"},
    ("data", "lamost_mrs"): {"pack": "lamost_mrs", "metric": "default", "velocity": "missing"},
    ("data", "lamost_sample"): {"pack": "lamost"},
    ("data", "mastarhc"): {"pack": "default", "metric": "default", "velocity": "survey"},
    ("data", "sdss"): {
        "pack": "lamost",
        "match": "components",
        "metric": "common",
        "velocity": "missing",
    },
    ("data", "stelib"): {"pack": "default", "velocity": "survey"},
    ("data", "table"): {"pack": "default", "velocity": "missing"},
    ("emulator", "cross_validated"): {"library": "miles", "preprocess": "miles"},
    ("emulator", "elodie"): {"library": "elodie", "preprocess": "elodie"},
    ("emulator", "mastar"): {"library": "mastar", "preprocess": "mastar"},
    ("emulator", "mastar_mock"): {"library": "mastar_mock", "preprocess": "mastar"},
    ("emulator", "miles"): {"library": "miles", "preprocess": "miles"},
    **{("emulator", name): {"library": name, "preprocess": "miles"} for name in GRIDS},
    ("emulator", "table"): {"library": "table", "preprocess": "miles"},
    ("emulator", "paper"): {"library": "miles", "preprocess": "miles"},
}
"""What a survey or an emulator chooses in other groups; a new one gets a line here."""

PAPER = {
    "preprocess.wave_min": 3800.0,
    "preprocess.wave_step": 1.0,
    "preprocess.windows": [list(window) for window in MASK_WINDOWS],
    "preprocess.median_window": 400,
    "preprocess.smoothing": 1,
    "preprocess.clip_upper": 2.0,
    "preprocess.clip_lower": None,
    "library.audit": None,
    "preprocess.clip_sigma": None,
    "emulator.kernel.shape": "rbf",
    "emulator.kernel.ard": False,
    "emulator.kernel.linear": False,
    "emulator.kernel.lengthscale": 1.5,
    "emulator.kernel.outputscale": 2.1,
    "emulator.variance": 0.95,
    "emulator.max_comp": None,
    "match.t": 100,
    "match.n_best": 1,
    "match.scatter": None,
    "match.prior.teff": 1000.0,
    "match.prior.teff_hot": 5000.0,
    "match.prior.hot_teff": 10000.0,
    "match.prior.logg": 1.0,
    "match.prior.fe_h": 0.5,
    "match.prior.alpha_fe": 0.2,
    "group.n_group": 1000,
    "group.variance": 0.98,
    "group.max_comp": None,
    "metric.weighted": False,
    "metric.nuisance.continuum_degree": None,
    "metric.nuisance.velocity_sigma": None,
    "metric.prior_strength": 0.0,
    "uncertainty.learning.plain": True,
    "uncertainty.learning.snr_tolerance": 0.2,
    "uncertainty.random": "repeats",
    "flags.survey.snr.search": False,
    "flags.survey.snr.thresholds.M": 10.0,
    "flags.survey.snr.thresholds.G": 8.0,
    "flags.survey.snr.thresholds.A": 5.0,
    "flags.survey.snr.bands.M": "i",
    "flags.survey.snr.bands.G": "g",
    "flags.survey.chi2.n_sigma": 0.0,
    "flags.survey.chi2.logarithmic": False,
    "flags.survey.chi2.statistic": "mean_square",
    "flags.survey.alpha_fe.teff": 7000.0,
    "optimise.bo._target_": "torchfit.optimise.bo.BayesianOptimisation",
    "optimise.bo.n_random": 10,
    "optimise.bo.kappa": 2.576,
    "optimise.bo.patience": 5,
    "optimise.bo.tolerance": 0.0,
}
"""METHOD.md, sections 1 and 2: the value of the paper, or its reading where it is silent."""


@functools.cache
def whole_config(program, *overrides):
    with initialize_config_dir(str(CONF), version_base=None):
        needed = ["results=catalogues"] if program in ("validate", "library") else []
        options = ["output_dir=results", *needed, *overrides]
        return compose(program, options, return_hydra_config=True)


def composed(program, *overrides):
    """The configuration of a program as the task gets it, and the chosen options."""
    whole = whole_config(program, *overrides)
    HydraConfig.instance().set_config(whole)
    task = OmegaConf.masked_copy(whole, [key for key in whole if key != "hydra"])
    return task, whole.hydra.runtime.choices


def with_option(program, group, option):
    return composed(program, f"{group}={option}", *NEEDED.get((group, option), []))


def nodes(cfg):
    """Every node with a ``_target_``, at any depth."""
    if isinstance(cfg, dict):
        if "_target_" in cfg:
            yield cfg
        for value in cfg.values():
            yield from nodes(value)


def plain(cfg):
    """A configuration as containers of Python, without what is not a constructor's."""
    content = OmegaConf.to_container(cfg, resolve=True)
    content.get("data", {}).pop(JOINT, None)
    return content


each_option = pytest.mark.parametrize(
    ("program", "group", "option"),
    [
        (program, group, option)
        for program in N_NODES
        for group, option in OPTIONS
        if has_group(program, group)
    ],
)


def test_there_is_something_to_test():
    assert {"data", "emulator", "experiment", "optimise"} <= {group for group, _ in OPTIONS}


@each_option
def test_keys_are_the_parameters_of_the_constructor(program, group, option):
    cfg, _ = with_option(program, group, option)
    found = list(nodes(plain(cfg)))
    assert len(found) > 3
    for node in found:
        target = node["_target_"]
        parameters = inspect.signature(get_object(target)).parameters
        kinds = {parameter.kind for parameter in parameters.values()}
        assert kinds == {inspect.Parameter.POSITIONAL_OR_KEYWORD}, target
        expected = set(parameters) - AT_CALL_TIME.get(target, set())
        assert {key for key in node if key not in ("_target_", "_partial_")} == expected, target
        assert node.get("_partial_", False) == (target in AT_CALL_TIME), target


@each_option
def test_every_target_is_torchfit(program, group, option):
    cfg, _ = with_option(program, group, option)
    targets = {node["_target_"] for node in nodes(OmegaConf.to_container(cfg, resolve=True))}
    assert all(target.startswith("torchfit.") for target in targets)


@each_option
def test_it_builds_without_the_network(program, group, option, monkeypatch, tmp_path):
    def refuse(*arguments, **settings):
        raise AssertionError("building a configuration touched the network or a program")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("subprocess.Popen.__init__", refuse)
    monkeypatch.setenv("TORCHFIT_CACHE", str(tmp_path / "no cache"))
    cfg, _ = with_option(program, group, option)
    built = {name: build(node) for name, node in groups(cfg)}
    assert len(built) == N_NODES[program] + (group in TRAINING_ONLY)
    assert not list(leftovers(built))
    assert list(tmp_path.iterdir()) == []


def groups(cfg):
    """Groups of a program, the survey's without what is not its reader's."""
    for name, node in cfg.items():
        if isinstance(node, DictConfig):
            with open_dict(node):
                node.pop(JOINT, None)
            yield name, node


def leftovers(value):
    """Containers of OmegaConf inside built objects, at any depth."""
    if isinstance(value, DictConfig | ListConfig):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from leftovers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leftovers(item)
    elif hasattr(value, "__dict__") and type(value).__module__.startswith("torchfit."):
        yield from leftovers(vars(value))
    elif hasattr(value, "keywords"):
        yield from leftovers(value.keywords)


def test_a_config_container_left_inside_would_be_seen():
    node = composed("infer", "data=lamost_sample")[0].pack
    assert list(leftovers({"a": [instantiate(node), 1]}))
    assert list(leftovers([node]))
    assert not list(leftovers([build(node)]))


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(("key", "value"), PAPER.items())
def test_the_paper(program, key, value):
    cfg, _ = composed(program, "experiment=paper")
    assert OmegaConf.select(cfg, key, throw_on_missing=True) == value
    assert key in all_keys(cfg)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_paper_moves_groups_only(program):
    cfg, choices = composed(program, "experiment=paper")
    assert list(cfg.optimise) == ["bo"]
    assert choices["emulator"] == cfg.name == "paper"


def all_keys(cfg, path=""):
    for key, value in cfg.items():
        yield f"{path}{key}"
        if isinstance(value, DictConfig):
            yield from all_keys(value, f"{path}{key}.")


def test_the_defaults_are_not_the_paper():
    cfg, _ = composed("infer")
    differing = {key for key, value in PAPER.items() if OmegaConf.select(cfg, key) != value}
    assert differing >= {"match.n_best", "group.n_group", "metric.weighted"}


EMULATORS = [option for group, option in OPTIONS if group == "emulator"]


@pytest.mark.parametrize("emulator", EMULATORS)
@pytest.mark.parametrize("value", [0.5, 1.0, 3.25])
def test_a_swept_hyperparameter_arrives_in_the_kernel(emulator, value):
    cfg, _ = composed(
        "train",
        f"emulator={emulator}",
        f"emulator.kernel.lengthscale={value}",
        f"emulator.kernel.outputscale={2 * value}",
    )
    kernel = radial_part(build(cfg.emulator).kernel(3))
    assert kernel.base_kernel.lengthscale.flatten().tolist() == pytest.approx(
        [value] * (3 if cfg.emulator.kernel.ard else 1), rel=1e-12
    )
    assert float(kernel.outputscale) == pytest.approx(2 * value, rel=1e-12)
    assert not kernel.base_kernel.raw_lengthscale.requires_grad
    assert not kernel.raw_outputscale.requires_grad


@pytest.mark.parametrize("emulator", EMULATORS)
def test_an_unset_hyperparameter_is_learned(emulator):
    cfg, _ = composed(
        "train",
        f"emulator={emulator}",
        "emulator.kernel.lengthscale=null",
        "emulator.kernel.outputscale=null",
    )
    kernel = radial_part(build(cfg.emulator).kernel(3))
    assert kernel.base_kernel.raw_lengthscale.requires_grad
    assert kernel.raw_outputscale.requires_grad


@pytest.mark.parametrize(("group", "option"), [o for o in OPTIONS if o[0] in ("data", "emulator")])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_choice_pulls_what_belongs_to_it(program, group, option):
    _, choices = with_option(program, group, option)
    assert {name: choices[name] for name in PULLS[group, option]} == PULLS[group, option]


@pytest.mark.parametrize("survey", [option for group, option in OPTIONS if group == "data"])
def test_exposures_of_one_star_are_fitted_together_where_it_is_said(survey):
    for said, expected in (([], False), (["data.joint=true"], True)):
        cfg, _ = composed("infer", f"data={survey}", *NEEDED.get(("data", survey), []), *said)
        reader, joint = build_survey(cfg.data)
        assert joint is expected
        assert type(reader) is get_object(cfg.data._target_)
        assert JOINT in cfg.data


def test_an_error_of_a_survey_names_its_setting():
    cfg, _ = composed("infer", "data=lamost_mock", "data.joint=yess")
    with pytest.raises(ConfigError, match=r"data\.joint=yess must be true or false"):
        build_survey(cfg.data)
    cfg, _ = composed("infer", "data=lamost_mock", "data.n_stars=many")
    with pytest.raises(ConfigError, match=r"data\.n_stars=many must be of type int"):
        build_survey(cfg.data)


def test_what_a_user_says_wins_over_what_a_choice_pulls():
    cfg, choices = composed("infer", "data=lamost_sample", "pack=default")
    assert choices["pack"] == "default"
    assert cfg.pack.windows == []


def test_lamost_masks_its_sky_lines():
    cfg, _ = composed("infer", "data=lamost_sample")
    for line in (5578.9, 6302.0, 6365.5):
        assert any(low < line < high for low, high in cfg.pack.windows)


def test_of_lamost_the_continuum_alone_is_another():
    cfg, choices = composed("infer", "data=lamost_dr10", "data.root=nights")
    assert choices["metric"] == "lamost"
    common, _ = composed("infer", "data=lamost_dr10", "data.root=nights", "metric=common")
    other = [
        key for key in all_keys(cfg) if OmegaConf.select(cfg, key) != OmegaConf.select(common, key)
    ]
    assert {key for key in other if not isinstance(OmegaConf.select(cfg, key), DictConfig)} == {
        "metric.nuisance.continuum_degree",
        "metric.nuisance.continuum_sigma",
    }


def test_numbers_that_must_agree_are_typed_once():
    cfg, _ = composed("infer", "seed=7", "match.n_best=9", "optimise=[bo,lm]")
    training = build(cfg.emulator)
    assert training.n_best == 9
    assert training.seed == cfg.optimise.bo.seed == 7


def test_infer_looks_where_train_writes():
    composed("train")
    folder = whole_config("train").hydra.run.dir
    cfg, _ = composed("infer")
    assert cfg.artefact == f"{folder}/emulator"


@pytest.mark.parametrize("chain", [["bo", "lm"], ["lm", "bo"], ["lm"]])
def test_optimisers_run_in_the_order_they_are_named(chain):
    cfg, _ = composed("infer", f"optimise=[{','.join(chain)}]")
    assert list(build(cfg.optimise)) == chain


@pytest.mark.parametrize(("program", "chain"), [("train", ["lm"]), ("infer", ["bo", "lm"])])
def test_the_default_optimisers(program, chain):
    assert list(composed(program)[0].optimise) == chain


def test_hyperparameters_by_cross_validation_have_a_grid_and_no_epochs():
    cfg, _ = composed("train", "emulator=cross_validated")
    assert set(cfg.emulator.learner) == {"_target_", "grid"}
    assert len(list(build(cfg.emulator).learner.grid)) == 54


def test_several_tables_are_compared_and_joined_in_the_order_they_are_named():
    for program in ("infer", "validate"):
        cfg, _ = composed(
            program,
            "compare=[lasp,apogee_dr17]",
            "compare.lasp.path=a",
            "compare.apogee_dr17.path=b",
            "crossmatch=[gaia_dr3,bailer_jones,bayestar19]",
        )
        assert list(build(cfg.compare)) == ["lasp", "apogee_dr17"]
        assert list(build(cfg.crossmatch)) == ["gaia_dr3", "bailer_jones", "bayestar19"]


def test_nothing_is_compared_or_joined_by_default():
    cfg, _ = composed("infer")
    assert cfg.compare == cfg.crossmatch == cfg.products == {}
    assert cfg.catalogue.recommended is None


def test_the_recommended_sample_of_the_paper_has_its_two_flags_only():
    ours, theirs = (
        composed("infer", f"catalogue={name}")[0].catalogue.recommended
        for name in ("recommended", "paper")
    )
    assert ours.excluded_flags == theirs.excluded_flags == ["flag_snr", "flag_chi2"]
    assert theirs.excluded_bits == []
    wrong = (
        "EDGE NOT_CONVERGED POOR_MATCH OUTSIDE_SUPPORT EMISSION VELOCITY PECULIAR INVALID "
        "UNSURE_VELOCITY"
    )
    assert set(wrong.split()) <= set(ours.excluded_bits)


@pytest.mark.parametrize("name", REFERENCES)
def test_what_the_paper_found_is_of_labels_that_are_compared(name):
    cfg, _ = composed("validate", f"compare={name}", *NEEDED["compare", name])
    reference = cfg.compare[name]
    published = offsets_and_scatters(reference.get("published", ""))
    assert bool(published) == bool(reference.get("published", ""))
    for labels in published.values():
        assert set(labels) <= set(reference.columns)
        assert all(len(values) == 2 for values in labels.values())


def test_the_library_of_a_survey_is_its_constructors():
    cfg, _ = composed("library")
    for node in nodes(OmegaConf.to_container(cfg, resolve=True)):
        parameters = inspect.signature(get_object(node["_target_"])).parameters
        assert set(node) - {"_target_"} == set(parameters), node["_target_"]
    assert build(cfg.library) == get_object(cfg.library._target_)()
    assert whole_config("library").hydra.job.name == "library"


def test_what_was_typed_is_kept():
    cfg, _ = composed("infer", "match.t=50")
    assert "match.t=50" in cfg.overrides
