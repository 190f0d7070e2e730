"""Stochastic gradient descent, and its mean over the steps."""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad import Tensor, UnsupportedOpError, zeros_like

from .optimizer import Group, Optimizer, ParamsT, State, check, counter

__all__ = ["ASGD", "SGD"]


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

    sparse = True

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

    @property
    def block(self) -> int:
        """There is little to do with a block, and where nothing is temporary it can be
        large."""
        small = (
            group["nesterov"] or (group["weight_decay"] and not group["momentum"])
            for group in self.param_groups
        )
        return Optimizer.block if any(small) else 1 << 20

    def start(self, p: Tensor, group: Group) -> State:
        return {"momentum_buffer": zeros_like(p)} if group["momentum"] else {}

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        lr: Any = group["lr"]
        momentum: Any = group["momentum"]
        decay: Any = group["weight_decay"]
        if g.is_sparse:
            if momentum or decay:
                raise UnsupportedOpError(
                    "SGD: a sparse gradient changes the rows it has, and momentum or "
                    "weight_decay would change all; set both to 0, or use SparseAdam"
                )
            p.sub_(g, alpha=lr)
            return
        nesterov = group["nesterov"]
        if decay and (nesterov or not momentum):
            g = p.mul(decay).add_(g)
        if not momentum:
            p.axpby_(g, alpha=-lr)
            return
        v, share = state["momentum_buffer"], 1 - group["dampening"]
        if state["new"]:
            v.copy_(g)
            share = 1
        else:
            v.axpby_(g, alpha=share, beta=momentum)
        if decay and not nesterov:  # of a temporary, it would be a pass more
            v.axpby_(p, alpha=share * decay)
        p.axpby_(v.mul(momentum).add_(g) if nesterov else v, alpha=-lr)


class ASGD(Optimizer):
    """Stochastic gradient descent whose parameters' mean is kept in the state ("ax").

    >>> import plugrad
    >>> x = plugrad.tensor([1.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> plugrad.optim.ASGD([x], lr=0.1).step()
    >>> x
    tensor([0.8000], requires_grad=True)
    """

    counters = ("step", "eta", "mu")
    learnable = ("weight_decay",)

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check(learning_rate=(lr, 0, None), weight_decay=(weight_decay, 0, None))
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def start(self, p: Tensor, group: Group) -> State:
        return {
            "step": counter(),
            "eta": plugrad.tensor(group["lr"]),
            "mu": counter(1.0),
            "ax": zeros_like(p),
        }

    def advance(self, state: State, group: Group) -> None:
        state["step"] += 1
        n, lr = state["step"].item(), group["lr"]
        eta = lr / (1 + group["lambd"] * lr * n) ** group["alpha"]
        mu = 1 / max(1, n - group["t0"])
        for name, value in ("eta", eta), ("mu", mu):  # of the next step
            # rounded as PyTorch's, which has another dtype once it was loaded
            state[name] = plugrad.tensor(value).to(state[name].dtype)

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if group["weight_decay"]:
            g = g.add(p, alpha=group["weight_decay"])
        eta, mu = state["eta"].item(), state["mu"].item()
        p.mul_(1 - group["lambd"] * eta).sub_(g, alpha=eta)
        mean = state["ax"]
        if mu == 1:
            mean.copy_(p)
        else:
            mean.add_(p.sub(mean).mul_(mu))
