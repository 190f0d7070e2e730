"""Schedules made of others: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, values, write
from .plateau import ReduceLROnPlateau

__all__ = ["ChainedScheduler", "SequentialLR"]


class Combined(LRScheduler):
    """A scheduler of schedulers; its state holds theirs."""

    _schedulers: Sequence[LRScheduler]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, with the schedulers' states."""
        state = super().state_dict()
        state["_schedulers"] = [each.state_dict() for each in self._schedulers]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state of another such scheduler, and those of its schedulers."""
        schedulers = self._schedulers
        super().load_state_dict(state_dict)
        self._schedulers = schedulers
        for each, state in zip(schedulers, state_dict["_schedulers"]):
            each.load_state_dict(state)


def check_schedulers(
    name: str, schedulers: Sequence[Any], optimizer: Optimizer | None
) -> None:
    """Raise for schedulers that cannot be combined."""
    if len(schedulers) < 1:
        raise ValueError(f"{name} expects at least one scheduler, but got none")
    for i, each in enumerate(schedulers):
        if not hasattr(each, "optimizer"):
            raise TypeError(
                f"{name} at index {i} should have `optimizer` as its attribute"
            )
        if isinstance(each, ReduceLROnPlateau):
            raise ValueError(
                f"{name} does not support ReduceLROnPlateau, whose `step` takes a "
                f"metric: there is one at index {i}"
            )
        if each.optimizer is not optimizer:
            raise ValueError(
                f"{name} expects all schedulers to belong to the same optimizer, but "
                f"{type(each).__name__} at index {i} belongs to another one"
            )


class SequentialLR(Combined):
    """One scheduler after the other; each begins anew at its milestone.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=1.0)
    >>> schedulers = plugrad.optim.lr_scheduler
    >>> warming = schedulers.LinearLR(optimizer, 0.5, total_iters=2)
    >>> falling = schedulers.ExponentialLR(optimizer, gamma=0.5)
    >>> both = schedulers.SequentialLR(optimizer, [warming, falling], milestones=[2])
    >>> rates = []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += both.get_last_lr()
    ...     both.step()
    >>> rates
    [0.5, 0.75, 1.0, 0.5, 0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        check_schedulers(type(self).__name__, schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR expects a milestone between any two schedulers: "
                f"{len(schedulers) - 1} for {len(schedulers)} schedulers, but got "
                f"{len(milestones)}"
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            write(group, "lr", group["initial_lr"])
        self.recursive_undo()
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched: Any = None) -> None:
        """Take back the step that each scheduler made when it was made."""
        sched = self if sched is None else sched
        if hasattr(sched, "_schedulers"):
            for each in sched._schedulers:
                self.recursive_undo(each)
        elif hasattr(sched, "last_epoch"):
            sched.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Step the scheduler whose turn it is."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(Combined):
    """All schedulers in each step, one on top of the other.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=1.0)
    >>> schedulers = plugrad.optim.lr_scheduler
    >>> all_of = [schedulers.ExponentialLR(optimizer, 0.5) for _ in range(2)]
    >>> scheduler = schedulers.ChainedScheduler(all_of)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        if not optimizer and schedulers:
            optimizer = schedulers[0].optimizer
        check_schedulers(type(self).__name__, schedulers, optimizer)
        self.optimizer = optimizer
        self._schedulers = schedulers
        self._last_lr = values(self.optimizer, "lr")

    def step(self) -> None:  # type: ignore[override]
        """Step all schedulers."""
        for each in self._schedulers:
            each.step()
        self._last_lr = values(self.optimizer, "lr")
