"""Tensors on JAX's arrays: what PyTorch promises although no array is ever written.

Beside the comparison of the ops (`test_jax_ops.py`): writes, views and aliases against
the NumPy backend, 64 bits without a change to the process, draws, devices, DLPack,
`plugrad.compile`, threads.
"""

from __future__ import annotations

import copy
import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import plugrad

jax = pytest.importorskip("jax", reason="the JAX backend needs jax")
jnp = jax.numpy


@pytest.fixture
def on_jax():
    with plugrad.backend("jax") as k:
        yield k


def both(function):
    """What a function of the module `plugrad` gives on NumPy and on JAX."""
    found = []
    for name in ("numpy", "jax"):
        with plugrad.backend(name):
            plugrad.manual_seed(0)
            found.append(function())
    return found


def same(function, exact=False):
    """Whether tensors that a function gives are the same on both backends."""
    for a, b in zip(*both(function), strict=True):
        assert (a.backend, b.backend) == ("numpy", "jax")
        assert a.dtype is b.dtype and a.shape == b.shape
        if exact:
            np.testing.assert_array_equal(a.numpy(), b.numpy())
        else:
            plugrad.testing.assert_close(a, b.to(backend="numpy"))


# --- 64 bits --------------------------------------------------------------------------


def test_jax_itself_stays_as_it_is(on_jax):
    def users():
        return jnp.arange(3).dtype, (jnp.ones(2) * 2.5).dtype, jnp.asarray(1.5).dtype

    before, seen = users(), []

    class Watch(plugrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            seen.append(users())
            return x * 2

        @staticmethod
        def backward(ctx, g):
            seen.append(users())
            return g * 2

    x = plugrad.ones(3, dtype=plugrad.float64, requires_grad=True)
    y = Watch.apply(x * 0.5)
    y.register_hook(lambda g: seen.append(users()))
    y.sum().backward()
    assert x.grad.dtype is plugrad.float64
    assert len(seen) == 3 and all(each == before for each in seen)
    assert users() == before and not jax.config.jax_enable_x64


def test_wide_dtypes_stay_wide(on_jax):
    x = plugrad.tensor([1, 2, 3])
    y = x.double().requires_grad_()
    loss = ((y * 2.5 + 1) / 3).pow(2).mean()
    (g,) = plugrad.autograd.grad(loss, y, create_graph=True)
    g.sum().backward()
    assert (x * 2 + 1).dtype is plugrad.int64
    assert {t.dtype for t in (loss, g, y.grad)} == {plugrad.float64}


@pytest.mark.parametrize("paired", [False, True])
def test_wide_dtypes_stay_wide_in_kernels_of_plugins(on_jax, paired):
    kernels = plugrad.Overrides("thirds", backend="jax")
    if paired:
        kernels.pair("sin", lambda x: (x / 3.0, None), lambda g, *_: [g / 3.0])
    else:
        kernels.add("sin")(lambda x: x / 3.0)
    x = plugrad.tensor([1.0, 2.0], dtype=plugrad.float64, requires_grad=True)
    with plugrad.use_kernels("jax", kernels):
        for y in (plugrad.sin(x), x.sin(), x.detach().sin_()):
            assert y.dtype is plugrad.float64
            assert y.tolist() == [1 / 3, 2 / 3]
        plugrad.sin(x).sum().backward()
    assert x.grad.dtype is plugrad.float64


def creations():
    m, d = plugrad, plugrad.float64
    yield m.tensor([1, 2])
    yield m.full((2,), 1.5, dtype=d)
    yield m.arange(0, 1, 0.25, dtype=d)
    yield m.linspace(0, 1, 5, dtype=d)
    yield m.logspace(0, 1, 3, dtype=d)
    yield m.eye(3, dtype=d)
    yield m.full_like(m.ones(2, dtype=d), 3)
    yield m.hann_window(5, dtype=d)
    yield m.tril_indices(3, 3)
    yield m.ones(2, dtype=m.bfloat16) * 3
    yield m.ones(2, dtype=m.float16) / 3


def test_creation():
    same(lambda: list(creations()), exact=True)


# --- Draws ----------------------------------------------------------------------------


def draws():
    m = plugrad
    for d in (m.float32, m.float64, m.float16, m.bfloat16, m.complex128):
        yield m.rand(50, dtype=d)
    for low, high in ((0, 10), (-3, 2**40), (-(2**62), 2**62)):
        yield m.randint(low, high, (50,))
    yield m.randperm(100)
    yield m.bernoulli(m.full((50,), 0.5))
    yield m.multinomial(m.tensor([0.1, 0.2, 0.7]), 2)
    yield m.zeros(9, dtype=m.float64).random_(3, 9)
    yield m.zeros(9, dtype=m.float64).uniform_(2, 3)


def test_draws_are_numpys():
    same(lambda: list(draws()), exact=True)


@pytest.mark.parametrize("dtype", [plugrad.float32, plugrad.float64])
def test_normals_agree_to_four_units(dtype):
    a, b = both(lambda: plugrad.randn(1000, dtype=dtype))
    np.testing.assert_array_max_ulp(a.numpy(), b.numpy(), maxulp=4)


def fills():
    for dtype in (plugrad.float32, plugrad.float64, plugrad.float16):
        for name in ("normal_", "exponential_", "cauchy_", "log_normal_"):
            yield getattr(plugrad.zeros(100, dtype=dtype), name)()


def test_fills():
    same(lambda: list(fills()))


def test_words_made_by_jax_are_numpys(on_jax):
    from plugrad.backends.jax.random import random_words
    from plugrad.backends.jax.wide import widened

    draw = plugrad.get_backend("numpy").kernel("random_words")
    for key, counter, blocks in ((0, 0, 1), (2**64 - 1, 5, 3), (7, 2**40, 100)):
        made = widened(random_words)(key, counter, blocks)
        np.testing.assert_array_equal(made, draw(key, counter, blocks))


# --- Writes, views and aliases --------------------------------------------------------


def random_steps(seed):
    from tests.against_torch.inplace_programs import STEPS

    rng = random.Random(seed)
    names = sorted(set(STEPS) - {"data"})  # what `.data` does to saved arrays: below
    return [
        (rng.choice(names), rng.randint(0, 7), rng.randint(0, 7), rng.randint(0, 5))
        for _ in range(rng.randint(3, 8))
    ]


@pytest.mark.parametrize("seed", range(40))
def test_programs(seed):
    """Views, writes, pure steps, with and without gradients, of first and second
    order: the same values, leaves, errors and gradients as on NumPy."""
    pytest.importorskip("torch", reason="the programs are those compared with torch")
    from tests.against_torch.inplace_programs import Run, differ_in

    steps = random_steps(seed)
    on_numpy, ours = both(lambda: Run(plugrad, steps))
    assert type(ours.error) is type(on_numpy.error), (steps, ours, on_numpy)
    assert not differ_in(ours, on_numpy), (steps, ours, on_numpy)


def aliases():
    m = plugrad
    x = m.zeros(2, 3)
    d, v, row = x.detach(), x.data, x[1]
    flat, turned = x.view(-1), x.t()
    own = turned.contiguous()  # a copy, as where memory has an order
    d.add_(1)
    row[0] = 5
    v[:, 2].mul_(3)
    turned[1].fill_(7)
    x[x > 6] = 8
    m.add(m.ones(3), 1, out=row)
    flat[::4].sub_(m.ones(2), alpha=0.5)
    x.uniform_(0, 0).add_(flat.view(2, 3))
    own.zero_()
    yield from (x, d, v, row, flat, turned, own)
    a, b = m.zeros(4)[0:3].detach(), None
    b = a.detach()[1:]
    a.fill_(1)
    b.mul_(3)
    yield from (a, b)
    p = m.Parameter(m.ones(3))
    state, q = p.detach(), p.data
    p.data.add_(1)
    with m.no_grad():
        p.sub_(m.ones(3), alpha=0.25)
    yield from (p.detach().clone(), state.clone(), q.clone())
    p.data = m.zeros(3)
    p.data[1] = 5
    state.fill_(9)
    yield from (p.detach(), state, q)
    c = m.zeros(2, dtype=m.complex64)
    r = m.view_as_real(c)
    c.real.fill_(2)
    c.imag[0] = 1
    r[1, 1] = 4
    yield from (c, r)
    f = m.zeros(2)
    f.view(m.int32).fill_(1065353216)
    yield f
    s = m.arange(6).reshape(2, 3)
    first = s[0]
    s.t_()
    s[0] = 9
    yield from (s, first)
    w = m.arange(5)
    w.unfold(0, 3, 1)[1].zero_()
    yield w
    z = copy.copy(w)
    z[0] = 4
    yield from (w, z)


def test_aliases_see_writes():
    same(lambda: list(aliases()), exact=True)


def test_overlapping_pieces_without_their_base(on_jax):
    x = plugrad.zeros(4)
    a, b = x[0:3].detach(), x[1:4].detach()
    del x
    a.fill_(1)
    b.mul_(3)
    assert a.tolist() == [1, 3, 3] and b.tolist() == [3, 3, 0]


def test_layouts_are_numpys():
    def layout():
        x = plugrad.zeros(2, 3, 4)
        views = [x.transpose(0, 2), x[:, 1:], x[1, ::2], x.permute(2, 0, 1)[1:]]
        views += [x.view(6, 4)[::2], x.unsqueeze(1), x.flatten(), x.expand(5, 2, 3, 4)]
        for v in views:
            place = v.data_ptr() - x.data_ptr()
            yield v.stride(), v.storage_offset(), v.is_contiguous(), place
            yield v.reshape(-1).data_ptr() == v.data_ptr()

    on_numpy, ours = both(lambda: list(layout()))
    assert ours == on_numpy


def test_what_numpy_refuses_is_refused(on_jax):
    x = plugrad.zeros(2, 3)
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        x.t().view(-1)
    with pytest.raises(RuntimeError, match="read-only"):
        x[0].expand(2, 3).add_(1)


def test_a_write_to_a_saved_tensor_is_seen(on_jax):
    x = plugrad.ones(3, requires_grad=True)
    y = x.exp()
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_results_are_no_aliases_of_arguments(on_jax):
    """Where JAX gives back the very array, a write to the result stays there."""
    x = plugrad.ones(3)
    for y in (x.clone(), x.clamp(0, 2), x * 1, x.reshape(3).clone(), x.to(x.dtype) + 0):
        y.detach().zero_()
        assert x.tolist() == [1, 1, 1]


def test_arrays_of_others_are_never_written(on_jax):
    theirs = jnp.ones(3)
    x, y = plugrad.as_tensor(theirs), plugrad.as_tensor(theirs)
    x.detach().add_(1)
    assert theirs.tolist() == [1, 1, 1] and y.tolist() == [1, 1, 1]
    assert x.tolist() == [2, 2, 2]


def test_layouts_go_with_their_arrays():
    with plugrad.backend("jax") as k:
        before = len(k.memories.layouts)
        x = plugrad.zeros(3, 3)
        views = [x[i] for i in range(3)]
        for view in views:
            view.add_(1)
        assert len(k.memories.layouts) > before
        del x, view, views
        assert len(k.memories.layouts) == before


# --- Devices, other libraries, pickles ------------------------------------------------


def test_devices(on_jax):
    x = plugrad.ones(2, device="cpu")
    kinds = {each.platform for each in jax.devices()} | {"cpu"}
    assert {"cuda" if each == "gpu" else each for each in kinds} >= {x.device.type}
    assert set(on_jax.device_types) >= {"cpu"} and x.to("cpu") is x
    with pytest.raises(RuntimeError, match="there is no device"):
        x.to("cpu:999")


def test_other_libraries(on_jax):
    x = plugrad.tensor([1.0, 2.0])
    assert np.from_dlpack(x).tolist() == np.asarray(x).tolist() == [1, 2]
    assert jnp.from_dlpack(x).tolist() == [1, 2]
    assert plugrad.from_dlpack(jnp.ones(2)).backend == "jax"
    wide = np.arange(3.0)

    class Other:
        def __dlpack__(self, **options):
            return wide.__dlpack__(**options)

        def __dlpack_device__(self):
            return wide.__dlpack_device__()

    y = plugrad.from_dlpack(Other())
    assert y.backend == "jax" and y.dtype is plugrad.float64 and y.tolist() == [0, 1, 2]
    assert not x.numpy().flags.writeable  # a write to it could not reach the tensor
    back = x.to(backend="numpy").to(backend="jax")
    assert back.backend == "jax" and back.tolist() == [1, 2]
    for z in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert z.backend == "jax" and z.equal(x)


def test_gradients_cross_backends():
    x = plugrad.ones(3, dtype=plugrad.float64, requires_grad=True)
    y = (x * 2).to(backend="jax") * 1.5
    (y.to(backend="numpy") * 2).sum().backward()
    assert x.grad.backend == "numpy" and x.grad.tolist() == [6, 6, 6]


def test_threads():
    def train(seed):
        with plugrad.backend("jax" if seed % 2 else "numpy"):
            g = plugrad.Generator().manual_seed(seed // 2)
            w = plugrad.rand(3, dtype=plugrad.float64, generator=g).requires_grad_()
            for _ in range(5):
                ((w * 2 - 1) ** 2).sum().backward()
                with plugrad.no_grad():
                    w.sub_(w.grad, alpha=0.1)
                w.grad = None
            return w.tolist(), jnp.arange(2).dtype

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(train, range(12)))
    assert {dtype for _, dtype in found} == {jnp.arange(2).dtype}
    for (a, _), (b, _) in zip(found[::2], found[1::2]):
        np.testing.assert_allclose(a, b)


def test_data_comes_in_without_a_program_and_is_a_copy():
    programs = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: programs.append(event)
    )
    values = np.arange(64.0).reshape(2, 32)
    with plugrad.backend("jax"):
        shared = plugrad.as_tensor(values).to(backend="jax")
        x = plugrad.tensor(values)
        plugrad.tensor([[0.5] * 11] * 3), plugrad.tensor(3)
    values[...] = -1
    assert not [each for each in programs if "compile" in each]
    assert x.sum().item() == shared.sum().item() == 64 * 63 / 2
