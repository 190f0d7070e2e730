"""Adam and its kin: running means of the gradient and of its size."""

from __future__ import annotations

from typing import Any

from plugrad import Tensor, zeros_like

from .optimizer import Group, Optimizer, ParamsT, State, check, counter

__all__ = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]


def check_adam(lr: Any, betas: Any, eps: Any, weight_decay: Any) -> None:
    """Raise for options that none of them takes."""
    if isinstance(betas[0], Tensor) is not isinstance(betas[1], Tensor):
        raise ValueError("betas must be either both floats or both Tensors")
    check(lr=(lr, 0, None), eps=(eps, 0, None), weight_decay=(weight_decay, 0, None))
    for i, beta in enumerate(betas):
        check(**{f"beta_parameter_at_index_{i}": (beta, 0, 1)})


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

    learnable = ("lr", "weight_decay", "betas")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
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
        check_adam(lr, betas, eps, weight_decay)
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
            "step": counter(),
            "exp_avg": zeros_like(p),
            "exp_avg_sq": zeros_like(p),
        }
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros_like(p)
        return state

    def advance(self, state: State, group: Group) -> None:
        state["step"] += 1

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        (beta1, beta2), lr = group["betas"], group["lr"]
        decay = group["weight_decay"]
        if decay and group["decoupled_weight_decay"]:
            p.mul_(1 - lr * decay)
        elif decay:
            g = g.add(p, alpha=decay)
        mean, square, n = state["exp_avg"], state["exp_avg_sq"], state["step"].item()
        mean.axpby_(g, alpha=1 - beta1, beta=beta1)
        square.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            square = largest.maximum(square, out=largest)
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
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )


class Adamax(Adam):
    """Adam with the largest size of the gradient, slowly forgotten, in place of its
    mean square.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> plugrad.optim.Adamax([x], lr=0.1).step()
    >>> x
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_adam(lr, betas, eps, weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        Optimizer.__init__(self, params, defaults)

    def start(self, p: Tensor, group: Group) -> State:
        return {
            "step": counter(),
            "exp_avg": zeros_like(p),
            "exp_inf": zeros_like(p),
        }

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        (beta1, beta2), n = group["betas"], state["step"].item()
        if group["weight_decay"]:
            g = g.add(p, alpha=group["weight_decay"])
        mean, largest = state["exp_avg"], state["exp_inf"]
        mean.axpby_(g, alpha=1 - beta1, beta=beta1)
        largest.mul_(beta2).maximum(g.abs().add_(group["eps"]), out=largest)
        p.addcdiv_(mean, largest, value=-group["lr"] / (1 - beta1**n))


class NAdam(Adam):
    """Adam with Nesterov's momentum.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> plugrad.optim.NAdam([x], lr=0.1).step()
    >>> bool(x < 0.95)
    True
    """

    counters = ("step", "mu_product")
    learnable = ("lr", "weight_decay")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_adam(lr, betas, eps, weight_decay)
        check(momentum_decay=(momentum_decay, 0, None))
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        Optimizer.__init__(self, params, defaults)

    def start(self, p: Tensor, group: Group) -> State:
        return {
            "step": counter(),
            "mu_product": counter(1.0),
            "exp_avg": zeros_like(p),
            "exp_avg_sq": zeros_like(p),
        }

    def advance(self, state: State, group: Group) -> None:
        state["step"] += 1
        state["mu_product"] *= momentum_at(state["step"].item(), group)

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        (beta1, beta2), lr = group["betas"], group["lr"]
        n, product = state["step"].item(), state["mu_product"].item()
        mu, next_mu = momentum_at(n, group), momentum_at(n + 1, group)
        decay = group["weight_decay"]
        if decay and group["decoupled_weight_decay"]:
            p.mul_(1 - lr * decay)
        elif decay:
            g = g.add(p, alpha=decay)
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean.axpby_(g, alpha=1 - beta1, beta=beta1)
        square.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        scale = square.div(1 - beta2**n).sqrt_().add_(group["eps"])
        p.addcdiv_(g, scale, value=-lr * (1 - mu) / (1 - product))
        p.addcdiv_(mean, scale, value=-lr * next_mu / (1 - product * next_mu))


def momentum_at(n: float, group: Group) -> float:
    """The momentum of NAdam's n-th step, which grows towards the first beta."""
    return group["betas"][0] * (1 - 0.5 * 0.96 ** (n * group["momentum_decay"]))


class RAdam(Adam):
    """Adam that waits with its second mean until that is of enough gradients.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> plugrad.optim.RAdam([x], lr=0.1).step()
    >>> x
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_adam(lr, betas, eps, weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        Optimizer.__init__(self, params, defaults)

    def start(self, p: Tensor, group: Group) -> State:
        return {
            "step": counter(),
            "exp_avg": zeros_like(p),
            "exp_avg_sq": zeros_like(p),
        }

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        (beta1, beta2), lr = group["betas"], group["lr"]
        n, decay = state["step"].item(), group["weight_decay"]
        if decay and group["decoupled_weight_decay"]:
            p.mul_(1 - lr * decay)
        elif decay:
            g = g.add(p, alpha=decay)
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean.axpby_(g, alpha=1 - beta1, beta=beta1)
        square.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        rate = lr / (1 - beta1**n)
        most = 2 / (1 - beta2) - 1
        length = most - 2 * n * beta2**n / (1 - beta2**n)
        if length <= 5:
            p.sub_(mean, alpha=rate)
            return
        share = (length - 4) * (length - 2) * most
        share /= (most - 4) * (most - 2) * length
        rate *= (share * (1 - beta2**n)) ** 0.5
        p.addcdiv_(mean, square.sqrt().add_(group["eps"]), value=-rate)
