"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from plugrad import Tensor, zeros_like

from .optimizer import Group, Optimizer, ParamsT, State, check

__all__ = ["SGD"]


class SGD(Optimizer):
    """p -= lr * g, with momentum, Nesterov's form of it, and weight decay.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0], requires_grad=True)
    >>> optimizer = plugrad.optim.SGD([x], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     (x * x).sum().backward()
    ...     optimizer.step()
    >>> x
    tensor([0.4600], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check(learning_rate=(lr, 0, None), momentum=(momentum, 0, None))
        check(weight_decay=(weight_decay, 0, None))
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def start(self, p: Tensor, group: Group) -> State:
        return {"momentum_buffer": zeros_like(p)} if group["momentum"] else {}

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if group["weight_decay"]:
            g = g.add(p, alpha=group["weight_decay"])
        momentum: Any = group["momentum"]
        if momentum:
            v = state["momentum_buffer"]
            if state["new"]:
                v.copy_(g)
            else:
                v.mul_(momentum).add_(g, alpha=1 - group["dampening"])
            g = g.add(v, alpha=momentum) if group["nesterov"] else v
        p.sub_(g, alpha=float(group["lr"]))
