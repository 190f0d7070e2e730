"""What all schedulers share: counting steps, and writing the rates.

- A scheduler's `get_lr()` gives the rates of all groups for the step `last_epoch`,
  from the rates before where schedules are to work together, from `base_lrs` where not.
- `_get_closed_form_lr()`, where a scheduler has it, gives them from `base_lrs` for
  `step(epoch)`, which may go anywhere.
- Whatever stands in a scheduler's `__dict__` is its state, in PyTorch's names, so that
  states go both ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from warnings import warn

from plugrad import Tensor

from ..optimizer import Group, Optimizer

__all__ = ["LRScheduler"]

Rate = float | Tensor


class LRScheduler:
    """The base class of schedulers: a class with `get_lr` is one.

    >>> import plugrad
    >>> class Halving(plugrad.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [rate * 0.5**self.last_epoch for rate in self.base_lrs]
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=0.8)
    >>> scheduler = Halving(optimizer)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.4]
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when "
                    "resuming scheduler with last_epoch >= 0; load the optimizer's "
                    "state first, or leave last_epoch out for a new run"
                )
        self.base_lrs: list[Any] = values(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_last_lr(self) -> list[Any]:
        """The rates that this scheduler has written last, one for each group."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The rates for the step `last_epoch`, one for each group."""
        raise NotImplementedError(f"{type(self).__name__} has no get_lr()")

    def step(self, epoch: int | None = None) -> None:
        """Go to the next step, or to another one; call it after `optimizer.step()`."""
        if self._step_count == 1:
            self.check_order()
        self._step_count += 1
        if epoch is not None:
            warn_of_epoch()
        self._update_lr(epoch)

    def check_order(self) -> None:
        """Warn if the optimizer has not stepped, or nobody can know."""
        if "step" in vars(self.optimizer):
            warn(
                "Seems like `optimizer.step()` has been overridden after learning rate "
                "scheduler initialization; make sure to call `optimizer.step()` before "
                "`lr_scheduler.step()`",
                UserWarning,
                stacklevel=3,
            )
        elif not getattr(self.optimizer, "_opt_called", False):
            warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: so "
                "the first value of the learning rate schedule is skipped; call them "
                "in the opposite order",
                UserWarning,
                stacklevel=3,
            )

    def _update_lr(self, epoch: int | None = None) -> None:
        if epoch is None:
            self.last_epoch += 1
        else:
            self.last_epoch = epoch
        closed = getattr(self, "_get_closed_form_lr", None)
        with within_step(self):
            rates = self.get_lr() if epoch is None or closed is None else closed()
        self.write(rates)

    def write(self, rates: list[Any]) -> None:
        """Give the groups their rates."""
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            write(group, "lr", rate)
        self._last_lr = values(self.optimizer, "lr")

    def warn_outside_step(self) -> None:
        """Warn who calls `get_lr` to learn the rate: in a step, it is the next one."""
        if not self._get_lr_called_within_step:
            warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def scaled(self, factor: float) -> list[Any]:
        """The rates of now, times a factor."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {key: v for key, v in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state of another scheduler of this class."""
        self.__dict__.update(state_dict)


class _LRScheduler(LRScheduler):
    """The name of the base class before PyTorch 2."""


@contextmanager
def within_step(scheduler: LRScheduler) -> Iterator[None]:
    """While it lasts, nobody warns of `get_lr`."""
    scheduler._get_lr_called_within_step = True
    try:
        yield
    finally:
        scheduler._get_lr_called_within_step = False


def checked(optimizer: Any) -> Any:
    """An optimizer, and nothing else."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def warn_of_epoch() -> None:
    """PyTorch keeps `step(epoch)` for old programs."""
    warn(
        "The epoch parameter in `scheduler.step()` was not necessary and is being "
        "deprecated where possible; call `scheduler.step()` without it. The closed "
        "form of the schedule is used, where there is one.",
        UserWarning,
        stacklevel=4,
    )


def copied(value: Any) -> Any:
    """A rate, as a tensor of its own if it is one."""
    return value.detach().clone() if isinstance(value, Tensor) else value


def values(optimizer: Optimizer, key: str) -> list[Any]:
    """An option of all groups, safe from what is written to them later."""
    return [copied(group[key]) for group in optimizer.param_groups]


def write(group: Group, key: str, value: Any) -> None:
    """Set an option of a group; a tensor stays the same tensor."""
    if isinstance(group[key], Tensor):
        group[key].detach().fill_(value.item() if isinstance(value, Tensor) else value)
    else:
        group[key] = value


def for_each_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """An argument that is one value for all groups, or a list of one for each."""
    n = len(optimizer.param_groups)
    if isinstance(value, (list, tuple)):
        if len(value) != n:
            raise ValueError(
                f"{name} must have the same length as optimizer.param_groups: it has "
                f"{len(value)} values, param_groups has {n}"
            )
    else:
        value = [value] * n
    return [copied(each) for each in value]


def saved(function: Any) -> Any:
    """What a state keeps of a callable: nothing of a function, else its `__dict__`."""
    is_function = type(function).__name__ in ("function", "NoneType")
    return None if is_function else function.__dict__.copy()
