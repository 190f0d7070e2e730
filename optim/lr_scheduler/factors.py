"""Schedules that multiply the rate by a factor in each step."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, saved, values

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "PolynomialLR",
    "StepLR",
]

Factor = Callable[[int], float]


class LambdaLR(LRScheduler):
    """The first rate, times a function of the step.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=0.5)
    >>> schedulers = plugrad.optim.lr_scheduler
    >>> scheduler = schedulers.LambdaLR(optimizer, lambda step: 0.5**step)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Factor | list[Factor],
        last_epoch: int = -1,
    ) -> None:
        n = len(optimizer.param_groups)
        if not isinstance(lr_lambda, (list, tuple)):
            lr_lambda = [lr_lambda] * n
        if len(lr_lambda) != n:
            raise ValueError(f"Expected {n} lr_lambdas, but got {len(lr_lambda)}")
        self.lr_lambdas = list(lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The first rates, each times its function of the step."""
        self.warn_outside_step()
        factors = [each(self.last_epoch) for each in self.lr_lambdas]
        return [rate * f for rate, f in zip(self.base_lrs, factors, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and functions; of other callables, what they
        remember."""
        state = super().state_dict()
        state["lr_lambdas"] = [saved(each) for each in self.lr_lambdas]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state of another scheduler; the functions stay."""
        lambdas = self.lr_lambdas
        super().load_state_dict(state_dict)
        for function, state in zip(lambdas, state_dict["lr_lambdas"]):
            if state is not None:
                function.__dict__.update(state)
        self.lr_lambdas = lambdas


class MultiplicativeLR(LambdaLR):
    """The rate of before, times a function of the step.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=0.5)
    >>> schedulers = plugrad.optim.lr_scheduler
    >>> scheduler = schedulers.MultiplicativeLR(optimizer, lambda step: 0.5)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Factor | list[Factor],
        last_epoch: int = -1,
    ) -> None:
        each = lr_lambda if isinstance(lr_lambda, (list, tuple)) else [lr_lambda]
        for function in each:
            if not callable(function):
                raise TypeError(
                    f"lr_lambda should be a function, but got {type(function).__name__}"
                )
        super().__init__(optimizer, lr_lambda, last_epoch)

    def get_lr(self) -> list[Any]:
        """The rates of before, each times its function of the step."""
        self.warn_outside_step()
        rates = values(self.optimizer, "lr")
        if self._is_initial:
            return rates
        factors = [each(self.last_epoch) for each in self.lr_lambdas]
        return [rate * f for rate, f in zip(rates, factors, strict=True)]


class Factors(LRScheduler):
    """A schedule of one factor for all groups, told in two ways."""

    def ratio(self, n: int) -> float:
        """The factor by which step `n` changes the rate of before."""
        raise NotImplementedError

    def whole(self, n: int) -> float:
        """The factor between the first rate and that of step `n`."""
        raise NotImplementedError

    def get_lr(self) -> list[Any]:
        """The rates of before, times the factor of this step."""
        self.warn_outside_step()
        factor = self.ratio(self.last_epoch)
        # times 1 would be the same, but make an int a float
        return values(self.optimizer, "lr") if factor == 1 else self.scaled(factor)

    def _get_closed_form_lr(self) -> list[Any]:
        whole = self.whole(self.last_epoch)
        return [rate * whole for rate in self.base_lrs]


class StepLR(Factors):
    """The rate times `gamma` every `step_size` steps.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=0.5)
    >>> scheduler = plugrad.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        step_size: int,
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def ratio(self, n: int) -> float:
        return 1 if n == 0 or n % self.step_size else self.gamma

    def whole(self, n: int) -> float:
        return self.gamma ** (n // self.step_size)


class MultiStepLR(Factors):
    """The rate times `gamma` at each milestone.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=0.5)
    >>> scheduler = plugrad.optim.lr_scheduler.MultiStepLR(optimizer, [1], gamma=0.5)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def ratio(self, n: int) -> float:
        return self.gamma ** self.milestones[n] if n in self.milestones else 1

    def whole(self, n: int) -> float:
        return self.gamma ** bisect_right(sorted(self.milestones.elements()), n)


class ConstantLR(Factors):
    """The rate times `factor` for the first `total_iters` steps.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=0.5)
    >>> scheduler = plugrad.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5)
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if factor > 1.0 or factor < 0:
            raise ValueError(
                "Constant multiplicative factor expected to be between 0 and 1, got "
                f"{factor}"
            )
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def ratio(self, n: int) -> float:
        if n == 0:
            return self.factor
        return 1.0 / self.factor if n == self.total_iters else 1

    def whole(self, n: int) -> float:
        return 1 if n >= self.total_iters else self.factor


class LinearLR(Factors):
    """A factor that goes from `start_factor` to `end_factor` in `total_iters` steps.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=0.5)
    >>> scheduler = plugrad.optim.lr_scheduler.LinearLR(optimizer, 0.5, total_iters=2)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.375]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and at "
                f"most 1, got {start_factor}"
            )
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError(
                f"Ending multiplicative factor expected between 0 and 1: {end_factor}"
            )
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def ratio(self, n: int) -> float:
        if n == 0:
            return self.start_factor
        if self._is_initial or n > self.total_iters:
            return 1
        change = self.end_factor - self.start_factor
        return 1.0 + change / (self.total_iters * self.start_factor + (n - 1) * change)

    def whole(self, n: int) -> float:
        share = min(self.total_iters, n) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * share


class ExponentialLR(Factors):
    """The rate times `gamma` in each step.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=0.5)
    >>> scheduler = plugrad.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, gamma: float, last_epoch: int = -1
    ) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def ratio(self, n: int) -> float:
        return 1 if self._is_initial else self.gamma

    def whole(self, n: int) -> float:
        return self.gamma**n


class PolynomialLR(Factors):
    """Down to zero in `total_iters` steps, by a power of the steps that are left.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=0.5)
    >>> scheduler = plugrad.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=2)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def ratio(self, n: int) -> float:
        if self._is_initial or n > self.total_iters:
            return 1
        now, before = 1.0 - n / self.total_iters, 1.0 - (n - 1) / self.total_iters
        return (now / before) ** self.power

    def whole(self, n: int) -> float:
        return (1.0 - min(self.total_iters, n) / self.total_iters) ** self.power


class CosineAnnealingLR(LRScheduler):
    """Down to `eta_min` in `T_max` steps along half a wave of the cosine.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=0.5)
    >>> scheduler = plugrad.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def height(self, n: int) -> float:
        """Twice the share of the way that is left at step `n`."""
        return 1 + math.cos(math.pi * n / self.T_max)

    def get_lr(self) -> list[Any]:
        """The rates of before, closer to `eta_min` by what this step's height is of
        the last; at the turn, where that was none, by how much it grows."""
        self.warn_outside_step()
        if self._is_initial:
            return values(self.optimizer, "lr")
        n, least = self.last_epoch, self.eta_min
        if self._step_count == 1 and n > 0:
            return self._get_closed_form_lr()
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if (n - 1 - self.T_max) % (2 * self.T_max) == 0:
            growth = (1 - math.cos(math.pi / self.T_max)) / 2
            return [
                rate + (base - least) * growth
                for base, rate in zip(self.base_lrs, rates, strict=True)
            ]
        factor = self.height(n) / self.height(n - 1)
        return [(rate - least) * factor + least for rate in rates]

    def _get_closed_form_lr(self) -> list[Any]:
        share = self.height(self.last_epoch) / 2
        return [self.eta_min + (b - self.eta_min) * share for b in self.base_lrs]
