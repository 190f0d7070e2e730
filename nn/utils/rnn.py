"""Sequences of different lengths in one batch: padded to one length, or packed.

Packed, the elements of all sequences at the first step come first, then those at the
second step, and so on. The longest sequence comes first in each step, so that those of
a step are the first ones of the step before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import plugrad
from plugrad import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence_(NamedTuple):
    """The fields of a PackedSequence."""

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(PackedSequence_):
    """Sequences of different lengths, step by step: what `pack_sequence` makes.

    `data` has all elements, `batch_sizes` the number of sequences that have a step,
    `sorted_indices` the order from the longest to the shortest sequence, if they did
    not come in it, and `unsorted_indices` the way back.

    >>> import plugrad
    >>> from plugrad.nn.utils.rnn import pack_sequence
    >>> packed = pack_sequence([plugrad.tensor([1, 2, 3]), plugrad.tensor([4, 5])])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 2, 5, 3]), tensor([2, 2, 1]))
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError(
                    "a PackedSequence without batch_sizes takes a pair (data, "
                    f"batch_sizes), not {type(data).__name__}"
                )
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU, but are on "
                f"{batch_sizes.device}; pack_sequence and pack_padded_sequence make "
                "PackedSequences as they should be"
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(
            cls,
            data,
            batch_sizes,  # type: ignore[arg-type]
            sorted_indices,
            unsorted_indices,
        )

    def with_data(self, data: Tensor) -> PackedSequence:
        """The same sequences with other data; the indices go where that is."""
        if data is self.data:
            return self
        indices = [
            each if each is None else moved(each, data)
            for each in (self.sorted_indices, self.unsorted_indices)
        ]
        return type(self)(data, self.batch_sizes, *indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Move or cast the data, as `Tensor.to` does."""
        return self.with_data(self.data.to(*args, **kwargs))

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Move to a GPU."""
        return self.with_data(self.data.cuda(*args, **kwargs))

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Move to the CPU."""
        return self.with_data(self.data.cpu(*args, **kwargs))

    def pin_memory(self) -> PackedSequence:
        """Copy to memory that devices read without a detour."""
        indices = [
            each if each is None else each.pin_memory()
            for each in (self.sorted_indices, self.unsorted_indices)
        ]
        return type(self)(self.data.pin_memory(), self.batch_sizes, *indices)

    def is_pinned(self) -> bool:
        """Whether the data is in such memory."""
        return self.data.is_pinned()

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a GPU."""
        return self.data.is_cuda

    def double(self) -> PackedSequence:
        """Cast the data to float64."""
        return self.to(plugrad.float64)

    def float(self) -> PackedSequence:
        """Cast the data to float32."""
        return self.to(plugrad.float32)

    def half(self) -> PackedSequence:
        """Cast the data to float16."""
        return self.to(plugrad.float16)

    def long(self) -> PackedSequence:
        """Cast the data to int64."""
        return self.to(plugrad.int64)

    def int(self) -> PackedSequence:
        """Cast the data to int32."""
        return self.to(plugrad.int32)

    def short(self) -> PackedSequence:
        """Cast the data to int16."""
        return self.to(plugrad.int16)

    def char(self) -> PackedSequence:
        """Cast the data to int8."""
        return self.to(plugrad.int8)

    def byte(self) -> PackedSequence:
        """Cast the data to uint8."""
        return self.to(plugrad.uint8)


def moved(indices: Tensor, data: Tensor) -> Tensor:
    """Indices where the data is."""
    if indices.backend != data.backend:
        indices = indices.to(backend=data.backend)
    return indices.to(data.device)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another one.

    >>> import plugrad
    >>> from plugrad.nn.utils.rnn import invert_permutation
    >>> invert_permutation(plugrad.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else plugrad.argsort(permutation)


# --- Packing --------------------------------------------------------------------------


def pack_padded_sequence(
    input: Tensor,
    lengths: Any,
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Take the elements that are not padding out of a padded batch.

    The batch is (steps, batch, ...), with `batch_first` (batch, steps, ...). The
    lengths have to fall, unless `enforce_sorted` is False.

    >>> import plugrad
    >>> from plugrad.nn.utils.rnn import pack_padded_sequence
    >>> x = plugrad.tensor([[1, 2], [3, 0]])
    >>> pack_padded_sequence(x, [2, 1], batch_first=True).data
    tensor([1, 3, 2])
    """
    if isinstance(lengths, Tensor):
        found = lengths.to(plugrad.int64).tolist()
    else:
        found = [int(n) for n in lengths]
    order = None
    if not enforce_sorted:
        places = sorted(range(len(found)), key=lambda i: -found[i])
        found = [found[i] for i in places]
        order = input.new_tensor(places, dtype=plugrad.int64)
        input = input.index_select(0 if batch_first else 1, order)
    if batch_first:
        input = input.transpose(0, 1)
    check_lengths(input, found)
    steps, batch = input.shape[:2]
    sizes = [sum(n > t for n in found) for t in range(found[0])]
    rows = input.reshape(steps * batch, *input.shape[2:])
    if sizes[-1] == batch:
        data = rows[: len(sizes) * batch]
    else:
        places = [t * batch + i for t, size in enumerate(sizes) for i in range(size)]
        data = rows.index_select(0, input.new_tensor(places, dtype=plugrad.int64))
    batch_sizes = plugrad.tensor(sizes, dtype=plugrad.int64, device="cpu")
    return PackedSequence(data, batch_sizes, order)


def check_lengths(x: Tensor, lengths: list[int]) -> None:
    """Raise unless sequences of these lengths can stand in `x`, (steps, batch, ...)."""
    if not x.shape.numel():
        raise RuntimeError("Cannot pack empty tensors.")
    if len(lengths) != x.shape[1]:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(lengths)}"
            f" (batch_size={x.shape[1]})"
        )
    if min(lengths) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in "
            "'lengths' that is <= 0"
        )
    if any(a < b for a, b in zip(lengths, lengths[1:])):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` "
            "is True. You can pass `enforce_sorted=False` to have the sequences sorted "
            "here"
        )
    if lengths[0] > x.shape[0]:
        raise RuntimeError(
            f"Expected lengths of at most the {x.shape[0]} steps of the input, but got "
            f"{lengths[0]}"
        )


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The padded batch of packed sequences, and their lengths.

    >>> import plugrad
    >>> from plugrad.nn.utils.rnn import pack_sequence, pad_packed_sequence
    >>> packed = pack_sequence([plugrad.tensor([1, 2]), plugrad.tensor([3])])
    >>> pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
    """
    data, batch_sizes, _, back = sequence
    sizes = batch_sizes.tolist()
    steps, batch = len(sizes), sizes[0]
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                "Expected total_length to be at least the length of the longest "
                f"sequence in input, but got total_length={total_length} and max "
                f"sequence length being {steps}"
            )
        steps = total_length
    lengths = [sum(size > i for size in sizes) for i in range(batch)]
    order = range(batch) if back is None else back.tolist()
    lengths = [lengths[i] for i in order]
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + size)
    none = data.shape[0]  # where the row of padding stands
    padding = data.new_full((1, *data.shape[1:]), padding_value)
    if batch_first:
        pairs = [(t, i) for i in order for t in range(steps)]
        shape = batch, steps
    else:
        pairs = [(t, i) for t in range(steps) for i in order]
        shape = steps, batch
    places = [
        starts[t] + i if t < len(sizes) and i < sizes[t] else none for t, i in pairs
    ]
    rows = plugrad.cat((data, padding)) if none in places else data
    rows = rows.index_select(0, data.new_tensor(places, dtype=plugrad.int64))
    found = plugrad.tensor(lengths, dtype=plugrad.int64, device="cpu")
    return rows.reshape(*shape, *data.shape[1:]), found


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> Any:
    """Pack sequences; from the longest to the shortest, unless `enforce_sorted` is
    False.

    >>> import plugrad
    >>> from plugrad.nn.utils.rnn import pack_sequence
    >>> x = [plugrad.tensor([3]), plugrad.tensor([1, 2])]
    >>> pack_sequence(x, enforce_sorted=False).sorted_indices
    tensor([1, 0])
    """
    lengths = [x.shape[0] for x in sequences]
    padded = pad_sequence(sequences)
    return pack_padded_sequence(padded, lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed.

    >>> import plugrad
    >>> from plugrad.nn.utils.rnn import pack_sequence, unpack_sequence
    >>> unpack_sequence(pack_sequence([plugrad.tensor([1, 2]), plugrad.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


# --- Padding --------------------------------------------------------------------------


def pad_sequence(
    sequences: Any,
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences (steps, ...) as one batch, with padding up to the longest.

    >>> import plugrad
    >>> from plugrad.nn.utils.rnn import pad_sequence
    >>> x = [plugrad.tensor([1, 2]), plugrad.tensor([3])]
    >>> pad_sequence(x, batch_first=True, padding_side="left")
    tensor([[1, 2],
            [0, 3]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    found = list(sequences)
    if not found:
        raise RuntimeError("received an empty list of sequences")
    longest = max(x.shape[0] for x in found)
    rows = []
    for x in found:
        missing = longest - x.shape[0]
        if missing:
            padding = found[0].new_full((missing, *found[0].shape[1:]), padding_value)
            x = plugrad.cat((x, padding) if padding_side == "right" else (padding, x))
        rows.append(x)
    return plugrad.stack(rows, 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """The sequences of a padded batch, each of its own length.

    >>> import plugrad
    >>> from plugrad.nn.utils.rnn import unpad_sequence
    >>> x = plugrad.tensor([[1, 2], [3, 0]])
    >>> unpad_sequence(x, plugrad.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [x[:n] for x, n in zip(padded_sequences, lengths.tolist(), strict=True)]
