import pytest

from torchfit.run.steps import Steps


@pytest.fixture
def clock(monkeypatch):
    """``clock(seconds)``: let time pass."""
    now = [100.0]
    monkeypatch.setattr("torchfit.run.steps.time.perf_counter", lambda: now[0])

    def passing(seconds):
        now[0] += seconds

    return passing


def test_the_time_of_a_step_within_another_is_its_own(clock):
    steps = Steps()
    with steps.step("outer"):
        clock(2.0)
        with steps.step("inner"):
            clock(5.0)
        clock(1.0)
    with steps.step("inner"):
        clock(0.5)
    assert steps.seconds == {"inner": 5.5, "outer": 3.0}
    assert [row["step"] for row in steps.rows()] == ["inner", "outer"]


def test_a_step_that_fails_is_timed_too(clock):
    steps = Steps()
    with pytest.raises(ValueError, match="no"), steps.step("a"):
        clock(4.0)
        raise ValueError("no")
    assert steps.seconds == {"a": 4.0}
