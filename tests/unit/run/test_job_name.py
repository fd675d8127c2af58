import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from torchfit.run.job_name import folder_name, with_texts

SHORT = "match.t=10,seed=3"


def test_a_short_name_says_what_is_swept():
    assert folder_name(SHORT) == SHORT


def test_a_path_is_shortened_and_stays_one_folder():
    name = folder_name("data.root=/surveys/dr10/2020_01,seed=3")
    assert name.startswith("data.root=2020_01,seed=3-")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("data.root=/a/x", "data.root=/b/x"),
        ("data.root=a b", "data.root=a_b"),
        ("key=" + 200 * "x", "key=" + 199 * "x"),
        ("data.root=/a/x/", "data.root=/a/x"),
        ("data.root=é", "data.root=è"),
    ],
)
def test_other_overrides_have_another_name(one, other):
    assert folder_name(one) != folder_name(other)


@given(st.text(min_size=1))
def test_any_override_names_a_folder(text):
    name = folder_name(f"key={text}")
    assert name == folder_name(f"key={text}")
    assert "/" not in name
    assert "\0" not in name
    assert name not in (".", "..")
    assert len(name.encode()) <= 100


@pytest.mark.parametrize(
    "word", ["20111112", "2020_01", "1e5", "null", "true", "inf", "0x10", "-3"]
)
@pytest.mark.parametrize("key", ["artefact", "results", "hydra.run.dir"])
def test_what_looks_like_a_number_is_text(key, word):
    (quoted,) = with_texts([f"{key}={word}"])
    assert quoted in (f"{key}='{word}'", f"{key}={word}")
    assert _value(quoted) == word


def test_a_sweep_of_such_names_is_one():
    assert with_texts(["artefact=2020_01,b"]) == ["artefact='2020_01',b"]


@pytest.mark.parametrize(
    "word", ["seed=3", "-m", "artefact=a/b", "artefact='3'", "artefact=", "artefact={a", "3"]
)
def test_everything_else_stays_as_it_was_typed(word):
    assert with_texts([word]) == [word]


def _value(word):
    return str(OverridesParser.create().parse_override(word).value())
