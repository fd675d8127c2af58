"""A killed run goes on where it was, and ends as if it had never been killed."""

import shutil
import signal

import pytest
from tests.integration import world
from tests.integration.killing import MOMENT
from tests.integration.running import launch, run

from torchfit.survey import part_writer, piece

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def killed_training(cache, tmp_path_factory):
    """Folder of a training killed before its fifth epoch."""
    folder = tmp_path_factory.mktemp("killed_training")
    environment = {MOMENT: "epoch:4", "TORCHFIT_CACHE": str(cache)}
    killed = launch("train", *world.train_options(folder), **environment)
    assert killed.status == -signal.SIGKILL
    return folder


@pytest.fixture(scope="module")
def killed_survey(cache, artefact, tmp_path_factory):
    """Folder of a survey killed before its third batch."""
    folder = tmp_path_factory.mktemp("killed_survey")
    environment = {MOMENT: "batch:2", "TORCHFIT_CACHE": str(cache)}
    killed = launch("infer", *world.stelib_options(folder, artefact), **environment)
    assert killed.status == -signal.SIGKILL
    return folder


def copy_of(folder, place):
    return shutil.copytree(folder, place / "copy")


def weights(folder):
    return (folder / "emulator" / "weights.safetensors").read_bytes()


def catalogue(folder):
    return (folder / "catalogue.parquet").read_bytes()


def epochs(ended):
    """Where the bar of the hyperparameter search stood, from its beginning to its end."""
    bars = [line for line in ended.err.splitlines() if line.startswith("hyperparameters")]
    return [int(bar.split("|")[2].split("/")[0]) for bar in bars]


def first_epoch(ended):
    return epochs(ended)[0]


def last_epoch(ended):
    return epochs(ended)[-1]


def test_training_killed_in_the_search_goes_on_from_the_checkpoint(
    trained, killed_training, tmp_path, no_report
):
    folder = copy_of(killed_training, tmp_path)
    assert not (folder / "emulator").exists()
    assert len(list(folder.glob("checkpoints/*.ckpt"))) == 1
    ended = run("train", *world.train_options(folder))
    assert ended.status == 0
    assert first_epoch(ended) == 4
    assert weights(folder) == weights(trained[1])
    assert not (folder / "checkpoints").exists()


def test_training_ended_after_the_search_does_not_search_again(
    trained, tmp_path, monkeypatch, no_report
):
    options = world.train_options(tmp_path)
    monkeypatch.setenv(MOMENT, "fitted:0:interrupt")
    assert run("train", *options).status == 130
    assert not (tmp_path / "emulator").exists()
    monkeypatch.delenv(MOMENT)
    ended = run("train", *options)
    assert ended.status == 0
    assert first_epoch(ended) == last_epoch(ended) == last_epoch(trained[0])
    assert weights(tmp_path) == weights(trained[1])


def test_another_setting_does_not_take_up_the_checkpoint(killed_training, tmp_path, no_report):
    folder = copy_of(killed_training, tmp_path)
    ended = run("train", *world.train_options(folder), "emulator.kernel.linear=false")
    assert ended.status == 0
    assert first_epoch(ended) == 0


def test_survey_killed_in_the_fit_keeps_finished_parts(
    stelib, artefact, killed_survey, tmp_path, contents, monkeypatch
):
    folder = copy_of(killed_survey, tmp_path)
    assert not (folder / "catalogue.parquet").exists()
    parts = sorted(path.name for path in folder.glob("work-*/parts/*"))
    assert parts == ["part-000000.parquet", "part-000001.parquet"]
    written = []

    def write_part(path, table):
        written.append(path.name)
        original(path, table)

    def write_shard(*arguments):
        raise AssertionError("a finished shard was packed again")

    original = part_writer.write_part
    monkeypatch.setattr(part_writer, "write_part", write_part)
    monkeypatch.setattr(piece, "write_shard", write_shard)
    ended = run("infer", *world.stelib_options(folder, artefact))
    assert ended.status == 0
    assert written == ["part-000002.parquet", "part-000003.parquet"]
    assert contents(folder) == contents(stelib)
    assert not list(folder.glob("work-*"))


@pytest.mark.parametrize("size", [0, 4, 100, -1])
@pytest.mark.parametrize("name", ["parts/part-000001.parquet", "start/*.npy", "shards/shard-*"])
def test_damaged_work_is_named_and_done_again(
    stelib, artefact, killed_survey, tmp_path, no_report, name, size
):
    folder = copy_of(killed_survey, tmp_path)
    (path,) = folder.glob(f"work-*/{name}")
    path.write_bytes(path.read_bytes()[:size])
    ended = run("infer", *world.stelib_options(folder, artefact))
    assert ended.status == 0, ended.err
    assert f"{path} is damaged" in ended.out
    assert catalogue(folder) == catalogue(stelib)


def interrupted_lamost(artefact, folder, root, monkeypatch, moment="batch:2"):
    """A survey interrupted at a moment; how to go on."""
    options = [*world.lamost_options(folder, artefact, root), "pack.shard_size=4"]
    monkeypatch.setenv(MOMENT, f"{moment}:interrupt")
    assert run("infer", *options).status == 130
    monkeypatch.delenv(MOMENT)
    return options


@pytest.mark.parametrize(("moment", "n_start"), [("match:2", 2), ("noise:0", 3)])
def test_a_survey_interrupted_before_the_fit_keeps_what_is_matched(
    artefact, tmp_path, monkeypatch, no_report, contents, moment, n_start
):
    root, folder = tmp_path / "tree", tmp_path / "results"
    world.make_good_lamost(root, n_stars=12)
    options = interrupted_lamost(artefact, folder, root, monkeypatch, moment)
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("work-*/start/*")}
    assert len(kept) == n_start
    monkeypatch.setenv(MOMENT, "batch:0:interrupt")
    assert run("infer", *options).status == 130
    assert kept.items() <= {p: p.stat().st_mtime_ns for p in folder.glob("work-*/start/*")}.items()
    monkeypatch.delenv(MOMENT)
    assert run("infer", *options).status == 0
    fresh = tmp_path / "fresh"
    world_options = [*world.lamost_options(fresh, artefact, root), "pack.shard_size=4"]
    assert run("infer", *world_options).status == 0
    assert contents(fresh) == contents(folder)


def test_a_repaired_file_is_read_again_and_the_others_are_not(
    artefact, tmp_path, monkeypatch, no_report, table
):
    root = tmp_path / "tree"
    world.make_good_lamost(root, n_stars=12)
    broken = root / "good/table/star0.fits"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:3000])
    options = interrupted_lamost(artefact, tmp_path / "results", root, monkeypatch)
    (work,) = (tmp_path / "results").glob("work-*")
    before = {path.name: path.stat().st_mtime_ns for path in (work / "shards").iterdir()}
    broken.write_bytes(whole)
    again = []

    def write(writer, number, read):
        again.append(number)
        return original(writer, number, read)

    original = piece.PieceWriter.write
    monkeypatch.setattr(piece.PieceWriter, "write", write)
    ended = run("infer", *options)
    assert ended.status == 0, ended.err
    assert "files of 1 of 3 shards have changed" in ended.out
    assert len(again) == 1
    assert len(before) == 6
    assert "good/table/star0.fits" in set(table(tmp_path / "results")["source"])
    fresh = world.lamost_options(tmp_path / "fresh", artefact, root)
    assert run("infer", *fresh, "pack.shard_size=4").status == 0
    assert table(tmp_path / "fresh").equals(table(tmp_path / "results"))


def test_another_catalogue_of_the_survey_is_another_run(artefact, tmp_path, monkeypatch, no_report):
    root = tmp_path / "tree"
    world.make_good_lamost(root, n_stars=12)
    options = interrupted_lamost(artefact, tmp_path / "results", root, monkeypatch)
    first = set((tmp_path / "results").glob("work-*"))
    assert run("infer", *options, "data.pattern=*star*").status == 0
    assert set((tmp_path / "results").glob("work-*")) == first, "work of other settings is kept"


def test_an_interrupted_survey_says_so_and_goes_on(
    stelib, artefact, tmp_path, monkeypatch, no_report
):
    options = world.stelib_options(tmp_path, artefact)
    monkeypatch.setenv(MOMENT, "batch:2:interrupt")
    ended = run("infer", *options)
    assert ended.status == 130
    said = ended.err.splitlines()[-1]
    assert said == "interrupted; the same command goes on from here"
    assert ended.err.count("interrupted;") == 1
    monkeypatch.delenv(MOMENT)
    assert len(list(tmp_path.glob("work-*/parts/*.parquet"))) == 2
    assert run("infer", *options).status == 0
    assert catalogue(tmp_path) == catalogue(stelib)


def test_an_interrupted_training_says_so_and_goes_on(trained, tmp_path, monkeypatch, no_report):
    options = world.train_options(tmp_path)
    monkeypatch.setenv(MOMENT, "epoch:6:interrupt")
    ended = run("train", *options)
    assert ended.status == 130
    assert ended.err.splitlines()[-1] == "interrupted; the same command goes on from here"
    monkeypatch.delenv(MOMENT)
    ended = run("train", *options)
    assert first_epoch(ended) == 6
    assert weights(tmp_path) == weights(trained[1])
