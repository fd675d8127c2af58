import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tests.unit.survey.readers import note, process_of

from torchfit.exceptions import DataError
from torchfit.survey.workers import available_cores, run_jobs


def test_there_is_a_core():
    assert available_cores() >= 1


@pytest.mark.parametrize("n_workers", [0, 1])
def test_in_this_process_jobs_run_in_order_on_one_thread(n_workers):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        results = run_jobs(lambda n: (n, torch.get_num_threads()), [(0,), (1,), (2,)], n_workers)
        assert list(results) == [(0, 1), (1, 1), (2, 1)]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_workers_are_other_processes_and_do_every_job_once():
    made = []

    def jobs():
        for number in range(20):
            made.append(number)
            yield (number,)

    results = run_jobs(process_of, jobs(), 2)
    first = next(results)
    assert len(made) <= 6
    numbers, processes = zip(*[first, *results], strict=True)
    assert sorted(numbers) == list(range(20))
    assert os.getpid() not in processes
    assert len(set(processes)) <= 2


def test_a_killed_worker_is_one_clear_error(tmp_path):
    jobs = [(str(tmp_path), number) for number in (1, 2, -1, 3)]
    with pytest.raises(DataError, match=r"worker was killed.* same command goes on"):
        list(run_jobs(note, jobs, 2))


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes where Linux lists them")
def test_workers_do_not_outlive_a_killed_parent(tmp_path):
    code = (
        "from tests.unit.survey.readers import stay; from torchfit.survey.workers import run_jobs; "
        f"list(run_jobs(stay, [({str(tmp_path)!r}, n) for n in range(4)], 2))"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", code], cwd=root) as parent:
        wait_for(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
        parent.send_signal(signal.SIGKILL)
    workers = [int(path.stem) for path in tmp_path.glob("*.pid")]
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def wait_for(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("waited in vain")
