"""Dtypes on their own: laws of promotion, identity, limits, names of others."""

import copy
import enum
import itertools
import pickle
import re
import subprocess
import sys

import array_api_strict
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plugrad
from plugrad import dtypes
from plugrad.dtypes import BY_NAME, as_dtype, promote_types, result_dtype

ALL = list(BY_NAME.values())
WIDE_UNSIGNED = {dtypes.uint16, dtypes.uint32, dtypes.uint64}
LATTICE = [d for d in ALL if d not in WIDE_UNSIGNED]
INTEGERS = [d for d in ALL if d.kind in "ui"]
FLOATS = [d for d in ALL if d.kind == "f"]

any_dtype = st.sampled_from(ALL)
lattice = st.sampled_from(LATTICE)
group = st.none() | lattice


@pytest.fixture
def default_float64():
    before = dtypes.get_default_dtype()
    dtypes.set_default_dtype(dtypes.float64)
    yield
    dtypes.set_default_dtype(before)


def promoted(a, b):
    try:
        return promote_types(a, b)
    except RuntimeError:
        return None


# ------------------------------------------------------------------------- identity


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_gives_the_same_object(protocol):
    for d in ALL:
        assert pickle.loads(pickle.dumps([d], protocol))[0] is d


def test_python_pickler_gives_the_same_object():
    for d in ALL:
        assert pickle.loads(pickle._dumps(d)) is d


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_are_the_same_object(copied):
    for d in ALL:
        assert copied(d) is d
        assert copied({"dtype": [d]})["dtype"][0] is d


def test_dtypes_are_distinct_keys():
    assert [d.name for d in {d: d.name for d in ALL}] == list(BY_NAME)
    assert dtypes.dtype.__hash__ is object.__hash__


def test_every_public_name_is_there():
    for name in dtypes.__all__:
        assert getattr(dtypes, name) is not None
    assert {*BY_NAME, *dtypes.ALIASES} <= {*dtypes.__all__}
    for name, d in (BY_NAME | dtypes.ALIASES).items():
        assert getattr(dtypes, name) is d
    with pytest.raises(AttributeError, match="float17"):
        _ = dtypes.float17


def test_builtins_stay_builtins_inside_the_module():
    assert not {"bool", "int", "float", "complex"} & vars(dtypes).keys()


def test_dtypes_cannot_be_made_or_changed():
    with pytest.raises(TypeError, match="as_dtype"):
        dtypes.dtype("float32")
    for name in ("itemsize", "something"):
        with pytest.raises(AttributeError, match=name):
            setattr(dtypes.float32, name, 8)
    with pytest.raises(AttributeError, match="itemsize"):
        del dtypes.float32.itemsize
    assert dtypes.float32.itemsize == 4


def test_repr():
    for name, d in BY_NAME.items():
        assert repr(d) == str(d) == f"{d}" == f"plugrad.{name}"


@pytest.mark.parametrize("d", [d for d in ALL if d is not dtypes.bfloat16], ids=str)
def test_attributes_are_numpys(d):
    n = np.dtype(d.name)
    assert (d.name, d.itemsize, d.kind) == (n.name, n.itemsize, n.kind)
    assert d.is_floating_point == np.issubdtype(n, np.floating)
    assert d.is_complex == np.issubdtype(n, np.complexfloating)
    assert d.to_real().name == np.empty(0, n).real.dtype.name


def test_little_is_imported():
    code = "import sys; before = {*sys.modules}; source = open(sys.argv[1]).read(); "
    code += "exec(source, {'__name__': 'dtypes'}); print(*({*sys.modules} - before))"
    run = [sys.executable, "-S", "-c", code, dtypes.__file__]
    new = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    assert {*new} <= {"__future__", "math"}


# ------------------------------------------------------------------------- promotion


@given(any_dtype, any_dtype)
def test_promotion_commutes(a, b):
    assert promoted(a, b) is promoted(b, a)


@given(any_dtype)
def test_promotion_is_idempotent(a):
    assert promote_types(a, a) is a


def test_promotion_is_associative():
    for a, b, c in itertools.product(LATTICE, repeat=3):
        left = promote_types(promote_types(a, b), c)
        assert left is promote_types(a, promote_types(b, c)), (a, b, c)


@given(lattice, lattice)
def test_promotion_is_an_upper_bound(a, b):
    c = promote_types(a, b)
    assert promote_types(a, c) is c
    assert promote_types(b, c) is c
    assert dtypes.can_cast(a, c)
    assert dtypes.can_cast(b, c)


def test_promotion_is_the_least_upper_bound():
    for a, b, c in itertools.product(LATTICE, repeat=3):
        if promote_types(a, c) is c and promote_types(b, c) is c:
            assert promote_types(promote_types(a, b), c) is c


def test_refused_pairs_say_what_to_do():
    for a, b in itertools.product(WIDE_UNSIGNED, ALL):
        if b is not a and b.kind != "f":
            with pytest.raises(RuntimeError, match=rf"\b({a.name}|{b.name})\b.*\.to\("):
                promote_types(a, b)


def test_refusal_is_not_chained_to_a_lookup():
    with pytest.raises(RuntimeError) as info:
        promote_types(dtypes.uint16, dtypes.int8)
    assert info.value.__context__ is None


@given(lattice, lattice, lattice)
def test_casting_is_transitive(a, b, c):
    if dtypes.can_cast(a, b) and dtypes.can_cast(b, c):
        assert dtypes.can_cast(a, c)


@given(group, group, group)
def test_result_has_the_highest_kind_and_later_groups_keep_the_size(d, z, s):
    groups = [g for g in (d, z, s) if g is not None]
    if not groups:
        with pytest.raises(ValueError, match="at least one"):
            result_dtype(d, z, s)
        return
    result = result_dtype(d, z, s)
    order = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
    assert order[result.kind] == max(order[g.kind] for g in groups)
    if order[groups[0].kind] == order[result.kind]:
        assert result is groups[0]


@given(group, group, lattice)
def test_groups_fold_from_the_last(d, z, s):
    assert result_dtype(d, z, s) is result_dtype(d, None, result_dtype(None, z, s))


def test_result_follows_a_new_default(default_float64):
    def result():
        return result_dtype(dtypes.int8, None, dtypes.scalar_dtype(1.5))

    assert result() is dtypes.float64
    dtypes.set_default_dtype(dtypes.bfloat16)
    assert result() is dtypes.bfloat16
    assert dtypes.scalar_dtype(1j) is dtypes.complex64


# --------------------------------------------------------------------- Python scalars


class Level(enum.IntEnum):
    LOW = 1


@pytest.mark.parametrize(
    ("value", "python_type"),
    [(Level.LOW, int), (np.float64(1), float), (np.complex128(1), complex)],
)
def test_subclasses_of_numbers_count_as_the_number(value, python_type):
    assert dtypes.scalar_dtype(value) is dtypes.scalar_dtype(python_type(1))


@pytest.mark.parametrize("bad", ["1", None, [1], np.float32(1), np.int64(1)], ids=repr)
def test_other_scalars_are_refused(bad):
    with pytest.raises(TypeError, match=type(bad).__name__):
        dtypes.scalar_dtype(bad)


# ----------------------------------------------------------------------------- limits


@pytest.mark.parametrize("d", FLOATS, ids=str)
def test_finfo_is_numpys(d):
    found, expected = plugrad.finfo(d), ml_dtypes.finfo(d.name)
    for name in ("bits", "eps", "max", "min", "smallest_normal", "tiny"):
        assert getattr(found, name) == float(getattr(expected, name)), name
    assert found.resolution == 10.0**-expected.precision


@pytest.mark.parametrize("d", INTEGERS, ids=str)
def test_iinfo_is_numpys(d):
    found, expected = plugrad.iinfo(d), np.iinfo(d.name)
    for name in ("bits", "max", "min"):
        assert getattr(found, name) == getattr(expected, name), name


def test_finfo_of_complex_is_of_its_parts():
    assert plugrad.finfo(dtypes.complex128) == plugrad.finfo(dtypes.float64)


def test_wrong_kinds_name_the_other_function():
    with pytest.raises(TypeError, match="iinfo"):
        plugrad.finfo(dtypes.int8)
    with pytest.raises(TypeError, match="finfo"):
        plugrad.iinfo(dtypes.complex64)
    with pytest.raises(TypeError, match="bool"):
        plugrad.iinfo(dtypes.bool)


# ------------------------------------------------------------------- names of others


def test_as_dtype_keeps_what_is_one():
    for name, d in BY_NAME.items():
        assert as_dtype(d) is as_dtype(name) is as_dtype(str(d)) is d


@pytest.mark.parametrize("d", [d for d in ALL if d is not dtypes.bfloat16], ids=str)
def test_as_dtype_understands_numpy(d):
    n = np.dtype(d.name)
    assert as_dtype(n) is as_dtype(n.type) is d
    assert as_dtype(n.newbyteorder()) is d
    if hasattr(array_api_strict, d.name):
        assert as_dtype(getattr(array_api_strict, d.name)) is d


def test_as_dtype_understands_ml_dtypes():
    b = ml_dtypes.bfloat16
    assert as_dtype(b) is as_dtype(np.dtype(b)) is dtypes.bfloat16


@pytest.mark.parametrize("python_type", [bool, int, float, complex])
def test_as_dtype_reads_python_types_as_numpy_does(python_type):
    assert as_dtype(python_type).name == np.dtype(python_type).name


@pytest.mark.parametrize(
    "bad",
    ["float", "half", "float33", "", None, 1.5, 32, str, np.longdouble, [], ...]
    + [np.dtype("U4"), np.dtype([("a", "f4")]), "elsewhere.float32"],
    ids=repr,
)
def test_as_dtype_refuses_and_lists_what_it_knows(bad):
    with pytest.raises(TypeError, match=re.escape(repr(bad)) + ".*bfloat16"):
        as_dtype(bad)
