import socket
import subprocess
import sys

import pytest

from torchfit.exceptions import ConfigError
from torchfit.run.trainer import build_trainer
from torchfit.survey.crew import ALONE, Crew, join_crew


def in_slurm(monkeypatch, rank=0, tasks=2, nodes=2):
    """What srun says to one of its tasks."""
    said = {
        "SLURM_JOB_NAME": "python",
        "SLURM_NTASKS": tasks,
        "SLURM_NTASKS_PER_NODE": tasks // nodes,
        "SLURM_STEP_NUM_TASKS": tasks,
        "SLURM_NNODES": nodes,
        "SLURM_PROCID": rank,
        "SLURM_LOCALID": 0,
        "SLURM_NODEID": rank,
    }
    for name, value in said.items():
        monkeypatch.setenv(name, str(value))


def test_a_process_that_no_cluster_has_started_is_alone():
    assert join_crew(build_trainer()) == ALONE
    assert join_crew(build_trainer(devices=2)) == ALONE


def test_alone_it_leads_takes_everything_and_waits_for_nobody():
    assert ALONE.leads
    assert all(ALONE.takes(number) for number in range(5))
    ALONE.meet()


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_every_piece_is_taken_by_one(size):
    for number in range(20):
        assert sum(Crew(rank, size).takes(number) for rank in range(size)) == 1


def test_one_task_of_slurm_is_alone(monkeypatch):
    in_slurm(monkeypatch, tasks=1, nodes=1)
    assert join_crew(build_trainer()) == ALONE
    assert join_crew(build_trainer(devices=2)) == ALONE
    assert join_crew(build_trainer(strategy="ddp")) == ALONE


def test_tasks_that_know_nothing_of_each_other_are_refused(monkeypatch):
    in_slurm(monkeypatch)
    with pytest.raises(ConfigError, match=r"srun has started 2 tasks.* say trainer=slurm"):
        join_crew(build_trainer())


@pytest.mark.parametrize("settings", [{"num_nodes": 3}, {"num_nodes": 2, "devices": 2}])
def test_another_number_of_nodes_or_tasks_is_refused(monkeypatch, settings):
    in_slurm(monkeypatch)
    with pytest.raises(ConfigError, match="srun has started 2 tasks"):
        join_crew(build_trainer(strategy="ddp", **settings))


MEMBER = """
import atexit, os, sys
import torch.distributed
from torchfit.survey.crew import join_crew
from torchfit.exceptions import CrewError
from torchfit.run.trainer import build_trainer
atexit.register(lambda: print("in a group:", torch.distributed.is_initialized()))
crew = join_crew(build_trainer(strategy="ddp", num_nodes=2))
crew.meet()
if "leaves" in sys.argv and not crew.leads:
    os._exit(9)
try:
    crew.meet()
    print("met", crew.rank, crew.size)
except CrewError as error:
    print(error)
"""


def start(monkeypatch, unused_port, *how):
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(unused_port))
    members = []
    for rank in range(2):
        in_slurm(monkeypatch, rank)
        command = [sys.executable, "-c", MEMBER, *how]
        members.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    return [member.communicate(timeout=120)[0].strip() for member in members]


@pytest.fixture
def unused_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.slow
def test_the_tasks_of_a_run_meet_and_part_before_they_end(monkeypatch, unused_port):
    assert start(monkeypatch, unused_port) == [
        f"met {rank} 2\nin a group: False" for rank in range(2)
    ]


@pytest.mark.slow
def test_one_that_has_ended_is_not_waited_for(monkeypatch, unused_port):
    leader, _ = start(monkeypatch, unused_port, "leaves")
    assert "another process of this run has ended" in leader
