"""Sequences of different lengths beside torch's: packing, padding, and recurrent layers
that take them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.nn.layers import differences, find, flat

LENGTHS = ((4, 2, 1), (3, 3, 3), (1,), (2, 4, 1), (1, 3, 3, 5))


def ordered(lengths):
    return list(lengths) == sorted(lengths, reverse=True)


def sequences(library, lengths, *shape, kind="float64"):
    rng = np.random.default_rng(0)
    found = [rng.standard_normal((n, *shape)) * 10 for n in lengths]
    return [library.tensor(x.astype(kind)) for x in found]


def leaves(library, lengths, *shape):
    return [x.requires_grad_() for x in sequences(library, lengths, *shape)]


def compare(result):
    """Compare what a function of the library gives, and the gradients of what it used:
    it returns both."""
    found = []
    for library in (plugrad, torch):
        outputs, used = result(library)
        outputs = flat(outputs)
        roots = [y for y in outputs if y is not None and y.requires_grad]
        if roots:
            sum((y * y).sum() for y in roots).backward()
        named = {f"output {i}": y for i, y in enumerate(outputs)}
        found.append(named | {f"gradient {i}": x.grad for i, x in enumerate(used)})
    assert not (wrong := differences(*found, 1.0)), wrong


# --- Packing and padding --------------------------------------------------------------


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("shape", [(), (2,), (2, 3)], ids=str)
def test_pack_and_pad(lengths, shape, batch_first):
    def result(library):
        rnn = library.nn.utils.rnn
        used = leaves(library, lengths, *shape)
        padded = rnn.pad_sequence(used, batch_first, padding_value=7.0)
        packed = rnn.pack_padded_sequence(
            padded, library.tensor(lengths), batch_first, ordered(lengths)
        )
        again = rnn.pad_packed_sequence(packed, batch_first, 3.0, max(lengths) + 1)
        plain = rnn.pad_packed_sequence(packed)
        return [padded, list(packed), list(again), list(plain)], used

    compare(result)


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_pack_sequence_and_back(lengths):
    def result(library):
        rnn = library.nn.utils.rnn
        used = leaves(library, lengths, 2)
        packed = rnn.pack_sequence(used, enforce_sorted=ordered(lengths))
        return [list(packed), rnn.unpack_sequence(packed)], used

    compare(result)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kind", ["int64", "float32", "bool"])
def test_pad_sequence(side, kind):
    def result(library):
        found = sequences(library, (2, 0, 3), kind=kind)
        pad = library.nn.utils.rnn.pad_sequence
        of_rows = pad(library.ones(2, 3, dtype=library.int64))
        return [pad(found, True, 1, side), pad(iter(found)), of_rows], []

    compare(result)


def test_unpad_sequence():
    def result(library):
        rnn = library.nn.utils.rnn
        x = library.arange(24.0).reshape(4, 3, 2)
        ways = [(x.clone(), [4, 1, 2], False), (x.clone(), [1, 3, 2, 3], True)]
        return [rnn.unpad_sequence(x, library.tensor(n), b) for x, n, b in ways], []

    compare(result)


def test_lengths_cut_what_is_longer():
    def result(library):
        x = library.arange(10.0).reshape(5, 2)
        return list(library.nn.utils.rnn.pack_padded_sequence(x, [3, 2])), []

    compare(result)


def test_invert_permutation():
    def result(library):
        invert = library.nn.utils.rnn.invert_permutation
        return [invert(library.tensor([2, 0, 3, 1])), invert(None)], []

    compare(result)


# --- The packed sequence itself -------------------------------------------------------


def packed(library, **options):
    found = sequences(library, (1, 3, 2), 2, kind="float32")
    return library.nn.utils.rnn.pack_sequence(found, enforce_sorted=False, **options)


CASTS = "double float half long int short char byte cpu".split()


@pytest.mark.parametrize("name", CASTS)
def test_casts(name):
    def result(library):
        return list(getattr(packed(library), name)()), []

    compare(result)


def test_is_a_named_tuple():
    def described(library):
        x = packed(library)
        y = library.nn.utils.rnn.PackedSequence((x.data, x.batch_sizes))
        data, sizes, order, back = x
        return (
            isinstance(x, tuple),
            x._fields,
            x.to(library.float32) is x,
            x.to(library.float64) is x,
            type(x.to(library.float64)).__name__,
            x.to("cpu", library.float64).data.dtype == library.float64,
            x.is_cuda,
            x.is_pinned(),
            (y.sorted_indices, y.unsorted_indices),
            [t.tolist() for t in (sizes, order, back)],
            repr(x.batch_sizes),
        )

    assert described(plugrad) == described(torch)


def test_the_way_back_is_found():
    def result(library):
        x = packed(library)
        return list(type(x)(x.data, x.batch_sizes, x.sorted_indices)), []

    compare(result)


WRONG = [
    lambda rnn, t: rnn.pack_padded_sequence(t.zeros(3, 2), [1, 2]),
    lambda rnn, t: rnn.pack_padded_sequence(t.zeros(3, 2), [2, 0]),
    lambda rnn, t: rnn.pack_padded_sequence(t.zeros(3, 2), [2, -1]),
    lambda rnn, t: rnn.pack_padded_sequence(t.zeros(3, 2), [2]),
    lambda rnn, t: rnn.pack_padded_sequence(t.zeros(3, 2), [2, 2, 1]),
    lambda rnn, t: rnn.pack_padded_sequence(t.zeros(3, 0), []),
    lambda rnn, t: rnn.pack_sequence([t.zeros(1), t.zeros(2)]),
    lambda rnn, t: rnn.pad_packed_sequence(
        rnn.pack_sequence([t.zeros(3)]), total_length=2
    ),
    lambda rnn, t: rnn.pad_sequence([t.zeros(1)], padding_side="up"),
    lambda rnn, t: rnn.pad_sequence(3),
    lambda rnn, t: rnn.pad_sequence([]),
    lambda rnn, t: rnn.pad_sequence([t.zeros(1, 2), t.zeros(2, 3)]),
    lambda rnn, t: rnn.PackedSequence(t.zeros(3)),
    lambda rnn, t: rnn.unpad_sequence(t.zeros(2, 2), t.tensor([1]), True),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_errors(number):
    found = []
    for library in (plugrad, torch):
        try:
            WRONG[number](library.nn.utils.rnn, library)
            found.append(None)
        except Exception as error:
            found.append(type(error))
    assert found[0] is found[1] and found[0] is not None


def test_lengths_beyond_the_input():
    """PyTorch reads what lies behind the input in memory."""
    pack = plugrad.nn.utils.rnn.pack_padded_sequence
    with pytest.raises(RuntimeError, match="at most the 3 steps"):
        pack(plugrad.zeros(3, 2), [4, 2])


# --- Recurrent layers -----------------------------------------------------------------


OPTIONS = [
    {},
    {"bidirectional": True, "num_layers": 2},
    {"batch_first": True, "bias": False},
    {"proj_size": 2, "bidirectional": True},
]
CASES = [
    (name, options, lengths, given)
    for name, options, lengths, given in itertools.product(
        ("RNN", "LSTM", "GRU"), OPTIONS, LENGTHS[:4], (False, True)
    )
    if name == "LSTM" or "proj_size" not in options
]


@pytest.mark.parametrize("name, options, lengths, given", CASES, ids=str)
def test_layers(name, options, lengths, given):
    reference = find(torch.nn, name)(2, 3, **options).double()
    state = {k: v.numpy() for k, v in reference.state_dict().items()}
    count = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))

    def result(library):
        if library is torch:
            layer = reference
        else:
            layer = find(library.nn, name)(2, 3, **options).double()
            layer.load_state_dict(state)
        used = leaves(library, lengths, 2)
        rnn = library.nn.utils.rnn
        x = rnn.pack_sequence(used, enforce_sorted=ordered(lengths))
        hx = None
        if given:
            rng = np.random.default_rng(1)
            widths = (options.get("proj_size") or 3, 3)[: 1 + (name == "LSTM")]
            shapes = [(count, len(lengths), n) for n in widths]
            states = [library.tensor(rng.standard_normal(s)) for s in shapes]
            used = [*used, *(each.requires_grad_() for each in states)]
            hx = tuple(states) if name == "LSTM" else states[0]
        y, ends = layer(x, hx)
        assert type(y) is rnn.PackedSequence
        return [list(y), ends], [*used, *layer.parameters()]

    compare(result)


def test_what_is_packed_is_what_is_padded():
    """A layer gives the same for each sequence by itself."""
    layer = plugrad.nn.LSTM(2, 3, bidirectional=True).double()
    found = sequences(plugrad, (2, 4, 1), 2)
    pack = plugrad.nn.utils.rnn.pack_sequence
    y, (h, c) = layer(pack(found, enforce_sorted=False))
    parts = plugrad.nn.utils.rnn.unpack_sequence(y)
    for i, x in enumerate(found):
        one, (h1, c1) = layer(x)
        for a, b in ((parts[i], one), (h[:, i], h1), (c[:, i], c1)):
            plugrad.testing.assert_close(a, b)
