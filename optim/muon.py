"""Muon: momentum made orthogonal, for the matrices of hidden layers."""

from __future__ import annotations

from plugrad import Tensor, float32, float64, zeros_like

from .optimizer import Group, Optimizer, ParamsT, State, check

__all__ = ["Muon"]


class Muon(Optimizer):
    """Steps of a matrix by its momentum with all singular values brought close to 1.

    Only for matrices; biases and the like go to another optimizer. The iteration that
    makes the momentum orthogonal runs in the parameter's dtype, and in float32 for
    those of 16 bits; PyTorch's runs in bfloat16, so results agree to its two digits.

    >>> import plugrad
    >>> w = plugrad.eye(2).mul(3.0).requires_grad_()
    >>> (w * w).sum().backward()
    >>> plugrad.optim.Muon([w], lr=0.1, weight_decay=0.0).step()
    >>> bool((w.diagonal() < 2.95).all()), w[0, 1].item()
    (True, 0.0)
    """

    elementwise = False

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check(lr=(lr, 0, None), momentum=(momentum, 0, None))
        check(weight_decay=(weight_decay, 0, None))
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"adjust_lr_fn is 'original' or 'match_rms_adamw', not {adjust_lr_fn!r}"
            )
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for p in self.parameters():
            if p.ndim != 2:
                raise ValueError(
                    f"Muon takes matrices, not a parameter of shape {tuple(p.shape)}; "
                    "give those to another optimizer, such as AdamW"
                )

    def start(self, p: Tensor, group: Group) -> State:
        if p.is_complex():
            raise RuntimeError("Muon does not support complex parameters")
        return {"momentum_buffer": zeros_like(p)}

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        lr, momentum = group["lr"], group["momentum"]
        v = state["momentum_buffer"].lerp_(g, 1 - momentum)
        step = g.lerp(v, momentum) if group["nesterov"] else v
        step = orthogonal(
            step, group["ns_coefficients"], group["ns_steps"], group["eps"]
        )
        p.mul_(1 - lr * group["weight_decay"])
        p.sub_(step.to(p.dtype), alpha=lr * adjustment(p, group["adjust_lr_fn"]))


def adjustment(p: Tensor, kind: str | None) -> float:
    """How much larger the steps of a matrix of this shape are."""
    rows, columns = p.shape
    if kind == "match_rms_adamw":
        return 0.2 * max(rows, columns) ** 0.5
    return max(1, rows / columns) ** 0.5


def orthogonal(
    x: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Tensor:
    """A matrix with the singular vectors of `x`, its singular values brought towards 1
    by an odd polynomial applied again and again."""
    if steps >= 100:
        raise ValueError(f"ns_steps must be less than 100, got {steps}")
    if len(coefficients) != 3:
        raise ValueError(f"ns_coefficients must be three, got {len(coefficients)}")
    a, b, c = coefficients
    x = x.to(x.dtype if x.dtype is float64 else float32)
    is_tall = x.shape[0] > x.shape[1]
    x = x.T if is_tall else x  # the products below are of the smaller size
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = (gram @ gram).mul_(c).add_(gram, alpha=b) @ x + x * a
    return x.T if is_tall else x
