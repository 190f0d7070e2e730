"""Calls that make tensors, each compared with PyTorch's: the values, the dtype, the
shape, the steps in memory, whether it is a leaf that wants gradients, or the exception.

`T` is the library. Where values are random or undefined, all else is compared.
"""

import warnings

import numpy as np
import pytest
import torch

import plugrad

DATA = """
T.tensor(2**63)
T.tensor([2**63])
T.tensor([2**63], dtype=T.uint64)
T.tensor(-2**63-1)
T.tensor(2**63-1)
T.tensor(300, dtype=T.uint8)
T.tensor([300], dtype=T.uint8)
T.tensor(-1, dtype=T.uint8)
T.tensor([[-200, 7], [8, 9]], dtype=T.uint8)
T.tensor(-256, dtype=T.uint8)
T.tensor(200, dtype=T.int8)
T.tensor(1.5, dtype=T.int64)
T.tensor([1.9, -1.9], dtype=T.int32)
T.tensor(1j, dtype=T.float32)
T.tensor(float('nan'), dtype=T.int64)
T.tensor(1e40, dtype=T.float32)
T.tensor(1e20, dtype=T.int64)
T.tensor([0.5, 0, 2], dtype=T.bool)
T.tensor(float('nan'))
T.tensor([[1, 2], 3])
T.tensor([1, [2, 3]])
T.tensor([[1, 2], [3]])
T.tensor([[1, 2], [3, 4, 5]])
T.tensor([[[1], [2]], [[3], [4, 5]]])
T.tensor([[[1], [2]], [[3]]])
T.tensor('a')
T.tensor(['a'])
T.tensor(None)
T.tensor([None])
T.tensor([1, None])
T.tensor([])
T.tensor([[], []])
T.tensor([[], [1]])
T.tensor(())
T.tensor({1: 2})
T.tensor({1, 2})
T.tensor(range(3))
T.tensor([range(3), (4, 5, 6)])
T.tensor([np.float64(1.)])
T.tensor([np.float32(1.), 2])
T.tensor(np.float64(1.))
T.tensor(np.float32(1.))
T.tensor(np.bool_(True))
T.tensor([np.int32(1)])
T.tensor(np.int32(1))
T.tensor([np.ones(2), np.ones(2)])
T.tensor([np.ones(2, 'f4'), [1, 2]])
T.tensor([[1, 2], np.ones(2, 'f4')])
T.tensor([np.ones(2), np.ones(3)])
T.tensor(np.ones((2, 3), 'i2'))
T.tensor(np.ones((2, 3)), dtype=T.float32)
T.tensor(np.ones((2, 0)))
T.tensor(np.ones(3, 'c8'))
T.tensor(np.array('a'))
T.tensor(np.array([1], dtype=object))
T.tensor([T.ones(()), T.ones(())])
T.tensor([T.ones((), dtype=T.float64), 1])
T.tensor([T.ones((), dtype=T.int32), 1])
T.tensor([T.ones(1), T.ones(1)])
T.tensor([T.ones(2), T.ones(2)])
T.tensor([T.ones(1, 1)])
T.tensor([[T.tensor(1.), 2], [3, 4]])
T.tensor([T.ones(2, requires_grad=True)[0]])
T.tensor(T.ones(2))
T.tensor(T.ones(2), dtype=T.int32)
T.tensor([1, 2.5, True])
T.tensor([True, 1])
T.tensor([True, False])
T.tensor([1, 1j])
T.tensor([1., 2], dtype=T.complex64)
T.tensor(True)
T.tensor(3)
T.tensor(3.5)
T.tensor(2 + 1j)
T.tensor([[[1, 2]]])
T.tensor(1, requires_grad=True)
T.tensor(1., requires_grad=True)
T.tensor([1j], requires_grad=True)
T.tensor(3, device='cpu')
T.tensor(3, dtype=int)
T.tensor(3, dtype=float)
T.tensor(3, dtype=bool)
T.tensor(3, dtype=complex)
T.tensor(3, dtype='float32')
T.tensor(data=3)
T.tensor()
T.tensor(3, 4)
T.tensor(3, pin_memory=True)
T.as_tensor([1, 2])
T.as_tensor(np.ones(2), dtype=T.float32)
T.as_tensor(T.ones(2, requires_grad=True))
T.as_tensor(T.ones(2, requires_grad=True), dtype=T.float64)
T.as_tensor(2.5, device='cpu')
T.asarray([1., 2])
T.asarray(np.ones(2), copy=True)
T.asarray(1.)
T.asarray(T.ones(2), dtype=T.int32)
T.asarray(T.ones(2, requires_grad=True))
T.asarray([1.], requires_grad=True)
T.asarray(bytearray(b'ab'), dtype=T.uint8)
T.asarray([1], copy=False)
T.asarray(np.ones(2), dtype=T.float32, copy=False)
T.asarray(np.ones(2), copy=False)
T.scalar_tensor(3)
T.scalar_tensor(3, dtype=T.int32)
T.from_numpy(np.arange(6).reshape(2, 3))
T.from_numpy(np.arange(6).reshape(2, 3).T)
T.from_numpy(np.arange(6)[::2])
T.from_numpy(np.array(1.5))
T.from_numpy([1])
T.from_numpy(np.float32(1))
T.from_numpy(np.array('a'))
T.from_numpy(np.array([1], dtype='>i4'))
T.from_dlpack(np.ones((2, 3)))
T.from_dlpack(T.ones(2))
T.from_dlpack(np.ones((2, 3), 'f4').T)
T.frombuffer(bytearray(b'1234'), dtype=T.uint8)
T.frombuffer(bytearray(b'1234'), dtype=T.int16, count=1, offset=2)
T.frombuffer(bytearray(b'12345678'), dtype=T.float32, requires_grad=True)
T.frombuffer(bytearray(b''), dtype=T.uint8)
T.frombuffer(bytearray(b'123'), dtype=T.int16)
T.frombuffer(bytearray(b'1234'), dtype=T.int16, count=5)
T.frombuffer(bytearray(b'1234'), dtype=T.int16, offset=4)
T.frombuffer(bytearray(b'1234'), dtype=T.int16, count=0)
T.frombuffer(3, dtype=T.uint8)
"""

FILLED = """
T.zeros(2, 3)
T.zeros((2, 3))
T.zeros([2])
T.zeros(())
T.zeros(0)
T.zeros()
T.zeros(-1)
T.zeros(2.0)
T.zeros((2.0,))
T.zeros('a')
T.zeros(None)
T.zeros(T.tensor(2))
T.zeros(T.tensor(2), 3)
T.zeros((T.tensor(2), 3))
T.zeros(T.ones(1).shape)
T.zeros(np.int64(2))
T.zeros(size=(2,))
T.zeros(2, size=(2,))
T.zeros(2, dtype='float32')
T.zeros(2, dtype=float)
T.zeros(2, dtype=int)
T.zeros(2, dtype=np.float32)
T.zeros(2, foo=1)
T.zeros(2, dtype=T.bool)
T.zeros(2, dtype=T.bfloat16)
T.zeros(2, dtype=T.complex128)
T.zeros(2, dtype=T.uint16)
T.zeros(2, requires_grad=True)
T.zeros(2, dtype=T.int32, requires_grad=True)
T.zeros(2, device='cpu')
T.zeros(2, device=T.device('cpu'))
T.zeros(2, device=3.5)
T.zeros(2, device='foo')
T.zeros(2, layout=T.strided)
T.zeros(2, layout=3)
T.zeros(2, pin_memory=True)
T.zeros(2, names=None)
T.zeros(3, out=T.ones(3))
T.zeros(3, out=T.ones(2))
T.zeros(3, out=T.ones(0))
T.zeros(3, out=T.ones(3, dtype=T.int64))
T.zeros(3, out=T.ones(3, dtype=T.int64), dtype=T.float32)
T.zeros(3, out=[1])
T.ones(2, 3, dtype=T.int8)
T.ones(2, dtype=T.bool)
T.ones(2, dtype=T.complex64)
T.full((2,), 1)
T.full((2,), 1.5)
T.full((2,), True)
T.full((2,), 1j)
T.full((2,), 1.5, dtype=T.int64)
T.full((2,), 1e40, dtype=T.float32)
T.full((2,), 1e300)
T.full((2,), float('inf'))
T.full((2,), T.tensor(3))
T.full((2,), T.tensor([3, 3]))
T.full(2, 1)
T.full([], 4.)
T.full((2,), 300, dtype=T.uint8)
T.full((2,), -1, dtype=T.uint8)
T.full((2,), 'a')
T.full((2,), 1j, dtype=T.float32)
T.full((-2,), 1)
T.full((2,), 1, requires_grad=True)
T.full((2,), 1., requires_grad=True)
T.full(size=(2,), fill_value=3)
T.full((2,), 1, out=T.ones(2))
T.full_like(T.ones(2), 3)
T.full_like(T.ones(2, dtype=T.int64), 3.7)
T.full_like(T.ones(2, dtype=T.int64), 3.7, dtype=T.float32)
T.full_like(T.ones(2, dtype=T.bool), 2)
T.full_like(T.ones(2, 3).t(), 3)
T.zeros_like([1])
T.zeros_like(T.ones(2, requires_grad=True))
T.zeros_like(T.ones(2), requires_grad=True)
T.zeros_like(T.ones(2), dtype=T.int64)
T.zeros_like(T.ones(2), dtype=float)
T.zeros_like(T.ones(2), dtype=3)
T.zeros_like(input=T.ones(()))
T.ones_like(T.ones(2, 2).t())
T.ones_like(T.ones(2, 2).t(), memory_format=T.contiguous_format)
T.zeros_like(T.ones(2, 3, 4).permute(2, 0, 1))
T.zeros_like(T.ones(2, 1).expand(2, 3))
T.zeros_like(T.ones(2, 3, 4)[:, ::2])
T.zeros_like(T.ones(4, 3).t()[::2])
T.zeros_like(T.ones(1, 3, 2).transpose(0, 1))
T.ones_like(T.ones(1, 2, 2, 2), memory_format=T.channels_last)
T.ones_like(T.ones(2), memory_format=T.channels_last)
T.ones_like(T.ones(2), memory_format=3)
T.ones(2).new_zeros(3)
T.ones(2).new_zeros((3, 1), dtype=T.int32)
T.ones(2).new_zeros(3, 1)
T.ones(2).new_zeros(size=(3,))
T.ones(2).new_zeros()
T.ones(2).new_zeros(3, requires_grad=True)
T.ones(2, dtype=T.int16).new_ones(3)
T.ones(2).new_full((3,), 2)
T.ones(2, dtype=T.int64).new_full((3,), 2.5)
T.ones(2).new_tensor([1, 2])
T.ones(2, dtype=T.int64).new_tensor([1.5, 2])
T.ones(2).new_tensor([1, 2], dtype=T.int8)
T.ones(2).new_tensor([1, 2], requires_grad=True)
T.ones(2, dtype=T.int32).new([1.5, 2])
"""

RANGES = """
T.arange(5)
T.arange(5.)
T.arange(1, 5)
T.arange(1, 5, 2)
T.arange(1, 6, 2)
T.arange(1, 5, 2.)
T.arange(5, 1)
T.arange(5, 5)
T.arange(5, 1, -1)
T.arange(5, 0, -2)
T.arange(0, 1, 0.1)
T.arange(0, 1, 0.1, dtype=T.float64)
T.arange(-1, 1, 0.3, dtype=T.float16)
T.arange(1, 5, 0)
T.arange(1, 5, -1)
T.arange(float('inf'))
T.arange(0, float('nan'))
T.arange(T.tensor(3))
T.arange(T.tensor(3.))
T.arange(True)
T.arange(3, dtype=T.bool)
T.arange(2.5, dtype=T.int64)
T.arange(2.5, dtype=T.int32)
T.arange(0.5, 3.5, dtype=T.int64)
T.arange(0, 3, 0.5, dtype=T.int64)
T.arange(3, dtype=T.complex64)
T.arange(1j)
T.arange('a')
T.arange()
T.arange(1, 2, 3, 4)
T.arange(end=3)
T.arange(start=1, end=3)
T.arange(1, end=3)
T.arange(1, 9, step=3)
T.arange(3, dtype=T.uint8)
T.arange(-3, dtype=T.uint8)
T.arange(2**53, 2**53 + 3)
T.arange(300, dtype=T.uint8)
T.arange(3, dtype=float)
T.arange(3, requires_grad=True)
T.arange(3., requires_grad=True)
T.arange(3, out=T.ones(3))
T.arange(3, out=T.ones(3, dtype=T.int32))
T.arange(3, layout=T.strided, device='cpu', pin_memory=False)
T.range(0, 3)
T.range(0, 3, 0.5)
T.range(3, 0, -1, dtype=T.int64)
T.range(0, 3.5)
T.range(0, 3, 0)
T.range(3, 0)
T.linspace(0, 1, 5)
T.linspace(0, 1, 1)
T.linspace(0, 1, 0)
T.linspace(0, 1, 2)
T.linspace(3, -7, 101)
T.linspace(0, 1, -1)
T.linspace(0, 1)
T.linspace(0, 10, 5, dtype=T.int64)
T.linspace(0, 10, 4, dtype=T.int64)
T.linspace(10, 0, 4, dtype=T.int64)
T.linspace(-10, 10, 7, dtype=T.int32)
T.linspace(0, 1j, 3)
T.linspace(0, 1, 3, dtype=T.complex64)
T.linspace(0, 1j, 3, dtype=T.float32)
T.linspace(T.tensor(0.), T.tensor(1.), 3)
T.linspace(T.tensor([0.]), 1, 3)
T.linspace(0, 1, 2.5)
T.linspace(0, 1, 3, dtype=T.bool)
T.linspace(0, 1, 3, dtype=T.float64, requires_grad=True)
T.linspace(0, 1, steps=3)
T.linspace(0, 1, 3, out=T.ones(3))
T.logspace(0, 2, 3)
T.logspace(0, 2, 3, base=2)
T.logspace(0, 2, 3, base=-2)
T.logspace(0, 2, 3, dtype=T.int64)
T.logspace(0, 2, 3, dtype=T.float64)
T.logspace(0, 2, 0)
T.logspace(0, 1, 1)
T.logspace(-3, 3, 20)
T.logspace(0, 2, -3)
T.eye(2)
T.eye(2, 3)
T.eye(3, 2)
T.eye(0)
T.eye(-1)
T.eye(2, -1)
T.eye(2, dtype=T.bool)
T.eye(2, m=3)
T.eye(2.)
T.eye(2, requires_grad=True)
T.eye(2, out=T.ones(2, 2))
T.tril_indices(3, 3)
T.tril_indices(2, 4, -1)
T.tril_indices(4, 2, 1)
T.triu_indices(2, 4, 1)
T.triu_indices(4, 2, -1)
T.tril_indices(-1, 2)
T.tril_indices(2, 2, dtype=T.float32)
T.tril_indices(2, 2, dtype=T.int32)
T.tril_indices(2, 2, offset=100)
T.triu_indices(0, 2)
"""

LEGACY = """
T.Tensor()
T.Tensor([1, 2])
T.Tensor((1, 2))
T.Tensor(2.5)
T.Tensor([])
T.Tensor([[1, 2], [3, 4]])
T.Tensor(np.ones(2))
T.Tensor(T.ones(2))
T.Tensor(T.ones(2, dtype=T.int64))
T.Tensor([1, 2], dtype=T.int32)
T.FloatTensor([1, 2])
T.LongTensor([1.5, 2])
T.LongTensor(T.ones(2))
T.LongTensor(T.ones(2, dtype=T.int64))
T.ByteTensor([1, 2])
T.CharTensor([1, 2])
T.ShortTensor([1, 2])
T.IntTensor([1, 2])
T.DoubleTensor([1, 2])
T.BoolTensor([1, 0])
T.HalfTensor([1])
T.BFloat16Tensor([1])
T.FloatTensor(np.ones(2))
T.FloatTensor('a')
isinstance(T.ones(2), T.FloatTensor)
isinstance(T.ones(2), T.DoubleTensor)
isinstance(T.ones(2, dtype=T.int64), T.LongTensor)
isinstance(1, T.FloatTensor)
issubclass(T.FloatTensor, T.Tensor)
T.FloatTensor.dtype
repr(T.FloatTensor)
T.ones(2).type()
T.ones(2, dtype=T.complex64).type()
T.ones(2, dtype=T.uint16).type()
T.ones(2).type(T.int64)
T.ones(2).type(T.DoubleTensor)
T.ones(2).type(f'{T.__name__}.DoubleTensor')
T.ones(2).type('FooTensor')
T.set_default_tensor_type(T.LongTensor)
T.set_default_tensor_type(3)
"""

ASKED = """
T.result_type(T.ones(2), 1.5)
T.result_type(T.ones(2, dtype=T.int64), 1.5)
T.result_type(1, 2.)
T.result_type(True, 2)
T.result_type(T.ones(2, dtype=T.float16), T.tensor(1., dtype=T.float64))
T.result_type(T.ones(2, dtype=T.int8), T.ones(2, dtype=T.uint8))
T.result_type([1], 2)
T.is_floating_point(1.)
T.is_floating_point(T.ones(1))
T.is_floating_point(T.ones(1, dtype=T.complex64))
T.is_complex(T.ones(1))
T.is_complex(1j)
T.is_tensor(1)
T.is_tensor(T.ones(1))
T.numel(T.ones(2, 3))
T.numel(3)
T.device('cuda')
T.device('cuda:1')
T.device('cuda', 1)
T.device('cuda:0', 1)
T.device('foo')
T.device('cpu:a')
T.device('cpu', -1)
T.device('cpu', 1, 2)
T.device(type='cuda', index=2)
T.device('cpu:0') == T.device('cpu')
T.device('cuda', 0) == T.device('cuda:0')
hash(T.device('cuda', 0)) == hash(T.device('cuda:0'))
T.device('cpu') == 'cpu'
T.device('cpu') != T.device('cuda')
T.device(T.device('cpu'))
str(T.device('cuda:0'))
repr(T.device('cuda:0'))
(T.device('cuda:3').type, T.device('cuda:3').index, T.device('cuda').index)
T.device(1.5)
T.device('cuda:-1')
T.device('cuda:01')
T.device()
T.ones(1).device
T.get_default_device()
T.device('cpu').__enter__() and None
(T.pi, T.e, T.inf, T.newaxis)
T.strided
T.contiguous_format
T.preserve_format
T.channels_last
T.ones(1).layout
"""

SHAPES = """
T.empty(2, 3)
T.empty((2, 3), dtype=T.int64)
T.empty(2, requires_grad=True)
T.empty(2, memory_format=T.contiguous_format)
T.empty(1, 2, 2, 2, memory_format=T.channels_last)
T.empty(2, 2, memory_format=T.channels_last)
T.empty(1, 2, 2, 2, 3, memory_format=T.channels_last_3d)
T.empty(2, memory_format=T.preserve_format)
T.empty(2, memory_format=4)
T.empty_like(T.ones(2, 3).t())
T.empty_like(T.ones(2, 3, 4).permute(2, 0, 1))
T.empty_like(T.ones(2), dtype=T.int32, requires_grad=True)
T.empty_strided((2, 3), (1, 2))
T.empty_strided((2, 3), (3, 1))
T.empty_strided((2, 3), (10, 2))
T.empty_strided((2, 3), (0, 1))
T.empty_strided((2, 3), (1,))
T.empty_strided((2, 3), (1, -1))
T.ones(2).new_empty(3)
T.ones(2).new_empty((3, 4), dtype=T.int64)
T.ones(2).new_empty_strided((2, 3), (1, 2))
T.ones(2, dtype=T.int32).new(2)
T.ones(2, dtype=T.int32).new(2, 3)
T.Tensor(2)
T.Tensor(2, 3)
T.Tensor(T.Size([2, 3]))
T.Tensor(-2)
T.LongTensor(2)
T.FloatTensor(2, device='cpu')
"""


def outcome(call, library, values=True):
    """What a call gives, in terms that are the same for both libraries."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            x = eval(call, {"T": library, "np": np})
    except Exception as error:
        return type(error).__name__
    if not isinstance(x, (torch.Tensor, plugrad.Tensor)):
        return repr(x).replace("torch", "plugrad")
    dtype = str(x.dtype).partition(".")[2]
    # A step says nothing where there is nothing to step to.
    steps = [s for n, s in zip(x.shape, x.stride()) if n > 1 and x.numel()]
    found = (dtype, tuple(x.shape), steps, x.requires_grad, x.is_leaf)
    return (found, x.tolist() if values else None)


def calls(*texts):
    return [line for text in texts for line in text.strip().splitlines()]


@pytest.mark.parametrize("call", calls(DATA, FILLED, RANGES, LEGACY, ASKED))
def test_call(call):
    ours, theirs = outcome(call, plugrad), outcome(call, torch)
    if "space(" in call and isinstance(theirs, tuple) and isinstance(ours, tuple):
        assert ours[0] == theirs[0]
        dtype = getattr(plugrad, ours[0][0])
        eps = 0 if dtype.kind == "i" else plugrad.finfo(dtype).eps
        np.testing.assert_allclose(ours[1], theirs[1], rtol=4 * eps, atol=eps)
    else:
        assert str(ours) == str(theirs)  # as text nan equals nan


@pytest.mark.parametrize("call", calls(SHAPES))
def test_call_without_values(call):
    assert outcome(call, plugrad, values=False) == outcome(call, torch, values=False)


@pytest.mark.parametrize("stop", [0.3, 1, 2.5, 7, 1000])
@pytest.mark.parametrize("step", [0.1, 0.25, 1 / 3, 1, 1.5])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", None])
def test_lengths_of_ranges(stop, step, dtype):
    call = f"T.arange(0, {stop}, {step}" + (f", dtype=T.{dtype})" if dtype else ")")
    ours, theirs = outcome(call, plugrad), outcome(call, torch)
    assert ours[0] == theirs[0]
    if not isinstance(ours, str):
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_default_dtype(dtype):
    try:
        for library in (torch, plugrad):
            library.set_default_dtype(getattr(library, dtype))
        for call in (
            *("T.tensor(1.)", "T.tensor([1., 2])", "T.zeros(2)", "T.arange(3.)"),
            *("T.full((2,), 1.)", "T.tensor([])", "T.eye(2)", "T.scalar_tensor(1)"),
            *("T.linspace(0, 1, 3)", "T.tensor(1)", "T.ones(1)", "T.Tensor([1])"),
        ):
            assert outcome(call, plugrad) == outcome(call, torch), call
    finally:
        for library in (torch, plugrad):
            library.set_default_dtype(library.float32)


def test_as_tensor_and_from_numpy_share_memory():
    for make in (plugrad.as_tensor, plugrad.from_numpy, plugrad.asarray):
        a = np.zeros(3)
        x = make(a)
        x[0] = 1
        a[1] = 2
        assert x.tolist() == a.tolist() == [1, 2, 0]
    a = np.arange(3)[::-1]  # which PyTorch refuses
    assert plugrad.from_numpy(a).tolist() == [2, 1, 0]


def test_tensor_copies():
    a = np.zeros(3)
    for x in (plugrad.tensor(a), plugrad.asarray(a, copy=True)):
        x[0] = 1
        assert a[0] == 0


def test_frombuffer_shares_memory():
    b = bytearray(4)
    x = plugrad.frombuffer(b, dtype=plugrad.uint8)
    x[1] = 7
    assert b[1] == 7


def test_out_is_returned_and_counts_as_written():
    x = plugrad.ones(3)
    p = plugrad.ones(3, requires_grad=True)
    y = p * x
    assert plugrad.zeros(3, out=x) is x
    with pytest.raises(RuntimeError, match="inplace"):
        y.sum().backward()


def test_the_device_as_context():
    for library in (plugrad, torch):
        with library.device("cpu") as d:
            assert library.get_default_device() == d
        library.set_default_device("cpu")
        assert str(library.get_default_device()) == "cpu"
        library.set_default_device(None)


def test_a_device_without_backend_is_refused():
    with pytest.raises(RuntimeError):
        with plugrad.device("xpu"):
            plugrad.zeros(2)
