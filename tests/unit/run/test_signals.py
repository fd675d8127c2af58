import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from torchfit.run.signals import ending_on_signals

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks where Linux lists processes")

PROGRAM = """
import signal, sys, time
from torchfit.run import signals
from torchfit.survey.processes import fresh_processes

class Busy:
    def __del__(self):
        time.sleep(60)

def drops():
    signals.PATIENCE = 60
    Busy()
    time.sleep(600)

def works_on():
    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signals.PATIENCE = 0.5
    with signals.ending_on_signals():
        child = fresh_processes().Process(target=time.sleep, args=(600,))
        child.start()
        print(child.pid, flush=True)
        {"stubborn": works_on, "dropping": drops}.get(sys.argv[-1], lambda: time.sleep(600))()
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)

    def start(*words):
        return subprocess.Popen(
            [sys.executable, path, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start


@pytest.mark.slow
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["parent", "group"])
@pytest.mark.parametrize("words", [(), ("stubborn",), ("dropping",)])
@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_it_ends_with_one_line_and_no_child(program, number, status, word, words, send):
    process = program(*words)
    child = int(process.stdout.readline())
    send(process.pid, number)
    assert process.wait(50) == status
    line = f"{word}; the same command goes on from here"
    assert process.stderr.read().split("\n") == ["", line, ""]
    until = time.monotonic() + 60
    while Path(f"/proc/{child}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()


@pytest.mark.parametrize("error", [ValueError("its own"), SystemExit(7), KeyboardInterrupt()])
def test_handlers_are_as_before_whatever_happens(error):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises((ValueError, SystemExit)) as raised, ending_on_signals():
        raise error
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    if isinstance(error, SystemExit):
        assert raised.value.code == 7


def test_an_interrupt_that_lightning_has_made_an_exit_is_an_interrupt(capsys):
    with pytest.raises(SystemExit) as raised, ending_on_signals():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            sys.exit(1)
    assert raised.value.code == 130
    assert capsys.readouterr().err == "\ninterrupted; the same command goes on from here\n"
