"""Schedules that go up and down again, those of the momentum with them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..optimizer import Group, Optimizer
from .base import LRScheduler, checked, for_each_group, saved, within_step, write

__all__ = ["CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]


def check_momentum(optimizer: Optimizer) -> bool:
    """Whether an optimizer's momentum is its first beta; raise if it has neither."""
    if "betas" in optimizer.defaults:
        return True
    if "momentum" in optimizer.defaults:
        return False
    raise ValueError(
        "optimizer must support momentum or beta1 with `cycle_momentum` option "
        f"enabled; {type(optimizer).__name__} has none, say cycle_momentum=False"
    )


def write_momentum(group: Group, value: Any, is_beta: bool) -> None:
    if is_beta:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


class CyclicLR(LRScheduler):
    """From `base_lr` up to `max_lr` and down again, again and again; the momentum goes
    the other way.

    `mode` says how high later cycles are: "triangular" as the first, "triangular2" half
    of the one before, "exp_range" by `gamma` to the power of the step; or `scale_fn`
    does, called with the cycle or the step, as `scale_mode` says.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], momentum=0)
    >>> schedulers = plugrad.optim.lr_scheduler
    >>> scheduler = schedulers.CyclicLR(optimizer, 0.5, 1.0, step_size_up=2)
    >>> rates = []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += scheduler.get_last_lr()
    ...     scheduler.step()
    >>> rates
    [0.5, 0.75, 1.0, 0.75, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = checked(optimizer)
        base_lrs = for_each_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for rate, group in zip(base_lrs, optimizer.param_groups):
                write(group, "lr", rate)
        self.max_lrs = for_each_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(
                "mode is 'triangular', 'triangular2' or 'exp_range', or scale_fn is "
                f"given; got mode={mode!r}"
            )
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        by_step = mode == "exp_range"
        if scale_fn is None:
            scale_mode = "iterations" if by_step else "cycle"
        self.scale_mode = scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.start_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def start_momentum(self, base: Any, most: Any, last_epoch: int) -> None:
        self.use_beta1 = check_momentum(self.optimizer)
        self.base_momentums = for_each_group("base_momentum", self.optimizer, base)
        self.max_momentums = for_each_group("max_momentum", self.optimizer, most)
        if last_epoch == -1:
            for m, b, group in zip(
                self.max_momentums, self.base_momentums, self.optimizer.param_groups
            ):
                write_momentum(group, m, self.use_beta1)
                group["max_momentum"] = m
                group["base_momentum"] = b

    def scale_fn(self, x: float) -> float:
        """How high a cycle is, by its number or the step's."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular2":
            return 0.5 ** (x - 1)
        return self.gamma**x if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[Any]:
        """The rates by the place in the cycle; it writes the momentum, too."""
        self.warn_outside_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        if x <= self.step_ratio:
            height = x / self.step_ratio
        else:
            height = (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for base, most, group in zip(
                self.base_momentums,
                self.max_momentums,
                self.optimizer.param_groups,
                strict=True,
            ):
                momentum = most - (most - base) * height * scale
                write_momentum(group, momentum, self.use_beta1)
        return [
            base + (most - base) * height * scale
            for base, most in zip(self.base_lrs, self.max_lrs, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and a function for the scale."""
        state = super().state_dict()
        state["_scale_fn_custom"] = saved(self._scale_fn_custom)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state of another such scheduler; a function for the scale stays."""
        function = self._scale_fn_custom
        super().load_state_dict(state_dict)
        self._scale_fn_custom = function
        if state_dict["_scale_fn_custom"] is not None:
            function.__dict__.update(state_dict["_scale_fn_custom"])  # type: ignore[union-attr]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Down to `eta_min` along a cosine, and from the top again after `T_0` steps, then
    `T_mult` times as many each time.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=1.0)
    >>> schedulers = plugrad.optim.lr_scheduler
    >>> scheduler = schedulers.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> rates = []
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     rates += scheduler.get_last_lr()
    ...     scheduler.step()
    >>> rates
    [1.0, 0.5, 1.0, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min!r}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The rates by the place since the last restart."""
        self.warn_outside_step()
        share = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (b - self.eta_min) * share for b in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:  # type: ignore[override]
        """Go to the next step, or to a time that may lie between two."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            self.go_to(epoch)
        self.last_epoch = math.floor(epoch)
        with within_step(self):
            rates = self.get_lr()
        self.write(rates)

    def go_to(self, epoch: float) -> None:
        """Find the restart before a time."""
        if epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            grown = epoch / self.T_0 * (self.T_mult - 1) + 1
            power = self.T_mult ** int(math.log(grown, self.T_mult))
            self.T_cur = epoch - self.T_0 * (power - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * power


class OneCycleLR(LRScheduler):
    """Up to `max_lr` in the first `pct_start` of all steps, then down to much less than
    the rate at the start; the momentum goes the other way.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], momentum=0)
    >>> schedulers = plugrad.optim.lr_scheduler
    >>> scheduler = schedulers.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    >>> rates = scheduler.get_last_lr()
    >>> for _ in range(9):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     rates += scheduler.get_last_lr()
    >>> [f"{rate:.2f}" for rate in rates]
    ['0.04', '0.52', '1.00', '0.95', '0.81', '0.61', '0.39', '0.19', '0.05', '0.00']
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = checked(optimizer)
        self.total_steps = number_of_steps(total_steps, epochs, steps_per_epoch)
        if not (isinstance(pct_start, float) and 0 <= pct_start <= 1):
            raise ValueError(f"Expected float between 0 and 1 pct_start: {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy is 'cos' or 'linear', not {anneal_strategy!r}"
            )
        self._schedule_phases = phases(pct_start, self.total_steps, three_phase)
        self._anneal_func_type = anneal_strategy
        most = for_each_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for rate, group in zip(most, optimizer.param_groups):
                group["initial_lr"] = rate / div_factor
                group["max_lr"] = rate
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = check_momentum(optimizer)
            highest = for_each_group("max_momentum", optimizer, max_momentum)
            lowest = for_each_group("base_momentum", optimizer, base_momentum)
            if last_epoch == -1:
                for m, b, group in zip(highest, lowest, optimizer.param_groups):
                    write_momentum(group, m, self.use_beta1)
                    group["max_momentum"] = m
                    group["base_momentum"] = b
        super().__init__(optimizer, last_epoch)

    def between(self, start: Any, end: Any, share: float) -> Any:
        """A value on the way from `start` to `end`."""
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)
        return (end - start) * share + start

    def get_lr(self) -> list[Any]:
        """The rates by the place in the phase; it writes the momentum, too."""
        self.warn_outside_step()
        n, before = self.last_epoch, 0.0
        if n > self.total_steps:
            raise ValueError(
                f"Tried to step {n} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        for phase in self._schedule_phases:
            if n <= phase["end_step"]:
                break
            if phase is not self._schedule_phases[-1]:
                before = phase["end_step"]
        share = (n - before) / (phase["end_step"] - before)
        rates = []
        for group in self.optimizer.param_groups:
            start, end = group[phase["start_lr"]], group[phase["end_lr"]]
            rates.append(self.between(start, end, share))
            if self.cycle_momentum:
                start = group[phase["start_momentum"]]
                end = group[phase["end_momentum"]]
                write_momentum(group, self.between(start, end, share), self.use_beta1)
        return rates


def number_of_steps(total: Any, epochs: Any, per_epoch: Any) -> int:
    """The steps of all epochs, given in one of two ways."""
    if total is None and (epochs is None or per_epoch is None):
        raise ValueError(
            "You must define either total_steps OR (epochs AND steps_per_epoch)"
        )
    given = {"total_steps": total}
    if total is None:
        given = {"epochs": epochs, "steps_per_epoch": per_epoch}
    for name, value in given.items():
        if value <= 0 or not isinstance(value, int):
            raise ValueError(f"Expected positive integer {name}, but got {value}")
    return math.prod(given.values())


def phases(share: float, steps: int, three: bool) -> list[dict[str, Any]]:
    """Where each phase ends, and the names of its first and last values."""
    names = [("initial", "max"), ("max", "min")]
    ends: list[float] = [float(share * steps) - 1, steps - 1]
    if three:
        names = [("initial", "max"), ("max", "initial"), ("initial", "min")]
        ends.insert(1, float(2 * share * steps) - 2)
    return [
        {
            "end_step": end,
            "start_lr": f"{start}_lr",
            "end_lr": f"{stop}_lr",
            "start_momentum": f"{'base' if start == 'max' else 'max'}_momentum",
            "end_momentum": f"{'base' if stop == 'max' else 'max'}_momentum",
        }
        for end, (start, stop) in zip(ends, names)
    ]
