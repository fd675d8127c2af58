import errno
from logging.config import dictConfig

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import InstantiationException
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue
from torch.multiprocessing import ProcessRaisedException

from torchfit.exceptions import DataError
from torchfit.run.build import build
from torchfit.run.command import one_line, one_line_errors
from torchfit.run.programs import conf_folder


def composition_error(*overrides):
    with initialize_config_dir(str(conf_folder()), version_base=None):
        try:
            compose("infer", list(overrides))
        except Exception as error:
            return error
    raise AssertionError(f"{overrides} composes")


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("match.n_bset=3", "no such key: match.n_bset; there is match.n_best"),
        ("emulator.kernel.lenght=3", "no such key: emulator.kernel.lenght; there is "),
        ("grop=paper", "no such key: grop; there is group"),
        (
            "library.cuts.limits.teff=3",
            "no such key: library.cuts.limits.teff; to add it",
        ),
        (
            "data=galex",
            "data=galex is unknown; use one of: desi, files, lamost_dr10, lamost_mock, "
            "lamost_mrs, lamost_sample, mastarhc, sdss, stelib, table",
        ),
        ("experiment=papers", "experiment=papers is unknown; use one of: paper"),
        ("optimise=[lmm]", "optimise=lmm is unknown; use one of: adam, bo, curve_fit, lbfgs, lm"),
        ("products=[models,x]", "products=x is unknown; use one of: models"),
        ("artefact=a/b=c", "cannot read artefact=a/b=c; write key=value"),
        ("match.t=3,4", "Ambiguous value for argument 'match.t=3,4'"),
        ("~match.q", "Could not delete from config. 'match.q' does not exist."),
    ],
)
def test_errors_in_composing_are_one_line(override, text):
    line = one_line(composition_error(override))
    assert line.startswith(text)
    assert "\n" not in line


def test_far_from_every_key_all_of_them_are_named():
    line = one_line(composition_error("match.xyz=3"))
    keys = ("_target_", "n_best", "prior", "scatter", "space", "t")
    assert line.endswith("there is " + ", ".join(f"match.{key}" for key in keys))


def test_how_to_quote_is_said_so_that_it_works():
    line = one_line(composition_error("artefact=a=b"))
    assert "\"key='value'\"" in line
    with initialize_config_dir(str(conf_folder()), version_base=None):
        assert compose("infer", ["artefact='a=b'"]).artefact == "a=b"


def test_a_missing_value_is_named():
    with pytest.raises(MissingMandatoryValue) as caught:
        _ = OmegaConf.create({"data": {"root": "???"}}).data.root
    assert one_line(caught.value) == "data.root has no value; give it as data.root=VALUE"


def test_what_a_constructor_refuses_is_said_in_its_own_words():
    with pytest.raises(InstantiationException) as caught:
        build(OmegaConf.create({"_target_": "torchfit.survey.pack.Packing", "shard_size": 0}))
    assert one_line(caught.value) == str(caught.value.__cause__)


def test_any_other_failure_of_a_constructor_is_named():
    with pytest.raises(InstantiationException) as caught:
        build(OmegaConf.create({"_target_": "torchfit.survey.pack.Packing", "size": 3}))
    line = one_line(caught.value)
    assert "torchfit.survey.pack.Packing" in line
    assert "size" in line
    assert "\n" not in line


def test_a_key_that_is_no_parameter_is_named_as_it_was_typed():
    target = "torchfit.survey.pack.Packing"
    cfg = OmegaConf.create({"pack": {"_target_": target, "size": 3}})
    with pytest.raises(InstantiationException) as caught:
        build(cfg.pack)
    assert one_line(caught.value) == f"no such key: pack.size; it is no parameter of {target}"


def test_an_error_of_several_lines_becomes_one():
    assert one_line(DataError("two\n  lines")) == "two lines"


@pytest.mark.parametrize("error", [DataError("no\nspectra"), OSError(28, "No space left")])
def test_a_mendable_error_is_a_line_and_a_status(capsys, error):
    with pytest.raises(SystemExit) as end, one_line_errors():
        raise error
    assert end.value.code == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"error: {' '.join(str(error).split())}\n"


def test_a_mendable_error_of_another_process_is_a_line_too(capsys):
    told = (
        "-- Process 1 terminated\nTraceback:\n  File\ntorchfit.exceptions.OutputError: no: room\n"
    )
    with pytest.raises(SystemExit) as end, one_line_errors():
        raise ProcessRaisedException(told, 1, 2)
    assert end.value.code == 1
    assert capsys.readouterr().err == "error: no: room\n"


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bug"),
        KeyError("bug"),
        SystemExit(3),
        ProcessRaisedException("-- Process 1 terminated\nValueError: bug", 1, 2),
    ],
)
def test_other_errors_keep_their_traceback(capsys, error):
    with pytest.raises(type(error)) as caught, one_line_errors():
        raise error
    assert caught.value is error
    assert capsys.readouterr().err == ""


def lightning_interrupt():
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        raise SystemExit(1)  # noqa: B904


def plain_interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize("interrupt", [plain_interrupt, lightning_interrupt])
def test_an_interrupt_says_once_that_the_run_can_go_on(capsys, interrupt):
    with pytest.raises(SystemExit) as end, one_line_errors(), one_line_errors():
        interrupt()
    assert end.value.code == 130
    assert capsys.readouterr().err == "\ninterrupted; the same command goes on from here\n"


def test_what_is_done_without_an_error_stays():
    with one_line_errors():
        done = True
    assert done


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_has_a_remedy(number):
    error = OSError(number, "no", "results")
    assert one_line(error).startswith("results cannot be used (no); results go to hydra.run.dir=")
    assert (
        one_line(OSError(errno.ENOSPC, "full", "results"))
        == f"[Errno {errno.ENOSPC}] full: 'results'"
    )


def test_a_log_file_that_cannot_be_written_has_a_remedy(tmp_path, capsys):
    """As Hydra sets the handlers: what stands at the path of the file is a folder."""
    (tmp_path / "infer.log").mkdir()
    handler = {"class": "logging.FileHandler", "filename": str(tmp_path / "infer.log")}
    with pytest.raises(SystemExit) as ended, one_line_errors():
        dictConfig({"version": 1, "handlers": {"file": handler}, "root": {"handlers": ["file"]}})
    assert ended.value.code == 1
    text = capsys.readouterr().err
    assert text.startswith("error: no log file (")
    assert text.count("\n") == 1
    assert "hydra.run.dir=FOLDER" in text
