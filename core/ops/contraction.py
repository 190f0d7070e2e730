"""Sums of products, written as PyTorch writes them: `einsum("ij,jk->ik", a, b)`.

- Labels are letters or, in the form with lists, integers from 0 to 51; `...` stands for
  any number of dimensions, which broadcast.
- A label twice on one operand takes its diagonal; a label that the result lacks is
  summed.
- Operands are contracted from the left, two at a time, each time as one batch of
  matrix products. All steps are ops, so that gradients of any order follow.
"""

from __future__ import annotations

from .linalg import matmul
from .matrices import diagonal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..tensor import Tensor

    Labels = list[int]  # letters by code; -1, -2, ... the dimensions that `...` covers

__all__ = ["einsum"]


def einsum(*args: Any) -> Tensor:
    """Sums of products of the operands' elements, by the labels of their dimensions.

    >>> import plugrad
    >>> a = plugrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> plugrad.einsum("ij->j", a)
    tensor([4., 6.])
    >>> plugrad.einsum("ij,kj->ik", a, a)
    tensor([[ 5., 11.],
            [11., 25.]])
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or "
            "at least one operand and its subscripts list"
        )
    if isinstance(args[0], str):
        operands = args[1:]
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = tuple(operands[0])
        inputs, output = from_string(args[0])
    else:
        operands, inputs, output = from_lists(args)
    if len(inputs) != len(operands):
        raise RuntimeError(
            f"einsum(): {len(inputs)} operands are named, {len(operands)} were given"
        )
    labels = [numbered(each, t.ndim) for each, t in zip(inputs, operands)]
    result = result_labels(labels, output)
    return contracted(list(operands), labels, result)


# --- Reading the labels -----------------------------------------------------------


def from_string(equation: str) -> tuple[list[Any], Any]:
    """The labels of each operand and of the result (None if not given)."""
    if equation not in READ:
        if len(READ) > 500:
            READ.clear()
        READ[equation] = read(equation)
    return READ[equation]


READ: dict[str, tuple[list[Any], Any]] = {}  # programs use few equations, often


def read(equation: str) -> tuple[list[Any], Any]:
    """`from_string` for an equation not seen before."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    inputs = [parsed(each) for each in left.split(",")]
    return inputs, parsed(right) if arrow else None


def parsed(text: str) -> list[Any]:
    """The labels of one operand; Ellipsis for `...`."""
    before, dots, after = text.partition("...")
    found: list[Any] = []
    for c in before + after:
        if not ("a" <= c <= "z" or "A" <= c <= "Z"):
            raise RuntimeError(
                f"einsum(): invalid subscript given: {c!r}, subscripts must be in "
                "[a-zA-Z]"
            )
    found += [ord(c) for c in before]
    found += [Ellipsis] if dots else []
    return found + [ord(c) for c in after]


def from_lists(args: Sequence[Any]) -> tuple[list[Any], list[Any], Any]:
    """Operands, their labels and the result's, from `a, [0, 1], b, [1, 2], [0, 2]`."""
    operands = list(args[0 : len(args) - 1 : 2])
    inputs = [letters(each) for each in args[1::2]]
    output = letters(args[-1]) if len(args) % 2 else None
    return operands, inputs, output


def letters(subscripts: Sequence[Any]) -> list[Any]:
    """Numbers from 0 to 51 as the codes of letters, which sort alike."""
    for i in subscripts:
        if i is not Ellipsis and not 0 <= i < 52:
            raise ValueError(
                f"einsum(): subscript {i} is not within the valid range [0, 52)"
            )
    return [i if i is Ellipsis else i + (65 if i < 26 else 71) for i in subscripts]


def numbered(labels: list[Any], ndim: int) -> Labels:
    """Labels, one for each dimension: those under `...` are -n, ..., -1."""
    named = [each for each in labels if each is not Ellipsis]
    hidden = ndim - len(named)
    if len(labels) - len(named) > 1 or hidden < 0 or (hidden and named == labels):
        raise RuntimeError(
            "einsum(): the number of subscripts in the equation "
            f"({len(named)}) does not match the number of dimensions ({ndim}) of the "
            "operand, or '...' is given twice"
        )
    found: Labels = []
    for each in labels:
        found += range(-hidden, 0) if each is Ellipsis else [each]
    return found


def result_labels(inputs: list[Labels], output: Any) -> Labels:
    """The result's labels; by default `...`, then those that appear once, in order."""
    every = [each for labels in inputs for each in labels]
    hidden = list(range(min([0, *every]), 0))
    if output is None:
        once = {each for each in every if each >= 0 and every.count(each) == 1}
        return hidden + sorted(once)
    found: Labels = []
    for each in output:
        found += hidden if each is Ellipsis else [each]
    for each in found:
        if found.count(each) > 1:
            raise RuntimeError(
                f"einsum(): output subscript {chr(each)} appears more than once"
            )
        if each not in every:
            raise RuntimeError(
                f"einsum(): output subscript {chr(each)} does not appear in the "
                "equation for any input operand"
            )
    return found


# --- Contracting ------------------------------------------------------------------


def contracted(operands: list[Tensor], labels: list[Labels], result: Labels) -> Tensor:
    """The operands contracted from the left, two at a time."""
    sizes: dict[int, int] = {}
    for i, (x, own) in enumerate(zip(operands, labels)):
        operands[i], labels[i] = x, own = without_repeats(x, own)
        for each, n in zip(own, x.shape):
            if sizes.setdefault(each, n) in (1, n):
                sizes[each] = n
            elif n != 1:
                raise RuntimeError(
                    f"einsum(): subscript {chr(each) if each >= 0 else '...'} has size "
                    f"{n} for operand {i} which does not broadcast with previously "
                    f"seen size {sizes[each]}"
                )
    x, own = operands[0], labels[0]
    for i in range(1, len(operands)):
        needed = {*result, *(each for later in labels[i + 1 :] for each in later)}
        x, own = pair(x, own, operands[i], labels[i], needed, sizes)
    x, own = summed(x, own, set(result))
    if own != result:
        x = x.permute([own.index(each) for each in result])
    return x


def without_repeats(x: Tensor, labels: Labels) -> tuple[Tensor, Labels]:
    """The diagonal over each label that stands twice."""
    labels = list(labels)
    i = 0
    while i < len(labels):
        if labels[i] in labels[:i]:
            first = labels.index(labels[i])
            if x.shape[first] != x.shape[i]:
                raise RuntimeError(
                    f"einsum(): subscript {chr(labels[i])} is repeated for one operand "
                    f"but the sizes don't match, {x.shape[i]} != {x.shape[first]}"
                )
            x = diagonal(x, 0, first, i)
            labels = [
                *labels[:first],
                *labels[first + 1 : i],
                *labels[i + 1 :],
                labels[i],
            ]
            i = 0
        else:
            i += 1
    return x, labels


def summed(x: Tensor, labels: Labels, needed: set[int]) -> tuple[Tensor, Labels]:
    """The sum over the labels that nothing needs any more."""
    gone = [i for i, each in enumerate(labels) if each not in needed]
    if gone:
        x = x.sum(tuple(gone))
        labels = [each for each in labels if each in needed]
    return x, labels


def pair(
    a: Tensor,
    in_a: Labels,
    b: Tensor,
    in_b: Labels,
    needed: set[int],
    sizes: dict[int, int],
) -> tuple[Tensor, Labels]:
    """The product of two operands, summed over what only they have."""
    a, in_a = narrowed(a, in_a, in_b, sizes)
    b, in_b = narrowed(b, in_b, in_a, sizes)
    a, in_a = summed(a, in_a, needed | set(in_b))
    b, in_b = summed(b, in_b, needed | set(in_a))
    both = [each for each in in_a if each in in_b]
    batch = [each for each in both if each in needed]
    inner = [each for each in both if each not in needed]
    left = [each for each in in_a if each not in in_b]
    right = [each for each in in_b if each not in in_a]
    found = batch + left + right
    if not inner:  # nothing is summed: a product of elements is cheaper
        a = arranged(a, in_a, batch + left).reshape(
            *sized(batch, a, in_a), *sized(left, a, in_a), *[1] * len(right)
        )
        b = arranged(b, in_b, batch + right).reshape(
            *sized(batch, b, in_b), *[1] * len(left), *sized(right, b, in_b)
        )
        return a * b, found
    a_sizes = [sized(each, a, in_a) for each in (batch, left, inner)]
    right_sizes = sized(right, b, in_b)
    a = arranged(a, in_a, batch + left + inner)
    b = arranged(b, in_b, batch + inner + right)
    if len(left) == len(inner) == len(right) == 1:
        return matmul(a, b), found
    n, rows, k = (product(each) for each in a_sizes)
    columns = product(right_sizes)
    if batch:
        y = matmul(a.reshape(n, rows, k), b.reshape(n, k, columns))
    else:
        y = matmul(a.reshape(rows, k), b.reshape(k, columns))
    return y.reshape(a_sizes[0] + a_sizes[1] + right_sizes), found


def narrowed(
    x: Tensor, own: Labels, other: Labels, sizes: dict[int, int]
) -> tuple[Tensor, Labels]:
    """Without the dimensions of size 1 that the other operand has in full."""
    gone = [
        i
        for i, (each, n) in enumerate(zip(own, x.shape))
        if n == 1 and sizes[each] != 1 and each in other
    ]
    if gone:
        x = x.squeeze(tuple(gone))
        own = [each for i, each in enumerate(own) if i not in gone]
    return x, own


def arranged(x: Tensor, own: Labels, wanted: Labels) -> Tensor:
    """The dimensions in the order of `wanted`."""
    return x if own == wanted else x.permute([own.index(each) for each in wanted])


def sized(labels: Labels, x: Tensor, own: Labels) -> list[int]:
    """The sizes of some labels."""
    return [x.shape[own.index(each)] for each in labels]


def product(sizes: list[int]) -> int:
    """The product of sizes."""
    n = 1
    for each in sizes:
        n *= each
    return n
