from hypothesis import given
from hypothesis import strategies as st

from torchfit.run.record import digest_of, run_key

plain = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4)


@given(plain)
def test_the_order_of_settings_does_not_change_the_key(settings):
    assert run_key(dict(reversed(settings.items()))) == run_key(settings)


@given(plain, plain)
def test_other_settings_have_another_key(one, other):
    assert (run_key(one) == run_key(other)) == (one == other)


def test_a_key_is_a_name_for_a_folder():
    key = run_key({"a": [1, 2], "b": {"c": None}})
    assert len(key) == 16
    assert int(key, 16) >= 0


names = st.lists(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])))


@given(names, names)
def test_other_names_have_another_digest(one, other):
    """A name may hold any character but NUL, those that end a line among them."""
    assert (digest_of(one) == digest_of(other)) == (one == other)


def test_a_name_that_is_no_utf_8_has_a_digest():
    assert digest_of(["caf\udce9.fits"]) != digest_of(["caf\udcea.fits"])
