"""Means of a model's weights over training, and the rates that go with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

import plugrad
from plugrad import Module, Tensor

from .lr_scheduler.base import LRScheduler, for_each_group
from .optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Tensors = list[Tensor] | tuple[Tensor, ...]


def check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay}: it is between 0 and 1")


def get_ema_avg_fn(decay: float = 0.999) -> Callable[..., Tensor]:
    """A function for `avg_fn`: a running mean that forgets by `decay`.

    >>> import plugrad
    >>> mean = plugrad.optim.swa_utils.get_ema_avg_fn(0.5)
    >>> mean(plugrad.tensor(1.0), plugrad.tensor(2.0), 1)
    tensor(1.5000)
    """
    check_decay(decay)

    @plugrad.no_grad()
    def ema_update(mean: Tensor, new: Tensor, count: Any) -> Tensor:
        return decay * mean + (1 - decay) * new

    return ema_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[..., None]:
    """A function for `multi_avg_fn`: running means that forget by `decay`.

    >>> import plugrad
    >>> update = plugrad.optim.swa_utils.get_ema_multi_avg_fn(0.5)
    >>> mean = plugrad.tensor([1.0])
    >>> update([mean], [plugrad.tensor([2.0])], 1)
    >>> mean
    tensor([1.5000])
    """
    check_decay(decay)

    @plugrad.no_grad()
    def ema_update(means: Tensors, news: Tensors, count: Any) -> None:
        for mean, new in zip(means, news, strict=True):
            if is_inexact(mean):
                mean.lerp_(new, 1 - decay)
            else:
                mean.copy_(mean * decay + new * (1 - decay))

    return ema_update


def get_swa_avg_fn() -> Callable[..., Tensor]:
    """A function for `avg_fn`: the mean of all.

    >>> import plugrad
    >>> mean = plugrad.optim.swa_utils.get_swa_avg_fn()
    >>> mean(plugrad.tensor(1.0), plugrad.tensor(4.0), 2)
    tensor(2.)
    """

    @plugrad.no_grad()
    def swa_update(mean: Tensor, new: Tensor, count: Any) -> Tensor:
        return mean + (new - mean) / (count + 1)

    return swa_update


def get_swa_multi_avg_fn() -> Callable[..., None]:
    """A function for `multi_avg_fn`: the means of all.

    >>> import plugrad
    >>> update = plugrad.optim.swa_utils.get_swa_multi_avg_fn()
    >>> mean = plugrad.tensor([1.0])
    >>> update([mean], [plugrad.tensor([4.0])], 2)
    >>> mean
    tensor([2.])
    """

    @plugrad.no_grad()
    def swa_update(means: Tensors, news: Tensors, count: Any) -> None:
        for mean, new in zip(means, news, strict=True):
            if is_inexact(mean):
                mean.lerp_(new, 1 / (float(count) + 1))
            else:
                mean.copy_(mean + (new - mean) / (count + 1))

    return swa_update


def is_inexact(x: Tensor) -> bool:
    return x.is_floating_point() or x.is_complex()


class AveragedModel(Module):
    """A copy of a model whose parameters are the means of the model's.

    `avg_fn(mean, new, count)` gives the new mean of a parameter, or
    `multi_avg_fn(means, news, count)` writes those of many; without, it is the mean of
    all. Buffers are averaged with `use_buffers`, and else copied.

    >>> import plugrad
    >>> net = plugrad.nn.Linear(1, 1, bias=False)
    >>> averaged = plugrad.optim.swa_utils.AveragedModel(net)
    >>> for value in (1.0, 3.0):
    ...     _ = net.weight.data.fill_(value)
    ...     averaged.update_parameters(net)
    >>> averaged.module.weight.item()
    2.0
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable[..., Tensor] | None = None,
        multi_avg_fn: Callable[..., None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError(
                "Only one of avg_fn and multi_avg_fn should be provided"
            )
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        count = plugrad.tensor(0, dtype=plugrad.int64, device=device)
        self.register_buffer("n_averaged", count)
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def averaged(self, model: Module) -> Iterable[Tensor]:
        """What is averaged of a model."""
        if self.use_buffers:
            return chain(model.parameters(), model.buffers())
        return model.parameters()

    def update_parameters(self, model: Module) -> None:
        """Take a model's values into the means; the first time they are copied."""
        means = [x.detach() for x in self.averaged(self.module)]
        news = [
            new.detach().to(mean.device)
            for mean, new in zip(means, self.averaged(model))
        ]
        count = self.n_averaged
        if count == 0:
            for mean, new in zip(means, news):
                mean.copy_(new)
        elif self.avg_fn is not None:
            for mean, new in zip(means, news):
                mean.copy_(self.avg_fn(mean, new, count.to(mean.device)))
        else:
            update = self.multi_avg_fn or get_swa_multi_avg_fn()
            for a, b in alike(means, news):
                update(a, b, count.to(a[0].device))
        if not self.use_buffers:
            for mine, theirs in zip(self.module.buffers(), model.buffers()):
                mine.detach().copy_(theirs.detach().to(mine.device))
        self.n_averaged += 1


def alike(means: list[Tensor], news: list[Tensor]) -> Iterable[Any]:
    """Pairs of lists of the tensors of one device and dtype."""
    groups: dict[Any, tuple[list[Tensor], list[Tensor]]] = {}
    for mean, new in zip(means, news):
        a, b = groups.setdefault((str(mean.device), mean.dtype), ([], []))
        a.append(mean)
        b.append(new)
    return groups.values()


@plugrad.no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running means of batch normalization anew, from all batches.

    A batch is a tensor, or a list or tuple whose first element is one.

    >>> import plugrad
    >>> net = plugrad.nn.BatchNorm1d(1)
    >>> batches = [plugrad.tensor([[1.0], [3.0]]), plugrad.tensor([[4.0], [4.0]])]
    >>> plugrad.optim.swa_utils.update_bn(batches, net)
    >>> net.running_mean
    tensor([3.])
    """
    layers = [m for m in model.modules() if is_batch_norm(m)]
    momenta = [layer.momentum for layer in layers]
    if not layers:
        return
    for layer in layers:
        layer.reset_running_stats()
    was_training = model.training
    model.train()
    for layer in layers:
        layer.momentum = None
    for batch in loader:
        if isinstance(batch, (list, tuple)):
            batch = batch[0]
        model(batch if device is None else batch.to(device))
    for layer, momentum in zip(layers, momenta):
        layer.momentum = momentum
    model.train(was_training)


def is_batch_norm(module: Module) -> bool:
    nn = plugrad.nn
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    return isinstance(module, kinds)


class SWALR(LRScheduler):
    """From the rate of now to `swa_lr` in `anneal_epochs` steps, and there it stays.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=1.0)
    >>> swa = plugrad.optim.swa_utils
    >>> scheduler = swa.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2)
    >>> rates = []
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     rates += scheduler.get_last_lr()
    ...     scheduler.step()
    >>> rates
    [1.0, 0.75, 0.5, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = for_each_group("swa_lr", optimizer, swa_lr)
        for rate, group in zip(rates, optimizer.param_groups):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy is 'cos' or 'linear', not {anneal_strategy!r}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(
                f"anneal_epochs must be an integer, 0 or more, got {anneal_epochs}"
            )
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def share(self, step: int) -> float:
        """How much of the way is behind at a step."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[Any]:
        """The rates at the start, as those of before tell, closer to `swa_lr`."""
        self.warn_outside_step()
        n = self._step_count - 1
        n = max(1, n) if self.anneal_epochs == 0 else n
        before, now = self.share(n - 1), self.share(n)
        rates = []
        for group in self.optimizer.param_groups:
            rate, end = group["lr"], group["swa_lr"]
            start = end if before == 1 else (rate - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates
