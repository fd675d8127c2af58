from tests.unit.files.models import assert_same, made_models

import torchfit as tf
from torchfit.files.model_writers import WRITERS


def test_models_are_read_by_folder_and_star(tmp_path):
    WRITERS["parquet"](tmp_path / "part-000000.parquet", made_models(4), {})
    assert_same(tf.read_models(str(tmp_path)), made_models(4))
    assert_same(tf.read_models(tmp_path, stars=[6]), made_models(4)[2])
