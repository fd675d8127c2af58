"""The processes that a cluster starts for one run: each takes its share, and all meet."""

import atexit
import os
from dataclasses import dataclass
from datetime import timedelta

import lightning
import torch.distributed as dist
from lightning.fabric.plugins.environments import ClusterEnvironment
from lightning.pytorch.strategies import ParallelStrategy

from torchfit.exceptions import ConfigError, CrewError

_PATIENCE = timedelta(days=30)
"""How long the others wait for the slowest; one that has ended is noticed at once."""


@dataclass(frozen=True)
class Crew:
    """This process among those of its run.

    Devices of one machine are no crew: their processes are spawned for the fits alone.

    Args:
        rank: Number of this process; 0 leads.
        size: How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process does what is done once."""
        return self.rank == 0

    def takes(self, number: int) -> bool:
        """Whether a numbered piece of work is this process's.

        Numbers are dealt by the piece and not by what is left to do, which processes that start
        one after the other would see differently.
        """
        return number % self.size == self.rank

    def meet(self) -> None:
        """Wait until every process of the run has come here.

        Raises:
            CrewError: If one has ended before.
        """
        if self.size == 1:
            return
        try:
            dist.barrier()
        except RuntimeError as error:
            raise CrewError(
                "another process of this run has ended; what is finished is kept: the same "
                "command goes on from there"
            ) from error


ALONE = Crew()
"""What a process is that no cluster has started."""


def join_crew(trainer: lightning.Trainer) -> Crew:
    """Join the processes that a cluster has started for this run.

    Args:
        trainer: Knows the cluster.

    Returns:
        Where this process stands; alone when no cluster has started it.

    Raises:
        ConfigError: If the cluster has started another number of processes than asked for.
    """
    strategy = trainer.strategy
    cluster = strategy.cluster_environment if isinstance(strategy, ParallelStrategy) else None
    if cluster is not None and not cluster.creates_processes_externally:
        cluster = None
    # Not its world_size, which is what the cluster says.
    wanted = trainer.num_nodes * trainer.num_devices if cluster else 1
    started = int(os.environ.get("SLURM_STEP_NUM_TASKS", wanted))
    if started != wanted:
        raise ConfigError(
            f"srun has started {started} tasks, and trainer asks for {wanted}; say trainer=slurm "
            "trainer.num_nodes=NODES trainer.devices=TASKS_PER_NODE"
        )
    return _crew(cluster) if cluster else ALONE


def _crew(cluster: ClusterEnvironment) -> Crew:
    crew = Crew(cluster.global_rank(), cluster.world_size())
    if crew.size > 1 and not dist.is_initialized():
        # Before Lightning, which would give up on the slowest after half an hour.
        address = f"tcp://{cluster.main_address}:{cluster.main_port}"
        dist.init_process_group("gloo", address, _PATIENCE, crew.size, crew.rank)
        atexit.register(_leave)
    return crew


def _leave() -> None:
    """End the threads of the group while there is an interpreter: later they abort the process."""
    if dist.is_initialized():
        dist.destroy_process_group()
