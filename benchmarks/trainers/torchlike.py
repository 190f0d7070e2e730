"""Steps in torch's API. torch and plugrad run this very code; `t` is either."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..networks import TASKS
from . import weights


def step(
    t: Any, name: str, compiled: Callable[[Any], Any] = lambda network: network
) -> Callable[[], float]:
    """A training step; the network is called through what `compiled` makes of it."""
    import_module(f"{t.__name__}.nn")
    optim = import_module(f"{t.__name__}.optim")
    task = TASKS[name](t)
    network = task.network
    network.load_state_dict(
        {
            key: t.tensor(
                weights(key, tuple(each.shape)).astype(str(each.dtype).split(".")[-1])
            )
            for key, each in network.state_dict().items()
        }
    )
    x, y = t.tensor(task.inputs), t.tensor(task.targets)
    optimizer = getattr(optim, task.optimizer)(network.parameters(), **task.options)
    forward = compiled(network)

    def one_step() -> float:
        optimizer.zero_grad()
        loss = task.loss(forward(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return one_step
