"""Losses of numbers, distributions, and yes and no."""

from __future__ import annotations

from plugrad import Tensor

from .. import functional as F
from ..functional.reductions import old_arguments
from .module import Module

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
]


class _Loss(Module):
    """A loss and how it becomes one number."""

    reduction: str

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = old_arguments(size_average, reduce)
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with a weight, which is part of its state."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(_Loss):
    """The mean of abs(input - target).

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.L1Loss()(plugrad.tensor([1.0, 2.0]), plugrad.tensor([1.0, 4.0]))
    tensor(1.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """The mean of (input - target) ** 2.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.MSELoss()(plugrad.tensor([1.0, 2.0]), plugrad.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """The mean of d ** 2 / (2 * beta) for the difference d, and abs(d) - beta / 2 from
    abs(d) = beta on.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.SmoothL1Loss()(plugrad.tensor([1.0, 2.0]), plugrad.tensor([1.0, 4.0]))
    tensor(0.7500)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """The mean of d ** 2 / 2 for the difference d, and delta * (abs(d) - delta / 2)
    from abs(d) = delta on.

    >>> import plugrad
    >>> from plugrad import nn
    >>> loss = nn.HuberLoss(delta=0.5)
    >>> loss(plugrad.tensor([1.0, 2.0]), plugrad.tensor([1.0, 4.0]))
    tensor(0.4375)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        if not isinstance(delta, (int, float)):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, self.reduction, self.delta)


class KLDivLoss(_Loss):
    """The mean of target * (log(target) - input): how far the distribution with the
    log-probabilities `input` is from that of the target.

    >>> import plugrad
    >>> from plugrad import nn
    >>> p, q = plugrad.tensor([[0.5, 0.5]]), plugrad.tensor([[0.25, 0.75]])
    >>> nn.KLDivLoss(reduction="batchmean")(p.log(), q)
    tensor(0.1308)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(
            input, target, reduction=self.reduction, log_target=self.log_target
        )


class PoissonNLLLoss(_Loss):
    """Minus the logarithm of a Poisson distribution's probability of the target, for
    the logarithm of its rate, or, with `log_input=False`, the rate.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.PoissonNLLLoss()(plugrad.tensor([0.0]), plugrad.tensor([3.0]))
    tensor(1.)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(_Loss):
    """Minus the logarithm of a normal distribution's density at the target, for its
    mean and variance.

    >>> import plugrad
    >>> from plugrad import nn
    >>> one = plugrad.ones(1)
    >>> nn.GaussianNLLLoss()(one, 3 * one, 4 * one)
    tensor(1.1931)
    """

    def __init__(
        self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
    ) -> None:
        super().__init__(None, None, reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(
            input, target, var, self.full, self.eps, self.reduction
        )


# --- Yes and no -----------------------------------------------------------------------


class BCELoss(_WeightedLoss):
    """The mean of -(target * log(input) + (1 - target) * log(1 - input)), for
    probabilities `input`.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.BCELoss()(plugrad.tensor([0.5]), plugrad.tensor([1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(
            input, target, self.weight, reduction=self.reduction
        )


class BCEWithLogitsLoss(_Loss):
    """The binary cross entropy of the probabilities sigmoid(input), however near to 0
    and 1 they are. `pos_weight` is the weight of yes beside no.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.tensor([0.0, -200.0])
    >>> nn.BCEWithLogitsLoss()(x, plugrad.tensor([1.0, 0.0]))
    tensor(0.3466)
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input,
            target,
            self.weight,
            pos_weight=self.pos_weight,
            reduction=self.reduction,
        )


class SoftMarginLoss(_Loss):
    """The mean of log(1 + exp(-target * input)), for targets -1 and 1.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.SoftMarginLoss()(plugrad.tensor([0.0]), plugrad.tensor([-1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class HingeEmbeddingLoss(_Loss):
    """The mean of the input where the target is 1, and of max(0, margin - input) where
    it is -1.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.HingeEmbeddingLoss()(plugrad.tensor([0.5, 0.2]), plugrad.tensor([1, -1]))
    tensor(0.6500)
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_embedding_loss(
            input, target, margin=self.margin, reduction=self.reduction
        )
