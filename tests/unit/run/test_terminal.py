import pandas as pd

from torchfit.run.terminal import unexpected


def rejects(*kinds):
    return pd.DataFrame({"source": list("abcde")[: len(kinds)], "unexpected": list(kinds)})


def test_unexpected_failures_are_named_and_counted():
    (line,) = unexpected(rejects("", "TypeError", "KeyError", "TypeError"))
    assert line.startswith("3 files failed unexpectedly (TypeError 2, KeyError 1): please report")
    assert unexpected(rejects("KeyError"))[0].startswith("1 file failed unexpectedly")


def test_nothing_is_said_of_what_is_known():
    assert unexpected(rejects("", "")) == []
    assert unexpected(rejects()) == []
    assert unexpected(pd.DataFrame({"source": ["a"], "reason": ["b"]})) == []
