"""Every pair of dtypes, compared with PyTorch."""

import itertools
import warnings

import pytest
import torch
from torch._prims_common import ELEMENTWISE_TYPE_PROMOTION_KIND as KIND
from torch._prims_common import elementwise_dtypes

import plugrad
from plugrad import dtypes

NAMES = list(dtypes.BY_NAME)
DEFAULTS = ["float16", "bfloat16", "float32", "float64"]
SCALARS = [True, 2, 2.5, 1 + 2j]
PYTHON_TYPES = [bool, int, float, complex]
NOT_DTYPES = [None, 3, "a string", str, []]


def outcome(f, *args, **kwargs):
    """The name of the dtype that f returns, or the type of what it raises."""
    try:
        found = f(*args, **kwargs)
    except (TypeError, RuntimeError) as e:
        return type(e)
    # The one difference: there is no complex32 here.
    return str(found).rpartition(".")[2].replace("complex32", "complex64")


def ours(name):
    return getattr(dtypes, name)


def theirs(name):
    return getattr(torch, name)


@pytest.fixture(params=DEFAULTS)
def default(request):
    """Both libraries' default dtype, set to each floating-point type in turn."""
    before, torch_before = dtypes.get_default_dtype(), torch.get_default_dtype()
    dtypes.set_default_dtype(ours(request.param))
    torch.set_default_dtype(theirs(request.param))
    yield request.param
    dtypes.set_default_dtype(before)
    torch.set_default_dtype(torch_before)


# Torch's formats without arithmetic, and complex32, which is complex64 here.
LEFT_OUT = ("bit", "bits", "qint", "quint", "float4_", "float8_")
NARROW = [f"{sign}int{n}" for sign in ("", "u") for n in range(1, 8)]


def test_torch_has_no_name_that_is_missing_here():
    names = {n for n in dir(torch) if isinstance(getattr(torch, n), torch.dtype)}
    kept = {n for n in names if not n.startswith(LEFT_OUT)} - set(NARROW)
    assert kept - {"complex32", "chalf"} == {*NAMES, *dtypes.ALIASES}


@pytest.mark.parametrize("name", [*NAMES, *dtypes.ALIASES])
def test_attributes(name):
    a, t = ours(name), theirs(name)
    assert a.name == str(t).removeprefix("torch.")
    for attribute in ("itemsize", "is_floating_point", "is_complex", "is_signed"):
        assert getattr(a, attribute) == getattr(t, attribute), attribute
    assert outcome(a.to_real) == outcome(t.to_real)
    assert outcome(a.to_complex) == outcome(t.to_complex)


@pytest.mark.parametrize("function", ["promote_types", "can_cast"])
@pytest.mark.parametrize("a", [*NAMES, *PYTHON_TYPES, *NOT_DTYPES], ids=str)
def test_pairs(function, a):
    ours_f, torch_f = getattr(plugrad, function), getattr(torch, function)
    for b in [*NAMES, *PYTHON_TYPES, *NOT_DTYPES]:
        x, y = (ours(v) if v in NAMES else v for v in (a, b))
        t, u = (theirs(v) if v in NAMES else v for v in (a, b))
        assert outcome(ours_f, x, y) == outcome(torch_f, t, u), (a, b)
        assert outcome(ours_f, y, x) == outcome(torch_f, u, t), (b, a)


@pytest.mark.parametrize("function", ["promote_types", "can_cast"])
@pytest.mark.parametrize("library", [dtypes, torch])
def test_strings_are_not_taken_for_dtypes(function, library):
    with pytest.raises(TypeError):
        getattr(library, function)("int8", library.int8)


def result_of(operands):
    """result_dtype for operands given as (number of dimensions, name) and scalars."""
    groups = {}
    for x in operands:
        ndim, d = (x[0], ours(x[1])) if isinstance(x, tuple) else (-1, None)
        d = d or dtypes.scalar_dtype(x)
        groups[ndim] = dtypes.promote_types(groups.get(ndim, d), d)
    return dtypes.result_dtype(groups.get(1), groups.get(0), groups.get(-1))


def torch_operands(operands):
    return [
        torch.ones((1,) * x[0], dtype=theirs(x[1])) if isinstance(x, tuple) else x
        for x in operands
    ]


@pytest.mark.filterwarnings("ignore:ComplexHalf support:UserWarning")
def test_result_of_two_operands(default):
    tensors = list(itertools.product((1, 0), NAMES))
    operands = [*tensors, *SCALARS]
    for pair in itertools.product(operands, repeat=2):
        expected = outcome(torch.result_type, *torch_operands(pair))
        assert outcome(result_of, pair) == expected, pair


def test_result_of_all_three_groups(default):
    """torch.result_type takes two; its Python reference takes any number."""

    def reference(*operands):
        return elementwise_dtypes(*operands, type_promotion_kind=KIND.DEFAULT)[1]

    for d, z, s in itertools.product(NAMES, NAMES, SCALARS):
        # Here the reference is not torch.result_type, which the test of two operands
        # compares: it lets bool meet these where the other raises.
        if d == "bool" and z in ("uint16", "uint32", "uint64"):
            continue
        operands = (1, d), (0, z), s
        assert outcome(result_of, operands) == outcome(
            reference, *torch_operands(operands)
        ), operands


@pytest.mark.parametrize("value", SCALARS)
def test_scalar_dtype(default, value):
    if default == "bfloat16" and isinstance(value, complex):
        expected = "complex64"  # torch has none to make: RuntimeError
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "ComplexHalf support is experimental"
            expected = outcome(lambda: torch.tensor(value).dtype)
    assert dtypes.scalar_dtype(value).name == expected


@pytest.mark.parametrize("new", [*NAMES, *PYTHON_TYPES, *NOT_DTYPES], ids=str)
def test_set_default_dtype(default, new):
    x, t = (ours(new), theirs(new)) if new in NAMES else (new, new)
    expected = outcome(torch.set_default_dtype, t)
    assert outcome(dtypes.set_default_dtype, x) == expected
    assert outcome(dtypes.get_default_dtype) == outcome(torch.get_default_dtype)


@pytest.mark.parametrize("function", ["finfo", "iinfo"])
@pytest.mark.parametrize("name", [*NAMES, *PYTHON_TYPES, "a string", 3], ids=str)
def test_info(function, name):
    ours_f, torch_f = getattr(plugrad, function), getattr(torch, function)
    x, t = (ours(name), theirs(name)) if name in NAMES else (name, name)
    try:
        expected = torch_f(t)
    except TypeError:
        with pytest.raises(TypeError):
            ours_f(x)
        return
    found = ours_f(x)
    assert repr(found) == repr(expected)
    for attribute in dir(expected):
        if not attribute.startswith("_"):
            a, b = getattr(found, attribute), getattr(expected, attribute)
            assert (a, type(a)) == (b, type(b)), attribute


def test_finfo_without_argument_follows_the_default(default):
    assert repr(plugrad.finfo()) == repr(torch.finfo())


def test_iinfo_needs_an_argument():
    for f in (torch.iinfo, plugrad.iinfo):
        with pytest.raises(TypeError):
            f()


INTEGERS = [n for n in NAMES if ours(n).kind in "ui"]
INEXACT = [n for n in NAMES if ours(n).kind in "fc"]


@pytest.mark.parametrize(
    ("function", "names"), [("finfo", INEXACT), ("iinfo", INTEGERS)]
)
def test_infos_compare_as_in_torch(function, names):
    def comparisons(library):
        infos = [getattr(library, function)(getattr(library, n)) for n in names]
        return [a == b for a in infos for b in infos]

    assert comparisons(plugrad) == comparisons(torch)
    with pytest.raises(TypeError):
        hash(getattr(torch, function)(theirs(names[0])))
    with pytest.raises(TypeError):
        hash(getattr(plugrad, function)(ours(names[0])))


@pytest.mark.parametrize("name", NAMES)
def test_as_dtype_understands_torch(name):
    assert dtypes.as_dtype(theirs(name)) is ours(name)


@pytest.mark.parametrize("python_type", PYTHON_TYPES)
def test_as_dtype_reads_python_types_as_torch_does(python_type):
    expected = torch.ones(1, dtype=python_type).dtype
    assert outcome(dtypes.as_dtype, python_type) == outcome(lambda: expected)
