import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from torchfit.survey import server

PROGRAM = """
import os, subprocess, sys
child = subprocess.Popen(
    [sys.executable, "-c", "import torchfit.survey.server, time; print(flush=True); time.sleep(9)"],
    env={**os.environ, VARIABLE: str(os.getpid())}, stdout=subprocess.PIPE,
)
child.stdout.readline()
print(child.pid, flush=True)
os.kill(os.getpid(), 9)
"""


FORKED = """
import os, subprocess, sys, time
from torchfit.survey import server
server.PATIENCE = 1.0
server.quieten_cut_off()
if os.fork() == 0:
    sys.excepthook(EOFError, EOFError("cut off"), None)
    os._exit(0)
STAYS and os.wait()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no server of processes")
@pytest.mark.parametrize("stays", [True, False])
def test_only_a_child_whose_server_lives_reports_why_it_was_not_started(stays):
    code = FORKED.replace("STAYS", repr(stays))
    ended = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    assert ("EOFError: cut off" in ended.stderr) is stays


def test_in_any_other_process_it_changes_nothing():
    assert server.PARENT not in os.environ


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the server ends a little later")
def test_it_ends_with_its_parent_while_it_is_busy():
    code = PROGRAM.replace("VARIABLE", repr(server.PARENT))
    ended = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = Path("/proc", ended.stdout.strip())
    until = time.monotonic() + 60
    while child.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not child.exists()
