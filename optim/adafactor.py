"""Adafactor: the squares of a matrix's gradients kept as a row and a column."""

from __future__ import annotations

from plugrad import Tensor, finfo

from .optimizer import Group, Optimizer, ParamsT, State, check, counter

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Steps in proportion to the parameter's size, scaled by the root of running mean
    squares; of a matrix, only the means of rows and of columns are kept.

    >>> import plugrad
    >>> w = plugrad.ones(20, 30, requires_grad=True)
    >>> (w * w).sum().backward()
    >>> optimizer = plugrad.optim.Adafactor([w], lr=0.1)
    >>> optimizer.step()
    >>> sum(v.numel() for v in optimizer.state[w].values())
    51
    """

    elementwise = False

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check(lr=(lr, 0, None), weight_decay=(weight_decay, 0, None))
        check(d=(d, 1, None), eps=(eps[1], 0, None))
        if eps[0] is not None:
            check(eps=(eps[0], 0, None))
        if beta2_decay > 0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def start(self, p: Tensor, group: Group) -> State:
        if p.is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        if p.ndim < 2:
            return {"step": counter(), "variance": p.new_zeros(p.shape)}
        *others, rows, columns = p.shape
        return {
            "step": counter(),
            "row_var": p.new_zeros((*others, rows, 1)),
            "col_var": p.new_zeros((*others, 1, columns)),
        }

    def advance(self, state: State, group: Group) -> None:
        state["step"] += 1

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        n, lr, (least, relative) = state["step"].item(), group["lr"], group["eps"]
        least = finfo(p.dtype).eps if least is None else least
        share = n ** group["beta2_decay"]  # of this gradient in the running means
        rate = max(relative, root_mean_square(p)) * min(lr, n**-0.5)
        if group["weight_decay"]:
            p.mul_(1 - lr * group["weight_decay"])
        square = g * g
        if p.ndim > 1:
            row, column = state["row_var"], state["col_var"]
            row.lerp_(square.mean(-1, keepdim=True), share)
            column.lerp_(square.mean(-2, keepdim=True), share)
            square = row @ column
            square.div_(row.mean(-2, keepdim=True).clamp_(min=least))
        else:
            square = state["variance"].lerp_(square, share).clone()
        step = square.clamp_(min=least * least).rsqrt_().mul_(g)
        p.sub_(step, alpha=rate / max(1.0, root_mean_square(step) / group["d"]))


def root_mean_square(x: Tensor) -> float:
    """The size of a tensor's elements."""
    return x.norm().item() / x.numel() ** 0.5
