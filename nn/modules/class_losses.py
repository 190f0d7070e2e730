"""Losses of scores for classes, and of sequences of them."""

from __future__ import annotations

from typing import Any

from plugrad import Tensor

from .. import functional as F
from .losses import _Loss, _WeightedLoss

__all__ = [
    "CTCLoss",
    "CrossEntropyLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "NLLLoss2d",
]


class NLLLoss(_WeightedLoss):
    """The negative of what the input, log-probabilities, has at each target class.

    >>> import plugrad
    >>> from plugrad import nn
    >>> logp = plugrad.log_softmax(plugrad.tensor([[2.0, 0.0]]), 1)
    >>> nn.NLLLoss()(logp, plugrad.tensor([0]))
    tensor(0.1269)
    """

    ignore_index: int

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class NLLLoss2d(NLLLoss):
    """`NLLLoss`, by PyTorch's old name for images.

    >>> import plugrad
    >>> from plugrad import nn
    >>> logp = plugrad.zeros(1, 2, 1, 1).log_softmax(1)
    >>> nn.NLLLoss2d()(logp, plugrad.tensor([[[0]]]))
    tensor(0.6931)
    """


class CrossEntropyLoss(_WeightedLoss):
    """-log(softmax(input)) at the target: class indices, or probabilities of classes.

    >>> import plugrad
    >>> from plugrad import nn
    >>> loss = nn.CrossEntropyLoss()
    >>> loss(plugrad.tensor([[2.0, 0.0], [0.0, 2.0]]), plugrad.tensor([0, 1]))
    tensor(0.1269)
    """

    ignore_index: int
    label_smoothing: float

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class MultiMarginLoss(_WeightedLoss):
    """The mean, over the other classes, of how far each score comes closer than
    `margin` to that of the target class, to the power `p`, 1 or 2.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.MultiMarginLoss()(plugrad.tensor([[1.0, 0.5, 2.0]]), plugrad.tensor([0]))
    tensor(0.8333)
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError(f"only p == 1 and p == 2 supported, not {p}")
        if weight is not None and weight.ndim != 1:
            raise ValueError(
                f"MultiMarginLoss: expected weight to be None or 1D tensor, got "
                f"{weight.ndim}D instead"
            )
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(
            input,
            target,
            p=self.p,
            margin=self.margin,
            weight=self.weight,
            reduction=self.reduction,
        )


class MultiLabelMarginLoss(_Loss):
    """How far the scores of other classes come closer than 1 to those of the target's
    classes. A row of the target names its classes, up to the first -1.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.tensor([[0.1, 0.2, 0.4, 0.8]])
    >>> nn.MultiLabelMarginLoss()(x, plugrad.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """The cross entropy of each class being there or not, averaged over classes.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.MultiLabelSoftMarginLoss()(plugrad.zeros(1, 3), plugrad.ones(1, 3))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(
            input, target, self.weight, reduction=self.reduction
        )


class CTCLoss(_Loss):
    """Minus the logarithm of the probability that a sequence reads as its target, once
    repeats and then blanks are taken away.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.zeros(4, 1, 3).log_softmax(2)
    >>> nn.CTCLoss()(x, plugrad.tensor([[1, 2]]), (4,), (2,))
    tensor(0.8432)
    """

    blank: int
    zero_infinity: bool

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self,
        log_probs: Tensor,
        targets: Tensor,
        input_lengths: Any,
        target_lengths: Any,
    ) -> Tensor:
        return F.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )
