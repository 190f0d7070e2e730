"""Adam, and AdamW with its weight decay apart from the gradient."""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad import Tensor, zeros_like

from .optimizer import Group, Optimizer, ParamsT, State, check

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Steps of about `lr`, by running means of the gradient and of its square.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0], requires_grad=True)
    >>> optimizer = plugrad.optim.Adam([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check(learning_rate=(lr, 0, None), epsilon=(eps, 0, None))
        for i, beta in enumerate(betas):
            if not 0 <= beta < 1:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        check(weight_decay=(weight_decay, 0, None))
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def start(self, p: Tensor, group: Group) -> State:
        state: State = {
            "step": plugrad.tensor(0.0),
            "exp_avg": zeros_like(p),
            "exp_avg_sq": zeros_like(p),
        }
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros_like(p)
        return state

    def advance(self, state: State, group: Group) -> None:
        state["step"] += 1

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        (beta1, beta2), lr = group["betas"], float(group["lr"])
        beta1, beta2 = float(beta1), float(beta2)
        decay = group["weight_decay"]
        if decay and group["decoupled_weight_decay"]:
            p.mul_(1 - lr * decay)
        elif decay:
            g = g.add(p, alpha=decay)
        mean, square, n = state["exp_avg"], state["exp_avg_sq"], state["step"].item()
        mean.mul_(beta1).add_(g, alpha=1 - beta1)
        square.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            square = plugrad.maximum(largest, square, out=largest)
        scale = square.sqrt().div_((1 - beta2**n) ** 0.5).add_(group["eps"])
        p.addcdiv_(mean, scale, value=-lr / (1 - beta1**n))


class AdamW(Adam):
    """Adam with weight decay that shrinks the parameters themselves.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0], requires_grad=True)
    >>> plugrad.optim.AdamW([x], lr=0.1).defaults["weight_decay"]
    0.01
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        options = {"decoupled_weight_decay": True, **options}
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, **options)
