"""Attention beside torch's: the function, and the layer with several heads."""

from __future__ import annotations

import itertools
import tracemalloc
import warnings

import numpy as np
import pytest
import torch

import plugrad
from plugrad.nn.attention import SDPBackend, sdpa_kernel
from plugrad.testing import TOLERANCES
from tests.against_torch.nn.layers import Layer, array, check, differences

# --- scaled_dot_product_attention -----------------------------------------------------

# query, key and value; and masks that go with them
SHAPES = [
    ((2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 7), [(4, 6), (2, 1, 4, 6), (2, 1, 1, 6)]),
    ((3, 4, 5), (3, 4, 5), (3, 4, 5), [(4, 4), (3, 4, 4), (3, 1, 4)]),
    ((4, 5), (2, 5), (2, 3), [(4, 2), (1, 2)]),
    ((2, 1, 4, 5), (1, 3, 6, 5), (1, 1, 6, 2), [(2, 3, 4, 6)]),
    ((0, 2, 4, 5), (0, 2, 4, 5), (0, 2, 4, 5), []),
    ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 1), [(1, 1)]),
    # more than one block: of matrices, of rows, of either under a causal mask
    ((2, 2, 300, 4), (2, 2, 300, 4), (2, 2, 300, 4), [(300, 300)]),
    ((700, 4), (300, 4), (300, 2), [(1, 300)]),
    ((50, 4, 40, 2), (50, 4, 40, 2), (50, 4, 40, 2), [(50, 1, 1, 40)]),
]
CALLS = [
    *[(*shapes, None, {}) for *shapes, _ in SHAPES],
    *[(*shapes, None, {"is_causal": True}) for *shapes, _ in SHAPES],
    *[(*shapes, None, {"scale": 0.3}) for *shapes, _ in SHAPES[:2]],
    *[
        (*shapes, (mask, kind), {})
        for *shapes, masks in SHAPES
        for mask in masks
        for kind in ("bool", "float", "leaf")
    ],
    *[
        ((2, 6, 3, 4), (2, n, 5, 4), (2, n, 5, 4), mask, {"enable_gqa": True})
        for n in (1, 2, 6)
        for mask in (None, ((3, 5), "bool"))
    ],
]


def attended(library, q, k, v, mask, options, dtype):
    """The output of a call and its gradients."""
    rng = np.random.default_rng(0)
    dtype = getattr(library, dtype)

    def make(shape):
        return library.tensor(rng.standard_normal(shape)).to(dtype).requires_grad_()

    leaves = [make(shape) for shape in (q, k, v)]
    if mask is not None:
        shape, kind = mask
        mask = make(shape)
        if kind == "bool":
            mask = mask > -0.5
        elif kind == "float":
            mask = mask.detach()
        else:
            leaves.append(mask)
    f = library.nn.functional.scaled_dot_product_attention
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = f(*leaves[:3], attn_mask=mask, **options)
    (y * y).sum().backward()
    return {"output": y} | {f"gradient {i}": x.grad for i, x in enumerate(leaves)}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_function(call, dtype):
    ours, theirs = (attended(t, *call, dtype) for t in (plugrad, torch))
    assert not (wrong := differences(ours, theirs, 2.0)), wrong


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_16_bits(dtype):
    ours, theirs = (
        attended(t, *CALLS[0][:3], None, {}, dtype) for t in (plugrad, torch)
    )
    rtol, atol = TOLERANCES[dtype]
    for key in ours:
        assert ours[key].dtype.name == dtype
        a, b = (array(each[key].detach().float()) for each in (ours, theirs))
        assert np.allclose(a, b, 4 * rtol, 4 * atol + rtol), key


@pytest.mark.parametrize("kind", ["bool", "float"])
def test_rows_that_see_nothing(kind):
    """Their results and gradients are zeros."""

    def result(library):
        x = library.arange(6.0).reshape(3, 2).requires_grad_()
        mask = library.tensor([[True, False, True], [False] * 3, [True] * 3])
        if kind == "float":
            mask = library.zeros(3, 3).masked_fill(~mask, -float("inf"))
        y = library.nn.functional.scaled_dot_product_attention(x, x, x, mask)
        (y * y).sum().backward()
        return {"output": y, "gradient": x.grad}

    ours = result(plugrad)
    assert not differences(ours, result(torch), 1.0)
    assert (ours["output"][1] == 0).all()


def test_second_derivatives_where_rows_see_nothing():
    rng = np.random.default_rng(0)
    x = [plugrad.tensor(rng.standard_normal((3, 2))).requires_grad_() for _ in range(3)]
    mask = plugrad.tensor([[True, False, True], [False] * 3, [True] * 3])

    def f(*x):
        return plugrad.nn.functional.scaled_dot_product_attention(*x, mask)

    assert plugrad.autograd.gradcheck(f, x)
    assert plugrad.autograd.gradgradcheck(f, x)


def test_dropout():
    """About half of the weights are zero, and the others twice as large."""
    x = plugrad.zeros(1, 100, 1)
    values = plugrad.eye(100).unsqueeze(0)
    f = plugrad.nn.functional.scaled_dot_product_attention
    for options in ({}, {"is_causal": True}, {"attn_mask": plugrad.ones(100) > 0}):
        exact = f(x, x, values, **options)
        y = f(x, x, values, dropout_p=0.5, **options)
        kept = (y != 0).sum().item() / (exact != 0).sum().item()
        assert 0.4 < kept < 0.6
        found = y[y != 0]
        plugrad.testing.assert_close(found, exact.expand_as(y)[y != 0] * 2)


def test_memory_grows_with_the_length():
    """Not with its square: 2000 x 2000 scores of two heads would take 32 MB."""
    x = plugrad.ones(1, 2, 2000, 4, requires_grad=True)
    f = plugrad.nn.functional.scaled_dot_product_attention
    f(x, x, x).sum().backward()
    tracemalloc.start()
    try:
        f(x, x, x).sum().backward()
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()


def zeros(t, *shapes, **options):
    return [t.zeros(shape, **options) for shape in shapes]


WRONG = [
    lambda t, f: f(*zeros(t, (2, 3), (2, 4), (2, 4))),
    lambda t, f: f(*zeros(t, (2, 3), (2, 3), (4, 3))),
    lambda t, f: f(*zeros(t, (3,), (3,), (3,))),
    lambda t, f: f(*zeros(t, (2, 3), (2, 3)), t.zeros(2, 3, dtype=t.float64)),
    lambda t, f: f(*zeros(t, (2, 3), (2, 3), (2, 3)), t.zeros(2, 2), is_causal=True),
    lambda t, f: f(*zeros(t, (2, 3), (2, 3), (2, 3)), t.zeros(2, 2, dtype=t.int64)),
    lambda t, f: f(*zeros(t, (2, 3), (2, 3), (2, 3)), t.zeros(2, 2, dtype=t.float64)),
    lambda t, f: f(*zeros(t, (2, 3), (2, 3), (2, 3)), t.zeros(4, 5)),
    lambda t, f: f(*zeros(t, (2, 2, 3), (3, 2, 3), (2, 2, 3))),
    lambda t, f: f(
        *zeros(t, (1, 3, 2, 3), (1, 2, 2, 3), (1, 2, 2, 3)), enable_gqa=True
    ),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_errors(number):
    for library in (torch, plugrad):
        with pytest.raises(RuntimeError):
            f = library.nn.functional.scaled_dot_product_attention
            WRONG[number](library, f)


def test_choosing_a_backend():
    x = plugrad.rand(1, 2, 3, 4)
    f = plugrad.nn.functional.scaled_dot_product_attention
    for choice in (SDPBackend.MATH, [SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]):
        with sdpa_kernel(choice, set_priority=True):
            assert (f(x, x, x) == f(x, x, x)).all()
    for wrong in ("MATH", [1]):
        with pytest.raises(AssertionError), sdpa_kernel(wrong):
            pass
    names = {n for n in dir(torch.nn.attention.SDPBackend) if n.isupper()}
    assert {each.name for each in SDPBackend} == names
    for each in SDPBackend:
        assert int(each) == int(getattr(torch.nn.attention.SDPBackend, each.name))


# --- MultiheadAttention ---------------------------------------------------------------


def masks(*shape):
    """A mask of booleans, under which each query sees the first key."""
    mask = np.random.default_rng(3).random(shape) > 0.6
    mask[..., 0] = False
    return mask


def numbers(*shape):
    return np.random.default_rng(4).standard_normal(shape)


SELF = [(4, 2, 6)] * 3  # steps, batch, size
CROSS = [(4, 2, 6), (5, 2, 6), (5, 2, 6)]
OTHER = [(4, 2, 6), (5, 2, 3), (5, 2, 5)]
MHA = "MultiheadAttention"


def layers():
    yield Layer(MHA, (6, 2), {}, SELF)
    yield Layer(MHA, (6, 3), {"bias": False}, CROSS)
    yield Layer(MHA, (6, 1), {"batch_first": True}, [(2, 4, 6)] * 3)
    yield Layer(MHA, (6, 2), {"kdim": 3, "vdim": 5}, OTHER)
    yield Layer(MHA, (6, 2), {"kdim": 3, "vdim": 5, "bias": False}, OTHER)
    yield Layer(MHA, (6, 2), {"dropout": 0.5}, SELF, random=True)
    yield Layer(MHA, (6, 2, 1.0), {}, SELF)
    yield Layer(MHA, (6, 2), {"dtype": plugrad.float64}, SELF)
    yield Layer(MHA, (6, 2), {}, [(4, 6)] * 3)
    yield Layer(MHA, (6, 2), {"batch_first": True}, [(4, 6), (5, 6), (5, 6)])
    for bias_kv, zero in ((True, False), (False, True), (True, True)):
        options = {"add_bias_kv": bias_kv, "add_zero_attn": zero}
        yield Layer(MHA, (6, 2), options, CROSS)
        call = {"attn_mask": masks(4, 5), "key_padding_mask": masks(2, 5)}
        yield Layer(MHA, (6, 2), options, CROSS, call, higher=False)
        call = {**call, "need_weights": False}
        yield Layer(MHA, (6, 2), options, CROSS, call, higher=False)
    for need, average in ((True, False), (False, True)):
        call = {"need_weights": need, "average_attn_weights": average}
        yield Layer(MHA, (6, 2), {}, CROSS, call)
        yield Layer(MHA, (6, 2), {}, [(4, 6), (5, 6), (5, 6)], call)
    every = [masks(4, 5), numbers(4, 5), masks(4, 4, 5), numbers(4, 4, 5)]
    paddings = [None, masks(2, 5), numbers(2, 5)]
    for need, mask, padding in itertools.product((True, False), every, paddings):
        call = {"attn_mask": mask, "need_weights": need, "key_padding_mask": padding}
        yield Layer(MHA, (6, 2), {}, CROSS, call, higher=False)
    for padding in paddings[1:]:
        yield Layer(MHA, (6, 2), {}, CROSS, {"key_padding_mask": padding})
    one = {"attn_mask": masks(2, 4, 5), "key_padding_mask": masks(5)}
    yield Layer(MHA, (6, 2), {}, [(4, 6), (5, 6), (5, 6)], one)
    later = np.triu(np.ones((4, 4), bool), 1)
    for need in (True, False):
        call = {"attn_mask": later, "is_causal": True, "need_weights": need}
        yield Layer(MHA, (6, 2), {}, SELF, call)
        call = {**call, "key_padding_mask": masks(2, 4)}
        yield Layer(MHA, (6, 2), {}, SELF, call)


@pytest.mark.filterwarnings("ignore:Support for mismatched")
@pytest.mark.parametrize("layer", [*layers()], ids=str)
def test_layer(layer):
    check(layer)


@pytest.mark.parametrize("same", ["all", "key and value", "none"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_inputs_that_are_one_tensor(same, batch_first):
    """Their projections are computed together."""
    reference = torch.nn.MultiheadAttention(6, 2, batch_first=batch_first).double()
    state = {k: v.numpy() for k, v in reference.state_dict().items()}

    def result(library):
        layer = reference
        if library is plugrad:
            layer = plugrad.nn.MultiheadAttention(6, 2, batch_first=batch_first)
            layer.double().load_state_dict(state)
        rng = np.random.default_rng(0)
        x = [library.tensor(rng.standard_normal((3, 2, 6))) for _ in range(3)]
        x = [each.requires_grad_() for each in x]
        given = {"all": (0, 0, 0), "key and value": (0, 1, 1), "none": (0, 1, 2)}[same]
        y, weights = layer(*(x[i] for i in given))
        (y * y).sum().backward()
        found = {"output": y, "weights": weights}
        for name, p in layer.named_parameters():
            found[name] = p.grad
        return found | {f"gradient {i}": x[i].grad for i in given}

    assert not (wrong := differences(result(plugrad), result(torch), 1.0)), wrong


def forward(t, *args, **kwargs):
    size = kwargs.pop("size", (6, 2))
    return t.nn.MultiheadAttention(*size)(*args, **kwargs)


WRONG_LAYERS = [
    lambda t: t.nn.MultiheadAttention(0, 1),
    lambda t: t.nn.MultiheadAttention(6, 0),
    lambda t: t.nn.MultiheadAttention(6, 4),
    lambda t: forward(t, *zeros(t, (6,), (6,), (6,))),
    lambda t: forward(t, *zeros(t, (4, 2, 6), (5, 6), (5, 6))),
    lambda t: forward(t, *zeros(t, (4, 6), (5, 2, 6), (5, 2, 6))),
    lambda t: forward(t, *zeros(t, (4, 2, 6), (5, 2, 6), (4, 2, 6))),
    lambda t: forward(t, *zeros(t, (4, 2, 4), (4, 2, 4), (4, 2, 4))),
    lambda t: forward(t, *zeros(t, *SELF), attn_mask=t.zeros(3, 4)),
    lambda t: forward(t, *zeros(t, *SELF), attn_mask=t.zeros(3, 4, 4)),
    lambda t: forward(t, *zeros(t, *SELF), attn_mask=t.zeros(4)),
    lambda t: forward(t, *zeros(t, *SELF), attn_mask=t.zeros(4, 4, dtype=t.int64)),
    lambda t: forward(t, *zeros(t, *SELF), key_padding_mask=t.zeros(2, 3)),
    lambda t: forward(t, *zeros(t, *SELF), key_padding_mask=t.zeros(4)),
    lambda t: forward(t, *zeros(t, *SELF), is_causal=True),
    lambda t: forward(t, *zeros(t, *[(4, 6)] * 3), attn_mask=t.zeros(3, 4, 4)),
    lambda t: forward(t, *zeros(t, *[(4, 6)] * 3), key_padding_mask=t.zeros(1, 4)),
]


@pytest.mark.parametrize("number", range(len(WRONG_LAYERS)))
def test_errors_of_the_layer(number):
    found = []
    for library in (plugrad, torch):
        try:
            WRONG_LAYERS[number](library)
            found.append(None)
        except Exception as error:
            found.append(type(error))
    assert found[0] is found[1] and found[0] is not None


def test_masks_of_two_kinds_warn():
    x = plugrad.zeros(4, 2, 6)
    layer = plugrad.nn.MultiheadAttention(6, 2)
    with pytest.warns(UserWarning, match="mismatched key_padding_mask and attn_mask"):
        layer(
            x,
            x,
            x,
            attn_mask=plugrad.zeros(4, 4),
            key_padding_mask=plugrad.zeros(2, 4, dtype=plugrad.bool),
        )


def test_first_values():
    layer = plugrad.nn.MultiheadAttention(40, 2, add_bias_kv=True)
    bound = (6 / (40 + 120)) ** 0.5
    weight = abs(layer.in_proj_weight.detach().numpy())
    assert weight.max() <= bound < weight.max() * 1.02
    assert not layer.in_proj_bias.any() and not layer.out_proj.bias.any()
    assert 0.1 < layer.bias_k.std().item() < 0.4  # sqrt(2 / 80) is 0.16


def test_static_keys_and_values():
    def result(library):
        rng = np.random.default_rng(0)

        def make(*shape):
            return library.tensor(rng.standard_normal(shape))

        x, w_in, w_out = make(4, 2, 6), make(18, 6), make(6, 6)
        rest = None, None, None, False, 0.0, w_out, None
        y, weights = library.nn.functional.multi_head_attention_forward(
            x, x, x, 6, 2, w_in, *rest, static_k=make(4, 5, 3), static_v=make(4, 5, 3)
        )
        return {"output": y, "weights": weights}

    assert not (wrong := differences(result(plugrad), result(torch), 1.0)), wrong
