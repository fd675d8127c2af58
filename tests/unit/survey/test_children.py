import multiprocessing
import os
import signal
import sys
import time

import pytest

from torchfit.survey.children import begin_child, end_children
from torchfit.survey.processes import fresh_processes

posix = pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")


def begin_and_stay(connection):
    begin_child()
    connection.send(os.getpid())
    time.sleep(600)


@pytest.fixture
def child():
    """A child that has begun and does not end."""
    context = fresh_processes()
    ours, theirs = context.Pipe()
    process = context.Process(target=begin_and_stay, args=(theirs,))
    process.start()
    assert ours.recv() == process.pid
    yield process
    process.kill()
    process.join()


@posix
def test_a_terminated_child_ends_and_an_interrupted_one_goes_on(child):
    os.kill(child.pid, signal.SIGINT)
    child.join(0.5)
    assert child.is_alive()
    os.kill(child.pid, signal.SIGTERM)
    child.join(60)
    assert child.exitcode == -signal.SIGTERM


def test_no_child_outlives_the_end(child):
    end_children()
    assert not child.is_alive()
    assert multiprocessing.active_children() == []
    end_children()


@posix
def test_in_a_program_of_its_own_it_changes_nothing():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    begin_child()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
