"""Adam for sparse gradients: only the rows that have one change."""

from __future__ import annotations

from plugrad import Tensor, zeros_like

from .optimizer import Group, Optimizer, ParamsT, State, check

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam that leaves rows without a gradient as they are, their means too.

    >>> import plugrad
    >>> w = plugrad.ones(4, 1, requires_grad=True)
    >>> plugrad.embedding(w, plugrad.tensor([1, 3]), sparse=True).sum().backward()
    >>> plugrad.optim.SparseAdam([w], lr=0.5).step()
    >>> w.flatten()
    tensor([1.0000, 0.5000, 1.0000, 0.5000], grad_fn=<FlattenBackward0>)
    """

    sparse = True
    elementwise = False

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        check(lr=(lr, 0, None), eps=(eps, 0, None))
        if lr == 0 or eps == 0:
            raise ValueError(f"lr and eps must be greater than 0, got {lr} and {eps}")
        for i, beta in enumerate(betas):
            check(**{f"beta_parameter_at_index_{i}": (beta, 0, 1)})
        defaults = {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize}
        super().__init__(params, defaults)
        for i, group in enumerate(self.param_groups):
            for j, p in enumerate(group["params"]):
                if p.is_sparse or p.is_complex():
                    kind = "Sparse" if p.is_sparse else "Complex"
                    raise ValueError(
                        f"{kind} params at indices {[i, j]}: SparseAdam requires dense "
                        "and real parameter tensors"
                    )

    def start(self, p: Tensor, group: Group) -> State:
        return {"step": 0, "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}

    def advance(self, state: State, group: Group) -> None:
        state["step"] += 1

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not g.is_sparse:
            raise RuntimeError(
                "SparseAdam does not support dense gradients, please consider Adam "
                "instead"
            )
        g = g.coalesce()
        rows, values = tuple(g.indices()), g.values()
        if values.numel() == 0:
            return
        (beta1, beta2), n = group["betas"], self.state[p]["step"]
        n = int(n)  # a tensor, where PyTorch saved it as one
        mean = state["exp_avg"][rows].mul_(beta1).add_(values, alpha=1 - beta1)
        square = state["exp_avg_sq"][rows].mul_(beta2)
        square.addcmul_(values, values, value=1 - beta2)
        state["exp_avg"][rows] = mean
        state["exp_avg_sq"][rows] = square
        rate = group["lr"] * (1 - beta2**n) ** 0.5 / (1 - beta1**n)
        scale = square.sqrt_().add_(group["eps"])
        p[rows] = p[rows].addcdiv_(mean, scale, value=-rate)
