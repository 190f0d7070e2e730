"""A tensor's printed form is PyTorch's, byte for byte.

The printer is driven with torch's own tensors behind the interface that it needs, so
that a difference is always the printer's.
"""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plugrad import dtypes, printing

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
SIGNED = [torch.int8, torch.int16, torch.int32, torch.int64]
UNSIGNED = [torch.uint8, torch.uint16, torch.uint32, torch.uint64]
COMPLEX = [torch.complex64, torch.complex128]
DTYPES = [torch.bool, *UNSIGNED, *SIGNED, *FLOATS, *COMPLEX]
DEFAULTS = {
    "precision": 4,
    "threshold": 1000,
    "edgeitems": 3,
    "linewidth": 80,
    "sci_mode": None,
}


class Dtype:
    """A torch dtype with plugrad's spelling."""

    def __init__(self, dtype):
        self.name = str(dtype).removeprefix("torch.")
        self.is_floating_point = dtype.is_floating_point
        self.is_complex = dtype.is_complex

    def __str__(self):
        return f"plugrad.{self.name}"


class Printable:
    """A torch tensor behind what the printer may use, and nothing else."""

    def __init__(self, tensor, device=None, most_items=math.inf):
        self._tensor = tensor
        self._most_items = most_items
        self.shape = tuple(tensor.shape)
        self.ndim = tensor.ndim
        self.dtype = Dtype(tensor.dtype)
        self.device = device or tensor.device
        self.requires_grad = tensor.requires_grad
        self.grad_fn = tensor.grad_fn

    def tolist(self):
        assert self._tensor.numel() <= self._most_items
        return self._tensor.tolist()

    def __getitem__(self, index):
        return Printable(self._tensor[index], self.device, self._most_items)

    def __str__(self):
        return printing.tensor_repr(self)


def set_both(**options):
    torch.set_printoptions(**options)
    printing.set_printoptions(**options)


def same_text(tensor):
    expected = repr(tensor).replace("torch.", "plugrad.")
    assert printing.tensor_repr(Printable(tensor)) == expected


@pytest.fixture(autouse=True)
def default_options():
    set_both(**DEFAULTS)
    yield
    set_both(**DEFAULTS)


def filled(dtype, shape):
    """Numbers of both signs and differing lengths, whatever the dtype can hold."""
    count = math.prod(shape)
    values = (torch.arange(count, dtype=torch.float64) * 37 % 101 - 50) * 0.37
    if dtype in UNSIGNED:
        values = values.abs()
    if dtype.is_complex:
        values = torch.complex(values, values.flip(0) * 3)
    return values.to(dtype).reshape(shape)


SHAPES = [
    *[(), (1,), (7,), (60,), (1, 1), (3, 4), (2, 40), (2, 3, 4), (2, 1, 3, 2)],
    *[(0,), (0, 3), (3, 0), (2, 0, 4), (0, 0)],
    *[(1001,), (1000,), (40, 50), (7, 200), (6, 7, 30), (2, 600), (8, 2, 8, 9)],
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_dtypes_and_shapes(dtype, shape):
    same_text(filled(dtype, shape))


VALUES = {
    "whole": [1.0, 2.0, -30.0],
    "whole, far apart": [1.0, 1001.0],
    "whole, just near enough": [1.0, 1000.0],
    "whole, at the limit": [1e8, 1e6],
    "whole, past the limit": [1e8 + 8, 1e6],
    "halves": [0.5, 1.5, 2.5],
    "ties to even": [0.00005, 0.00015, 1.00005, 2.5, 0.03125],
    "smallest decimal": [1e-4, 1e-3],
    "too small": [9.9e-5, 1e-4],
    "zeros": [0.0, -0.0, 0.0],
    "zero beside": [0.0, 1.25, -0.0],
    "zero, far apart": [0.0, 1e-7, -0.0],
    "only nonfinite": [math.nan, math.inf, -math.inf],
    "whole and nonfinite": [1.0, math.nan, math.inf, -math.inf],
    "decimal and nonfinite": [-1.5, math.nan, math.inf, -math.inf, 0.0],
    "scientific and nonfinite": [1e-9, math.nan, math.inf, -math.inf],
    "extremes": [1.7e308, 5e-324, -1.0, 65504.0],
    "denormal": [1e-310, 1e-40, 6e-8],
    "large": [3.4e38, 1e20],
    "negative": [-1.0, -22.25, 333.125],
    "rounds up to more digits": [9.99999, 0.99999],
}


@pytest.mark.parametrize("sci_mode", [None, True, False])
@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())
@pytest.mark.parametrize("dtype", FLOATS + COMPLEX, ids=str)
def test_notation(dtype, values, sci_mode):
    set_both(sci_mode=sci_mode)
    for part in (values, values[::-1], [values], values[0], values[-1]):
        tensor = torch.tensor(part, dtype=dtype)
        same_text(tensor)
        if dtype.is_complex:
            same_text(tensor * 1j)
            same_text(torch.complex(tensor.real, tensor.real.flatten().flip(0)[:1]))


@pytest.mark.parametrize("value", [0.0, -0.0, math.nan, math.inf, 1e-5, 1.0])
@pytest.mark.parametrize("dtype", FLOATS + COMPLEX, ids=str)
def test_where_uniform_rows_wrap(dtype, value):
    same_text(torch.full((90,), value, dtype=dtype))
    same_text(torch.full((2, 90), value, dtype=dtype))


@pytest.mark.parametrize("dtype", SIGNED + UNSIGNED, ids=str)
def test_integer_limits(dtype):
    limits = torch.iinfo(dtype)
    same_text(torch.tensor([limits.min, 0, limits.max], dtype=dtype))


OPTIONS = [
    *[{"precision": p} for p in (0, 1, 2, 8, 17)],
    *[{"threshold": t} for t in (0, 1, 11, 12, math.inf)],
    *[{"threshold": 5, "edgeitems": e} for e in (0, 1, 2, 5)],
    *[{"edgeitems": 0}, {"threshold": 0, "edgeitems": 0}],
    *[{"linewidth": w} for w in (1, 10, 30, 79, 81, 200)],
    *[{"profile": p} for p in ("default", "short", "full", "unknown")],
    *[{"profile": "short", "precision": 6}, {"profile": "full", "edgeitems": 1}],
    *[{"sci_mode": s} for s in (True, False)],
    {"precision": 3, "threshold": 4, "edgeitems": 1, "linewidth": 20, "sci_mode": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.complex64])
def test_options(options, dtype):
    set_both(**options)
    assert printing.get_printoptions() == torch._tensor_str.get_printoptions()
    for shape in [(), (5,), (12,), (3, 4), (2, 3, 2), (0, 3), (1200,), (20, 60)]:
        same_text(filled(dtype, shape))


def test_options_are_kept_until_set_again():
    steps = [
        {"precision": 7, "sci_mode": True},
        {"linewidth": 40},
        {"profile": "short", "edgeitems": 1},
        {"threshold": 3},
        {},
    ]
    for step in steps:
        set_both(**step)
        assert printing.get_printoptions() == torch._tensor_str.get_printoptions()
        same_text(filled(torch.float32, (3, 5)))


def test_options_come_as_a_copy():
    printing.get_printoptions()["precision"] = 1
    assert printing.get_printoptions()["precision"] == 4


@pytest.mark.parametrize("dtype", FLOATS + COMPLEX, ids=str)
@pytest.mark.parametrize("shape", [(), (3,), (0,), (0, 2), (2, 3), (50, 50)], ids=str)
def test_graph(dtype, shape):
    leaf = filled(dtype, shape).requires_grad_()
    for tensor in (leaf, leaf + 1, leaf.sum(), leaf.detach(), leaf.mul(2).exp()):
        same_text(tensor)


@pytest.mark.parametrize("width", range(20, 70))
def test_where_the_notes_wrap(width):
    set_both(linewidth=width)
    same_text(filled(torch.float16, (4,)).requires_grad_())
    same_text(filled(torch.float64, (2, 3)).requires_grad_() + 1)
    same_text(filled(torch.complex128, (2, 0)).requires_grad_())


@pytest.mark.parametrize("default", FLOATS, ids=str)
@pytest.mark.parametrize("shape", [(2,), (0,)], ids=str)
def test_default_dtype(default, shape):
    before = dtypes.get_default_dtype(), torch.get_default_dtype()
    dtypes.set_default_dtype(getattr(dtypes, Dtype(default).name))
    torch.set_default_dtype(default)
    try:
        for dtype in DTYPES:
            same_text(filled(dtype, shape))
    finally:
        dtypes.set_default_dtype(before[0])
        torch.set_default_dtype(before[1])


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
def test_cpu_is_not_named(device):
    tensor = torch.arange(3, device=device)
    assert str(Printable(tensor, torch.device(device))) == repr(tensor)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float64], ids=str)
@pytest.mark.parametrize("device", ["cuda:0", "mps:0"])
def test_other_devices_are_named_first(dtype, device):
    # No such device is at hand: its note is expected where torch puts the first one.
    tensor = filled(dtype, (2,))
    note = "" if dtype == torch.int64 else ", dtype=plugrad.float64"
    numbers = repr(tensor).partition("]")[0]
    expected = f"{numbers}], device='{device}'{note})"
    assert str(Printable(tensor, torch.device(device))) == expected


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4), (40, 40)], ids=str)
def test_a_prefix_may_open_with_its_own_line(shape):
    parameter = torch.nn.Parameter(filled(torch.float16, shape))
    text = printing.tensor_repr(
        Printable(parameter), prefix="Parameter containing:\ntensor("
    )
    assert text == repr(parameter).replace("torch.", "plugrad.")


class Image(torch.Tensor):
    pass


@pytest.mark.parametrize("shape", [(), (30,), (2, 30), (0, 2), (40, 40)], ids=str)
def test_the_prefix_sets_the_indent(shape):
    tensor = filled(torch.float64, shape)
    text = printing.tensor_repr(Printable(tensor), prefix="Image(")
    expected = repr(tensor.as_subclass(Image)).replace("torch.", "plugrad.")
    assert text == expected


@pytest.mark.parametrize("shape", [(10**9,), (10**5, 10**5), (3, 10**8), (10**4,) * 4])
def test_a_large_tensor_is_not_fetched_whole(shape):
    tensor = torch.ones(()).expand(shape)
    printable = Printable(tensor, most_items=6)
    assert str(printable) == repr(tensor)


@pytest.mark.parametrize("value", [1.5, -2, True, 1 + 2j, math.nan, 0.1])
@pytest.mark.parametrize("spec", ["", ".2f", ">10", "08.3e", "d", "x"])
def test_format_of_a_scalar(value, spec):
    tensor = torch.tensor(value)
    try:
        expected = format(tensor, spec)
    except ValueError:
        with pytest.raises(ValueError):
            printing.format_scalar(Printable(tensor), spec)
    else:
        assert printing.format_scalar(Printable(tensor), spec) == expected


def test_format_of_other_tensors():
    tensor = torch.tensor([1.5])
    assert printing.format_scalar(Printable(tensor), "") == format(tensor, "")
    for call in (
        lambda: format(tensor, ".2f"),
        lambda: printing.format_scalar(Printable(tensor), ".2f"),
    ):
        with pytest.raises(TypeError):
            call()


# Drawn tensors and options

magnitudes = st.sampled_from([1e-5, 1e-4, 1e-3, 0.1, 1.0, 10.0, 1e3, 1e7, 1e8, 1e9])
awkward = st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf, 0.5, 1e-4, 1e8])
decimals = st.floats(-10, 10, allow_nan=False)
doubles = st.one_of(
    st.floats(),
    st.floats(width=16),
    st.integers(-1200, 1200).map(float),
    st.builds(lambda a, b: a * b, decimals, magnitudes),
    awkward,
)
small = st.one_of(st.integers(-1200, 1200).map(float), awkward, decimals)


shapes = st.one_of(
    st.lists(st.integers(1, 8), max_size=4),
    st.lists(st.integers(0, 3), max_size=4),
    st.lists(st.integers(900, 1100), min_size=1, max_size=1),
)


def numbers(dtype):
    if dtype == torch.bool:
        return st.booleans()
    if dtype.is_complex:
        return st.one_of(*[st.builds(complex, kind, kind) for kind in (doubles, small)])
    if dtype.is_floating_point:
        return st.one_of(doubles, small)
    limits = torch.iinfo(dtype)
    return st.one_of(st.integers(limits.min, limits.max), st.integers(0, 100))


@st.composite
def tensors(draw):
    """A dozen drawn numbers at most, repeated over a drawn shape."""
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(shapes)
    pool = draw(st.lists(numbers(dtype), min_size=1, max_size=12))
    count = math.prod(shape)
    wide = torch.complex128 if dtype.is_complex else torch.float64
    exact = wide if dtype.is_floating_point or dtype.is_complex else dtype
    items = [pool[i % len(pool)] for i in range(count)]
    return torch.tensor(items, dtype=exact).to(dtype).reshape(shape)


options_drawn = st.fixed_dictionaries(
    {
        "precision": st.integers(0, 10),
        "threshold": st.sampled_from([0, 3, 10, 1000, math.inf]),
        "edgeitems": st.integers(0, 3),
        "linewidth": st.integers(1, 120),
        "sci_mode": st.sampled_from([None, True, False]),
    }
)


@settings(max_examples=600, deadline=None)
@given(tensors(), options_drawn, st.booleans())
@example(torch.tensor([]), DEFAULTS, False)
def test_drawn(tensor, options, gradient):
    set_both(**options)
    if gradient and (tensor.is_floating_point() or tensor.is_complex()):
        tensor.requires_grad_()
    same_text(tensor)


def bits(dtype, view):
    least, most = torch.iinfo(view).min, torch.iinfo(view).max
    words = st.lists(st.integers(least, most), min_size=1, max_size=8)
    return words.map(lambda w: torch.tensor(w, dtype=view).view(dtype))


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        bits(torch.float16, torch.int16),
        bits(torch.bfloat16, torch.int16),
        bits(torch.float32, torch.int32),
        bits(torch.float64, torch.int64),
        bits(torch.complex64, torch.int64),
    ),
    st.sampled_from([None, True, False]),
)
def test_drawn_bits(tensor, sci_mode):
    set_both(sci_mode=sci_mode)
    same_text(tensor)
