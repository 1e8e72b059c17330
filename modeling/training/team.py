"""The processes that train one model together, as `accelerate launch` starts them; mostly there is one alone.

Every process holds the whole model and its own share of each batch. What they must agree on is summed over all of them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta

import torch
from accelerate import PartialState

# Reading a large snapshot differs by as much between machines; a process that died ends the others at once anyway.
PATIENCE = timedelta(hours=12)


@dataclass(frozen=True)
class Team:
    """This process is number `rank` of `size`."""

    size: int = 1
    rank: int = 0

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and reports."""
        return self.rank == 0

    def share(self, n: int) -> slice:
        """This process's part of n items: contiguous, and of sizes that differ by one at most."""
        return slice(self.rank * n // self.size, (self.rank + 1) * n // self.size)

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """`tensor`, now the sum of those of all processes."""
        if self.size > 1:
            torch.distributed.all_reduce(tensor)
        return tensor


def leads() -> bool:
    """Whether this process leads the team that it was started into: it speaks for all."""
    return not _in_a_team() or int(os.environ["RANK"]) == 0


def assemble() -> Team:
    """The team that this process was started into, each process with a GPU of its own where there are some."""
    if not _in_a_team():
        return Team()
    state = PartialState(cpu=not torch.cuda.is_available(), timeout=PATIENCE)
    return Team(state.num_processes, state.process_index)


def _in_a_team() -> bool:
    return int(os.environ.get("WORLD_SIZE", "1")) > 1
