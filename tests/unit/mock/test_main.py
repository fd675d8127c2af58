import pytest

from torchfit.mock.__main__ import main


def test_lamost(tmp_path, capsys):
    main(["lamost", str(tmp_path), "--n-stars", "3", "--seed", "5", "--layout", "image"])
    assert len(list(tmp_path.rglob("spec-*.fits.gz"))) == 3
    assert len(list(tmp_path.glob("dr10_*.csv"))) == 2
    assert "mock LAMOST" in capsys.readouterr().err


def test_mastar(tmp_path):
    main(["mastar", str(tmp_path), "--n-stars", "3"])
    assert len(list(tmp_path.glob("mastar*"))) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--n-stars", "0"], "n_stars=0"),
        (["--n-stars", "3", "--repeats", "2"], "repeats=2.0"),
    ],
)
def test_what_can_be_mended_is_one_line(tmp_path, capsys, words, message):
    with pytest.raises(SystemExit) as end:
        main(["lamost", str(tmp_path), *words])
    assert end.value.code == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last


def test_a_place_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit):
        main(["mastar", str(tmp_path / "file"), "--n-stars", "2"])
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("error: ")


def test_an_unknown_word(capsys):
    with pytest.raises(SystemExit) as end:
        main(["sdss", "x"])
    assert end.value.code == 2


@pytest.mark.parametrize("format", ["npz", "fits"])
def test_a_grid_is_regular_and_a_file_a_model(tmp_path, format):
    main(["grid", str(tmp_path), "--n-teff", "2", "--cool", "5000", "--format", format])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names[0] == f"t05000_g0.50_m+0.00_a+0.15.{format}" and len(names) == 2 * 6 * 6 * 3
