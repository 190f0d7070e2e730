"""Softmax over very many classes, the rare ones in clusters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import plugrad
from plugrad import Tensor

from .containers import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class ASMoutput(NamedTuple):
    """The log-probability of each target, and the loss."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """The loss of a softmax over `n_classes`, sorted from frequent to rare ones.

    The head has the classes below the first of the `cutoffs`, and one entry for each
    cluster between two cutoffs. Cluster i sees its inputs through a projection to
    in_features / div_value ** (i + 1) features, so that rare classes cost little.

    >>> import plugrad
    >>> from plugrad import nn
    >>> layer = nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[5, 10])
    >>> output, loss = layer(plugrad.zeros(3, 8), plugrad.tensor([0, 7, 19]))
    >>> output.shape, loss.shape
    (plugrad.Size([3]), plugrad.Size([]))
    >>> layer.log_prob(plugrad.zeros(3, 8)).shape
    plugrad.Size([3, 20])
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (
            cutoffs != sorted(set(cutoffs))
            or cutoffs[0] <= 0
            or cutoffs[-1] > n_classes - 1
            or any(int(each) != each for each in cutoffs)
        ):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in "
                "an increasing order, where each value is between 1 and n_classes-1 = "
                f"{n_classes - 1}, but is {cutoffs}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        made = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, head_bias, **made)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            n = int(in_features // div_value ** (i + 1))
            into = Linear(in_features, n, False, **made)
            self.tail.append(Sequential(into, Linear(n, high - low, False, **made)))

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        self.head.reset_parameters()
        for into, out in self.tail:  # type: ignore[misc]
            into.reset_parameters()
            out.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> ASMoutput:
        check_inputs(input_, target_)
        input, target = input_, target_
        if not target_.ndim:
            input, target = input_[None], target_[None]
        self.check_classes(target)
        # what of the head each target needs: its own entry, or that of its cluster
        entry = target
        output = input.new_zeros(len(target))
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            rows = ((target >= low) & (target < high)).nonzero()[:, 0]
            if not len(rows):
                continue
            logp = plugrad.log_softmax(self.tail[i](input[rows]), 1)
            own = logp.gather(1, (target[rows] - low)[:, None])[:, 0]
            output = output.index_copy(0, rows, own.to(output.dtype))
            entry = entry.index_fill(0, rows, self.shortlist_size + i)
        head = plugrad.log_softmax(self.head(input), 1)
        output = output + head.gather(1, entry[:, None])[:, 0]
        loss = -output.mean()
        return ASMoutput(output if target_.ndim else output[0], loss)

    def check_classes(self, target: Tensor) -> None:
        """Raise unless all targets are classes."""
        if len(target) and bool(((target < 0) | (target >= self.n_classes)).any()):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in "
                f"range [{target.min().item()}, {target.max().item()}] were found. "
            )

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes: (N, n_classes)."""
        head = plugrad.log_softmax(self.head(input), 1)
        n = self.shortlist_size
        found = [head[:, :n]]
        for i, cluster in enumerate(self.tail):
            logp = plugrad.log_softmax(cluster(input), 1)
            found.append(logp + head[:, n + i, None])
        return plugrad.cat(found, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each input; clusters are only looked into where
        the head prefers one."""
        best = self.head(input).argmax(1)
        rows = (best >= self.shortlist_size).nonzero()[:, 0]
        if not len(rows):
            return best
        return best.index_copy(0, rows, self.log_prob(input[rows]).argmax(1))


def check_inputs(input: Tensor, target: Tensor) -> None:
    """Raise unless there is one target for each row, or one for one."""
    if target.ndim > 1:
        raise RuntimeError(
            "0D or 1D target tensor expected, multi-target not supported"
        )
    if input.ndim != target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, "
            f"but found inputs with size {list(input.shape)}"
        )
    if target.ndim and len(input) != len(target):
        raise RuntimeError(
            "Input and target should have the same size in the batch dimension, not "
            f"{len(input)} and {len(target)}"
        )
