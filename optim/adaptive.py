"""Optimizers that scale each element's step by the gradients it has seen."""

from __future__ import annotations

from plugrad import Tensor, full_like, zeros_like

from .optimizer import Group, Optimizer, ParamsT, State, check, counter

__all__ = ["Adadelta", "Adagrad", "RMSprop", "Rprop"]


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> plugrad.optim.Adagrad([x], lr=0.1).step()
    >>> x
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    sparse = True

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check(lr=(lr, 0, None), lr_decay=(lr_decay, 0, None), eps=(eps, 0, None))
        check(weight_decay=(weight_decay, 0, None))
        check(initial_accumulator_value=(initial_accumulator_value, 0, None))
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:  # as PyTorch, before any step
            for p in group["params"]:
                self.state[p] = self.start(p, group)

    def share_memory(self) -> None:
        """Move the state to memory that processes share."""
        for state in self.state.values():
            state["sum"].share_memory_()

    def start(self, p: Tensor, group: Group) -> State:
        start = group["initial_accumulator_value"]
        start = complex(start, start) if p.is_complex() else start
        return {"step": counter(), "sum": full_like(p.detach(), start)}

    def advance(self, state: State, group: Group) -> None:
        state["step"] += 1

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        decay, total = group["weight_decay"], state["sum"]
        rate = group["lr"] / (1 + (state["step"].item() - 1) * group["lr_decay"])
        if g.is_sparse:
            if decay:
                raise RuntimeError(
                    "weight_decay option is not compatible with sparse gradients"
                )
            g = g.coalesce()
            at, values = g.indices(), g.values()
            rows = tuple(at)
            total[rows] += values * values
            p[rows] -= rate * values / (total[rows].sqrt() + group["eps"])
            return
        if decay:
            g = g.add(p, alpha=decay)
        total.addcmul_(g, g)
        p.addcdiv_(g, total.sqrt().add_(group["eps"]), value=-rate)


class Adadelta(Optimizer):
    """Steps by the ratio of running means: of squared steps and of squared gradients.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> plugrad.optim.Adadelta([x]).step()
    >>> bool(x < 1)
    True
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check(lr=(lr, 0, None), eps=(eps, 0, None))
        check(weight_decay=(weight_decay, 0, None))
        if not 0 <= rho <= 1:
            raise ValueError(f"Invalid rho value: {rho}")
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def start(self, p: Tensor, group: Group) -> State:
        return {
            "step": counter(),
            "square_avg": zeros_like(p),
            "acc_delta": zeros_like(p),
        }

    def advance(self, state: State, group: Group) -> None:
        state["step"] += 1

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        rho, eps = group["rho"], group["eps"]
        if group["weight_decay"]:
            g = g.add(p, alpha=group["weight_decay"])
        square, steps = state["square_avg"], state["acc_delta"]
        square.mul_(rho).addcmul_(g, g, value=1 - rho)
        delta = steps.add(eps).sqrt_().div_(square.add(eps).sqrt_()).mul_(g)
        steps.mul_(rho).addcmul_(delta, delta, value=1 - rho)
        p.sub_(delta, alpha=group["lr"])


class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of squared gradients.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> plugrad.optim.RMSprop([x], lr=0.01).step()
    >>> x
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check(lr=(lr, 0, None), eps=(eps, 0, None), momentum=(momentum, 0, None))
        check(weight_decay=(weight_decay, 0, None), alpha=(alpha, 0, None))
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def start(self, p: Tensor, group: Group) -> State:
        state: State = {"step": counter(), "square_avg": zeros_like(p)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = zeros_like(p)
        return state

    def advance(self, state: State, group: Group) -> None:
        state["step"] += 1

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        alpha, rate = group["alpha"], group["lr"]
        if group["weight_decay"]:
            g = g.add(p, alpha=group["weight_decay"])
        square = state["square_avg"]
        square.mul_(alpha).addcmul_(g, g, value=1 - alpha)
        if group["centered"]:
            mean = state["grad_avg"]
            mean.axpby_(g, alpha=1 - alpha, beta=alpha)
            square = square.addcmul(mean, mean, value=-1)
        scale = square.sqrt().add_(group["eps"])
        if group["momentum"] > 0:
            v = state["momentum_buffer"]
            v.mul_(group["momentum"]).addcdiv_(g, scale)
            p.sub_(v, alpha=rate)
        else:
            p.addcdiv_(g, scale, value=-rate)


class Rprop(Optimizer):
    """Steps that grow while a gradient keeps its sign and shrink where it turns; its
    size plays no part.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, -2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> plugrad.optim.Rprop([x], lr=0.1).step()
    >>> x
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    learnable = ()

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check(lr=(lr, 0, None))
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def start(self, p: Tensor, group: Group) -> State:
        lr = group["lr"]
        lr = complex(lr, lr) if p.is_complex() else lr
        return {
            "step": counter(),
            "prev": zeros_like(p),
            "step_size": full_like(p.detach(), lr),
        }

    def advance(self, state: State, group: Group) -> None:
        state["step"] += 1

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        (slower, faster), (least, most) = group["etas"], group["step_sizes"]
        before, size = state["prev"], state["step_size"]
        turned = (before * g).sign()
        factor = turned.masked_fill(turned == 0, 1.0)
        factor.masked_fill_(turned > 0, faster).masked_fill_(turned < 0, slower)
        size.mul_(factor).clamp_(least, most)
        g = g.masked_fill(turned < 0, 0.0)
        p.addcmul_(g.sign(), size, value=-1)
        before.copy_(g)
