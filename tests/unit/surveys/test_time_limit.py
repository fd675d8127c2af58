import signal
import threading
import time

import pytest

from torchfit.exceptions import SpectrumError
from torchfit.surveys.time_limit import time_limit


def test_what_takes_too_long_is_given_up():
    reason = r"^x: reading took longer than 0\.05 s$"
    with pytest.raises(SpectrumError, match=reason), time_limit(0.05, "x"):
        time.sleep(30)


def test_nothing_in_the_block_takes_the_end_for_an_error():
    with pytest.raises(SpectrumError, match="took longer"), time_limit(0.05, "x"):
        try:
            time.sleep(30)
        except Exception as error:
            raise AssertionError from error


@pytest.mark.parametrize("seconds", [None, 30.0])
def test_what_ends_in_time_leaves_no_timer(seconds):
    before = signal.getsignal(signal.SIGALRM)
    with time_limit(seconds, "x"):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_errors_pass_and_leave_no_timer():
    with pytest.raises(KeyError), time_limit(30.0, "x"):
        raise KeyError
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_another_thread_has_no_limit_and_no_error():
    ended = []

    def work():
        with time_limit(0.01, "x"):
            time.sleep(0.05)
        ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended
