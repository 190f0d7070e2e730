"""The CuPy backend and plugrad.cuda on a fake CuPy (fake_cupy.py says what is fake)."""

from __future__ import annotations

import numpy as np
import pytest

import plugrad
from plugrad import engine
from plugrad.interface import OPS
from plugrad.selection import _loaded
from plugrad.testing import TOLERANCES, Make, samples_of
from tests.backends import fake_cupy, fake_kernels
from tests.backends.compared import difference, result
from tests.expected import report

pytestmark = [
    pytest.mark.skipif(
        fake_kernels.COMPILER is None, reason="g++ compiles the kernels for the fake"
    ),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]
FLOATS = [plugrad.float32, plugrad.float64]


@pytest.fixture(scope="module", autouse=True)
def cp():
    before = _loaded.pop("cupy", None)
    with fake_cupy.installed() as cupy:
        yield cupy
        _loaded.pop("cupy", None)
    if before is not None:
        _loaded["cupy"] = before


@pytest.fixture
def k():
    return plugrad.get_backend("cupy")


def ramp(*shape, device="cuda", **options):
    n = int(np.prod(shape))
    x = plugrad.arange(n, dtype=plugrad.float32).reshape(shape) / 4 - 1
    return x.to(device).requires_grad_(**options) if options else x.to(device)


# --- Kernels: results and gradients as NumPy's ----------------------------------------


def has_own_kernel(name):
    from plugrad.backends.cupy.kernels import Kernels

    return hasattr(Kernels, name)


def differences(name, dtypes, k):
    found, count = [], 0
    for dtype in dtypes:
        engine.COMPLEX[0] = dtype.kind == "c"
        makes = [Make(dtype, each, seed=0) for each in (k, "numpy")]
        for sample, other in zip(*(samples_of(OPS[name], make) for make in makes)):
            ours = result(OPS[name], sample)
            text = difference(ours, result(OPS[name], other))
            count += not isinstance(ours, Exception)
            if text:
                found.append(f"{dtype.name} {sample.kind}: {text}")
    return found, count


@pytest.mark.parametrize("name", [name for name in OPS if has_own_kernel(name)])
def test_an_op_with_a_kernel_of_its_own(name, k):
    dtypes = [plugrad.float32, plugrad.int64, plugrad.complex64]
    found, count = differences(name, dtypes, k)
    assert not found, report(found)
    assert count >= 4


UFUNCS = ["add", "div", "maximum", "bitwise_and", "eq", "logical_not"]
DEFAULTS = ["sum", "var", "flatten", "cat", "where", "cholesky", "sub"]


@pytest.mark.parametrize("name", UFUNCS + DEFAULTS)
def test_an_op_that_has_none(name, k):
    found, count = differences(name, [plugrad.float32, plugrad.bool], k)
    assert not found, report(found)
    assert count >= 4


@pytest.mark.parametrize("dtype", [*FLOATS, plugrad.float16])
@pytest.mark.parametrize("start", [(0, 0), (2**64 - 1, 5), (7, 2**64 - 3)])
def test_uniform_numbers_are_numpys(k, dtype, start):
    numpy = plugrad.get_backend("numpy")
    for count in (0, 1, 7, 8, 1001):
        ours = k.draw_uniform(*start, count, dtype).get()
        if start[1] > 2**63:  # where NumPy's kernel has no counter: the default body's
            words = np.random.Philox(counter=start[1], key=start[0]).random_raw(8)
            assert (k.random_words(*start, 2).get() == words).all()
            continue
        theirs = numpy.draw_uniform(*start, count, dtype)
        assert ours.dtype == theirs.dtype and (ours == theirs).all()


def test_integers_and_permutations_are_numpys(k):
    numpy = plugrad.get_backend("numpy")
    for low, high in ((0, 5), (-3, 5), (0, 2**32), (-(2**63), 2**63), (-7, 2**40)):
        args = (11, 3, 1003, low, high, plugrad.int64)
        assert (k.draw_integers(*args).get() == numpy.draw_integers(*args)).all()
    args = (11, 3, 100)
    assert (k.draw_permutation(*args).get() == numpy.draw_permutation(*args)).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_numbers_are_nearly_numpys(k, dtype):
    numpy = plugrad.get_backend("numpy")
    for count in (0, 1, 9, 5000):
        ours = k.draw_normal(3, 4, count, dtype).get()
        theirs = numpy.draw_normal(3, 4, count, dtype)
        assert ours.dtype == theirs.dtype
        assert np.allclose(ours, theirs, *TOLERANCES[dtype.name])


@pytest.mark.parametrize("name", ["softmax", "gelu", "cumsum", "add_", "axpby_"])
def test_16_bit_floats_are_computed_in_32(name):
    x = plugrad.linspace(-3, 3, 500).half()
    found = []
    for y in (x.to("cuda"), x.float()):
        if name == "add_":
            y.add_(y.clone(), alpha=0.3)
        elif name == "axpby_":
            y.axpby_(y.clone(), alpha=0.3, beta=0.9)
        else:
            y = OPS[name].function(y, *(() if name == "gelu" else (0,)))
        found.append(y.cpu().half().numpy())
    assert np.allclose(*found, *TOLERANCES["float16"])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "complex64"])
def test_axpby_in_place_is_numpys(dtype):
    found = []
    for device in ("cuda", "cpu"):
        x, y = (ramp(3, 4, device=device).to(getattr(plugrad, dtype)) for _ in "xy")
        x.axpby_(y + 1, alpha=2, beta=3).axpby_(y[0], alpha=5).axpby_(x, alpha=-2)
        if y.is_floating_point():
            x.axpby_(y, alpha=0.5, beta=0.3)
        found.append(x.cpu().numpy())
    np.testing.assert_allclose(*found, *TOLERANCES.get(dtype, (0, 0)))


def test_a_training_step_is_numpys():
    losses = []
    for device in ("cuda", "cpu"):
        plugrad.manual_seed(0)
        w = plugrad.randn(4, 3).to(device).requires_grad_()
        x = plugrad.randn(5, 3).to(device)
        target = plugrad.randint(0, 4, (5,)).to(device)
        found = []
        for _ in range(3):
            y = plugrad.log_softmax(x @ w.T, 1)
            loss = -y.gather(1, target.reshape(5, 1)).mean()
            loss.backward()
            with plugrad.no_grad():
                w.sub_(w.grad, alpha=0.5)
            w.grad = None
            found.append(loss.item())
        losses.append(found)
    assert np.allclose(*losses, *TOLERANCES["float32"])


# --- Memory ---------------------------------------------------------------------------


def test_what_an_index_out_of_bounds_does():
    x, i = ramp(3), plugrad.tensor([0, 5], device="cuda")
    for call in (lambda: x[i], lambda: x.index_put((i,), x[:2]), lambda: x.take(i)):
        with pytest.raises(IndexError, match="bounds|range"):
            call()


def test_views_share_memory_and_say_so():
    x = ramp(3, 4)
    views = {
        "slice": x[1:],
        "transpose": x.T,
        "strided": x.as_strided((2, 2), (4, 2), 1),
        "windows": x.unfold(1, 2, 1),
        "diagonal": x.diagonal(),
        "flat": x.view(-1),
    }
    host = ramp(3, 4, device="cpu")
    for name, view in views.items():
        assert view.untyped_storage() == x.untyped_storage(), name
        assert x._k.aliases(view._a, x._a) and not x._k.owns(view._a), name
    assert views["strided"].storage_offset() == 1
    assert x.untyped_storage().nbytes() == host.untyped_storage().nbytes()
    assert not x._k.aliases(x.clone()._a, x._a)
    for step, view in enumerate(views.values(), 1):
        view.mul_(step) if step != 4 else view[:, :, 0].mul_(step)
    host[1:].mul_(1)
    host.T.mul_(2)
    host.as_strided((2, 2), (4, 2), 1).mul_(3)
    host.unfold(1, 2, 1)[:, :, 0].mul_(4)
    host.diagonal().mul_(5)
    host.view(-1).mul_(6)
    assert x.cpu().tolist() == host.tolist()
    assert x.storage().tolist() == host.storage().tolist()


def test_a_write_to_repeated_elements_is_refused():
    for write in (lambda y: y.add_(1), lambda y: y.fill_(1), lambda y: y.relu_()):
        with pytest.raises(RuntimeError, match="single memory location"):
            write(ramp(3, 1).expand(3, 4))


# --- Devices --------------------------------------------------------------------------


def test_tensors_move():
    x = ramp(2, 3, device="cpu")
    y = x.cuda()
    assert (y.device, y.get_device(), y.is_cuda) == (plugrad.device("cuda:0"), 0, True)
    assert (
        y.cuda() is y and y.to("cuda:0") is y and y.type() == "plugrad.cuda.FloatTensor"
    )
    z = y.to("cuda:1")
    assert z.get_device() == 1 and z.T.to("cuda:0").cpu().tolist() == x.T.tolist()
    assert z.cpu().tolist() == y.tolist() == x.tolist()
    assert x.cuda(1).device == z.device and plugrad.cuda.current_device() == 0
    with pytest.raises(RuntimeError, match="cuda"):
        x.cuda("cpu")
    with pytest.raises(plugrad.BackendError, match="cuda:7"):
        x.to("cuda:7")
    with pytest.raises(TypeError, match="cpu"):
        y.numpy()
    with plugrad.device("cuda:1"):
        assert plugrad.zeros(2).get_device() == 1


def test_gradients_travel_between_devices():
    x = ramp(3, device="cpu", requires_grad=True)
    (x.to("cuda:1").to("cuda:0") * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0] and x.grad.is_cpu


def test_a_copy_between_devices_waits_for_what_makes_it():
    x = ramp(3)
    fake_cupy.LOG.clear()
    x.to("cuda:1")
    record, wait = fake_cupy.LOG
    assert record[0] == "record" and wait[0] == "wait" and wait[2] is record[1]
    assert record[1].device == 0


def test_the_current_device():
    cuda = plugrad.cuda
    with cuda.device(1):
        assert cuda.current_device() == 1 and ramp(2).get_device() == 1
        with cuda.device_of(plugrad.zeros(1)):
            assert cuda.current_device() == 1
    assert cuda.current_device() == 0
    cuda.set_device("cuda:1")
    assert cuda.current_device() == 1
    cuda.set_device(0)
    assert cuda.get_device_name(1) == "Fake GPU"
    assert cuda.get_device_capability() == (9, 0) and cuda.get_arch_list() == ["sm_90"]
    assert cuda.can_device_access_peer(0, 1) and cuda.is_initialized()
    for wrong in (2, "cuda:2"):
        with pytest.raises(plugrad.BackendError, match="cuda:2"):
            cuda.synchronize(wrong)
    with pytest.raises(ValueError, match="cuda device"):
        cuda.synchronize("cpu")


# --- Transfers ------------------------------------------------------------------------


def test_pinned_memory():
    x = ramp(2, 3, device="cpu")
    y = x.pin_memory()
    assert y.is_pinned() and not x.is_pinned() and y.tolist() == x.tolist()
    assert y.pin_memory() is y and not y.cuda().is_pinned()
    with pytest.raises(RuntimeError, match="pin"):
        y.cuda().pin_memory()


def test_a_transfer_to_the_device_that_nobody_waits_for(k):
    stream = fake_cupy.get_current_stream()
    stream.synchronize()
    pinned = ramp(2, 3, device="cpu").pin_memory()
    y = pinned.to("cuda", non_blocking=True)
    assert [values is pinned._a for _, values in k.in_flight] == [True]
    stream.synchronize()
    pinned.to("cuda", non_blocking=True)
    assert len(k.in_flight) == 1, "the first transfer is done"
    assert y.cpu().tolist() == pinned.tolist()
    ramp(2, 3, device="cpu").to("cuda", non_blocking=True)  # pageable: as ever
    assert len(k.in_flight) == 1


def test_a_transfer_from_the_device_that_nobody_waits_for():
    x = ramp(2, 3)
    y = x.to("cpu", non_blocking=True)
    assert y.is_pinned() and not y.any()
    plugrad.cuda.current_stream().synchronize()
    assert y.tolist() == x.tolist()


# --- Streams and events ---------------------------------------------------------------


def test_streams():
    cuda = plugrad.cuda
    s = cuda.Stream(priority=-1)
    assert s.priority == -1 and s.device == plugrad.device("cuda:0")
    assert cuda.current_stream() == cuda.default_stream() != s
    with cuda.stream(s):
        assert cuda.current_stream() == s and hash(s) == hash(cuda.current_stream())
        x = ramp(2)
    assert cuda.current_stream() == cuda.default_stream() and x.tolist() == [-1, -0.75]
    other = cuda.Stream(device="cuda:1")
    with cuda.stream(other):
        assert cuda.current_device() == 1
    assert cuda.current_device() == 0
    cuda.set_stream(s)
    assert cuda.current_stream() == s
    cuda.set_stream(cuda.default_stream())
    external = cuda.ExternalStream(s.cuda_stream)
    assert external == s


def test_events():
    cuda = plugrad.cuda
    s, t = cuda.Stream(), cuda.Stream()
    start, end = (cuda.Event(enable_timing=True) for _ in range(2))
    assert start.query() and start.cuda_event == 0
    with pytest.raises(ValueError, match="recorded"):
        start.elapsed_time(end)
    start.record(s)
    s.record_event(end)
    assert not start.query() and not s.query()
    s.synchronize()
    assert start.query() and s.query() and start.elapsed_time(end) > 0
    fake_cupy.LOG.clear()
    t.wait_stream(s)
    (_, event, recorded_on), (_, waiting, waited_for) = fake_cupy.LOG
    assert (recorded_on, waiting, waited_for) == (s.cupy_stream, t.cupy_stream, event)
    with pytest.raises(ValueError, match="enable_timing"):
        cuda.Event().elapsed_time(end)


# --- Memory statistics, random states, comm, types ------------------------------------


def test_memory_statistics():
    cuda = plugrad.cuda
    before = cuda.memory_allocated()
    with pytest.warns(UserWarning, match="from now on"):
        cuda.max_memory_allocated()
    cuda.reset_peak_memory_stats()
    x = plugrad.zeros(1 << 18, device="cuda")
    y = x + 1
    assert cuda.memory_allocated() - before == x.nbytes + y.nbytes
    del y
    assert cuda.memory_allocated() - before == x.nbytes
    assert cuda.max_memory_allocated() - before >= 2 * x.nbytes
    assert cuda.memory_reserved() >= 2 * x.nbytes
    cuda.empty_cache()
    assert cuda.memory_reserved() == cuda.memory_allocated()
    cuda.reset_peak_memory_stats()
    assert cuda.max_memory_allocated() == cuda.memory_allocated()
    assert "MiB" in cuda.memory_summary() and cuda.mem_get_info()[1] == 1 << 34


def test_random_states_are_those_of_the_one_stream():
    cuda = plugrad.cuda
    cuda.manual_seed_all(3)
    x = plugrad.rand(4, device="cuda")
    plugrad.manual_seed(3)
    assert plugrad.rand(4).tolist() == x.tolist() and cuda.initial_seed() == 3
    states = cuda.get_rng_state_all()
    assert len(states) == cuda.device_count() == 2
    x = plugrad.rand(4, device="cuda")
    cuda.set_rng_state_all(states)
    assert plugrad.rand(4, device="cuda").tolist() == x.tolist()
    cuda.seed()
    assert cuda.initial_seed() == plugrad.initial_seed() != 3


def test_comm():
    comm = plugrad.cuda.comm
    x = ramp(4, 2, requires_grad=True)
    parts = comm.scatter(x, [0, 1], [1, 3])
    assert [(p.get_device(), p.shape[0]) for p in parts] == [(0, 1), (1, 3)]
    again = comm.gather(parts, destination=0)
    assert again.tolist() == x.tolist()
    again.sum().backward()
    assert x.grad.tolist() == plugrad.ones(4, 2).tolist()
    copies = comm.broadcast(x.detach(), [0, 1])
    assert [each.get_device() for each in copies] == [0, 1]
    assert comm.reduce_add(copies, 0).tolist() == (x * 2).tolist()
    assert comm.gather(copies, destination=-1).is_cpu
    with pytest.raises(ValueError, match="sizes"):
        comm.reduce_add(parts)


def test_types():
    cuda = plugrad.cuda
    x = cuda.FloatTensor([1, 2])
    assert x.is_cuda and x.dtype is plugrad.float32 and x.tolist() == [1.0, 2.0]
    assert isinstance(x, cuda.FloatTensor) and not isinstance(x, plugrad.FloatTensor)
    assert cuda.LongTensor(2, 3).shape == (2, 3)
    y = plugrad.ones(2).type(cuda.DoubleTensor)
    assert y.is_cuda and y.type() == "plugrad.cuda.DoubleTensor"


def test_marks_for_profilers():
    fake_cupy.LOG.clear()
    with plugrad.cuda.nvtx.range("step {}", 1):
        plugrad.cuda.nvtx.mark("here")
    assert fake_cupy.LOG == [("push", "step 1"), ("mark", "here"), ("pop",)]
