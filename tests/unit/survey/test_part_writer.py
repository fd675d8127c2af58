import pickle
from unittest.mock import Mock

import lightning
import pandas as pd
import pytest
import torch

from torchfit.catalogue.parts import read_part
from torchfit.measure.batch import Unread
from torchfit.measure.measurement import Measurement
from torchfit.survey import part_writer
from torchfit.survey.part_writer import PartWriter, part_path
from torchfit.survey.survey_stars import SurveyStars

MODULE = Mock(lightning.LightningModule)


class Stars(SurveyStars):
    """Stars whose rows are those of a table."""

    def __init__(self, table):
        self.table = table

    def __len__(self):
        return len(self.table)

    def rows(self, place):
        return self.table.iloc[place]


def trainer(is_global_zero=True, world_size=1):
    return Mock(lightning.Trainer, is_global_zero=is_global_zero, world_size=world_size)


@pytest.fixture
def writer(tmp_path, table, monkeypatch):
    """Writes the rows whose numbers a prediction holds."""
    monkeypatch.setattr(
        part_writer,
        "result_table",
        lambda measured, known, labels: known.reset_index(drop=True),
    )
    writer = PartWriter(tmp_path / "parts", Stars(table), ("teff",), n_done=2)
    yield writer
    if hasattr(writer, "bar"):
        writer.bar.close()


def test_parts_are_named_by_the_number_of_their_batch(tmp_path):
    paths = [part_path(tmp_path, number) for number in (0, 7, 123456)]
    assert [path.name for path in paths] == [
        "part-000000.parquet",
        "part-000007.parquet",
        "part-123456.parquet",
    ]
    assert sorted(paths) == paths


def write(writer, number, rows, world_size=1):
    measured = [Mock(Measurement, star=torch.tensor(rows))]
    batches = [Unread(number, len(rows), Mock())]
    writer.write_on_batch_end(trainer(True, world_size), MODULE, measured, None, batches, 0, 0)


def test_a_batch_becomes_a_part_as_soon_as_it_is_measured(writer, table):
    writer.on_predict_start(trainer(), MODULE)
    write(writer, 5, [3, 4])
    path = part_path(writer.folder, 5)
    pd.testing.assert_frame_equal(read_part(path), table.iloc[[3, 4]].reset_index(drop=True))
    assert list(writer.folder.iterdir()) == [path]


def test_the_bar_counts_stars_and_begins_where_the_interrupted_run_stopped(writer, table):
    writer.on_predict_start(trainer(), MODULE)
    assert (writer.bar.n, writer.bar.total) == (2, len(table))
    write(writer, 1, [3, 4, 5])
    assert writer.bar.n == 5


def test_the_first_process_shows_the_stars_of_all(writer):
    writer.on_predict_start(trainer(), MODULE)
    write(writer, 1, [3, 4], world_size=2)
    assert writer.bar.n == 2 + 4


def test_other_processes_show_no_bar(writer):
    writer.on_predict_start(trainer(is_global_zero=False), MODULE)
    assert writer.bar.disable


def test_the_end_of_the_bar_is_a_line(writer, capsys):
    writer.on_predict_start(trainer(), MODULE)
    writer.on_predict_end(trainer(), MODULE)
    assert capsys.readouterr().err.endswith("\n")


def test_an_error_stands_in_a_line_of_its_own(writer, capsys):
    writer.on_predict_start(trainer(), MODULE)
    writer.on_exception(trainer(), MODULE, ValueError())
    assert capsys.readouterr().err.endswith("\n")


def test_an_error_before_the_bar_is_no_second_error(writer, capsys):
    writer.on_exception(trainer(), MODULE, ValueError())
    assert capsys.readouterr().err == ""


def test_it_goes_to_another_process_without_its_bar(writer):
    writer.on_predict_start(trainer(), MODULE)
    copy = pickle.loads(pickle.dumps(writer))
    assert copy.folder == writer.folder
    assert copy.n_done == 2
    assert not hasattr(copy, "bar")
