"""What `torch` has under `plugrad run` beside plugrad's own, and libraries on top."""

from __future__ import annotations

import numpy as np
import pytest

import plugrad
from plugrad.plugins.run.functions import broadcast_shapes, nextafter
from tests.plugins.test_run import ran, torch  # noqa: F401  (a fixture)

# --- Modules ------------------------------------------------------------------------


def test_settings_are_remembered_and_change_nothing(torch):  # noqa: F811
    import torch.backends.cudnn as cudnn

    cudnn.benchmark = True
    assert torch.backends.cudnn.benchmark and torch.backends.cudnn is cudnn
    with cudnn.flags(enabled=False):
        assert not cudnn.enabled
    assert cudnn.enabled
    torch.backends.cuda.matmul.allow_tf32 = True
    assert torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.mps.is_available() and cudnn.version() is None
    with pytest.raises(AttributeError, match="torch.backends.cudnn has no setting"):
        cudnn.no_such_setting = 1
    torch.set_float32_matmul_precision("high")
    assert torch.get_float32_matmul_precision() == "high"
    torch.use_deterministic_algorithms(True)
    assert torch.are_deterministic_algorithms_enabled()


def test_groups_of_processes_are_not_available(torch):  # noqa: F811
    import torch.distributed as dist
    from torch.distributed import ReduceOp, init_process_group

    assert not dist.is_available() and not dist.is_initialized()
    assert "ReduceOp.SUM" in repr(ReduceOp.SUM)
    for function in (init_process_group, dist.barrier, dist.all_reduce, dist.get_rank):
        with pytest.raises(plugrad.UnsupportedOpError, match="is_available"):
            function()


def test_scripts_are_the_functions_themselves(torch):  # noqa: F811
    def doubled(x):
        return x * 2

    for make in (torch.jit.script, lambda f: torch.jit.trace(f, torch.ones(2))):
        with pytest.warns(UserWarning, match="compiles nothing") as told:
            assert make(doubled) is doubled
        assert told[0].filename == __file__
    assert not torch.jit.is_scripting() and not torch.compiler.is_compiling()
    assert torch.jit.ignore(doubled) is doubled
    with pytest.raises(plugrad.UnsupportedOpError, match="torch.jit.save"):
        torch.jit.save(doubled, "file")


def test_mixed_precision_is_said_to_be_none(torch):  # noqa: F811
    import torch.cuda.amp

    assert torch.autocast is torch.amp.autocast is plugrad.amp.autocast
    assert issubclass(torch.cuda.amp.autocast, torch.autocast)
    with pytest.warns(UserWarning, match="autocast casts nothing") as told:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.float32
    assert told[0].filename == __file__
    with torch.cuda.amp.autocast(enabled=False):
        assert not torch.is_autocast_enabled()
    with pytest.raises(RuntimeError, match="there is no type of device 'tpu'"):
        torch.autocast("tpu")


PROCESSES = """
import torch
import torch.multiprocessing as mp

def good(i, x):
    assert x.sum() == 3 and i in (0, 1)

def bad(i):
    if i == 1:
        raise ValueError("in process one")

if __name__ == "__main__":
    mp.set_sharing_strategy("file_system")
    mp.spawn(good, (torch.ones(3),), nprocs=2)
    try:
        mp.spawn(bad, nprocs=2)
    except mp.ProcessRaisedException as error:
        print("in process one" in str(error), mp.get_sharing_strategy())
"""


def test_processes_are_spawned_and_their_errors_raised(tmp_path):
    assert ran(tmp_path, PROCESSES) == "True file_system\n"


# --- Functions ----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nextafter_is_numpys(dtype):
    info = np.finfo(dtype)
    edges = [0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan, info.max, info.min, info.tiny]
    edges += [info.smallest_subnormal, -info.smallest_subnormal, 0.3, -7.5]
    a, b = np.meshgrid(*2 * [np.array(edges, dtype)])
    with np.errstate(all="ignore"):
        expected = np.nextafter(a, b)
    found = nextafter(plugrad.from_numpy(a.copy()), plugrad.from_numpy(b.copy()))
    np.testing.assert_array_equal(found.numpy(), expected)
    signs = np.signbit(found.numpy()) == np.signbit(expected)
    assert (signs | np.isnan(expected)).all()


@pytest.mark.parametrize(
    "shapes", [(), [(2, 1), (3,)], [(0,), (1,)], [(1,), ()], [(5, 1, 2), (4, 1), (2,)]]
)
def test_broadcast_shapes_are_numpys(shapes):
    assert tuple(broadcast_shapes(*shapes)) == np.broadcast_shapes(*shapes)


def test_shapes_that_do_not_broadcast():
    with pytest.raises(RuntimeError, match="do not broadcast"):
        broadcast_shapes((2,), (3,))


# --- Libraries that know PyTorch ----------------------------------------------------

ARRAY_API = """
import array_api_compat, torch
x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
xp = array_api_compat.array_namespace(x)
assert array_api_compat.is_torch_array(x) and xp.__name__ == "array_api_compat.torch"
print(xp.sum(x, axis=0).tolist(), xp.concat([x, x], axis=1).shape)
print(xp.std(x, axis=1, correction=1).tolist() == x.std(1).tolist())
print(xp.sort(x, descending=True).tolist(), xp.linalg.vector_norm(x[:, :0]).item())
print(xp.unique_values(x).tolist(), xp.astype(x, xp.int64).dtype)
"""

EINOPS = """
import torch
from einops import einsum, pack, rearrange, reduce, repeat
from einops.layers.torch import EinMix, Rearrange, Reduce
x = torch.arange(24.0).reshape(2, 3, 4).requires_grad_()
reduce(rearrange(x, "b c d -> b (c d)"), "b c -> b", "mean").sum().backward()
assert torch.equal(x.grad, torch.full((2, 3, 4), 1 / 12))
net = torch.nn.Sequential(
    Rearrange("b c d -> b (d c)"),
    EinMix("b c -> b d", weight_shape="c d", bias_shape="d", c=12, d=3),
    Reduce("b c -> c", "max"),
)
print(tuple(net(x).shape), tuple(repeat(x, "a b c -> (r a) b c", r=2).shape))
print(torch.equal(einsum(x, x, "a b c, a d c -> a b d"), x @ x.mT))
print(tuple(pack([x, x], "a * c")[0].shape))
"""

SAFETENSORS = """
import torch
import safetensors.torch as st
from safetensors import safe_open
net, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
st.save_file(net.state_dict(), "w.safetensors", metadata={"format": "pt"})
other.load_state_dict(st.load_file("w.safetensors"))
print(torch.equal(net.weight, other.weight), torch.equal(net.bias, other.bias))
with safe_open("w.safetensors", "pt") as file:
    part = file.get_slice("weight")[:1]
    print(sorted(file.keys()), torch.equal(part, net.weight[:1]))
st.save_model(torch.nn.Sequential(net, net), "shared.safetensors")
print(sorted(st.load_file("shared.safetensors")))
kinds = [torch.bfloat16, torch.float16, torch.float64, torch.int8, torch.bool]
many = {str(kind): torch.tensor([0, 1, 1]).to(kind) for kind in kinds}
for kind, t in st.load(st.save(many)).items():
    assert t.dtype == many[kind].dtype and torch.equal(t, many[kind])
print(len(many))
"""

SCIPY = """
import numpy as np, scipy.optimize, scipy.special, scipy.linalg, torch
x = torch.tensor([0.5, 1.5], dtype=torch.double)
print(np.allclose(scipy.special.erf(x), torch.special.erf(x)))
print(np.isclose(scipy.linalg.norm(x), x.norm().item()))

def cost(values):
    v = torch.tensor(values, requires_grad=True)
    loss = ((v - torch.tensor([1.0, -2.0])) ** 2).sum()
    loss.backward()
    return loss.item(), v.grad.numpy()

found = scipy.optimize.minimize(cost, [0.0, 0.0], jac=True)
print(np.allclose(found.x, [1, -2]))
"""

TQDM = """
import torch
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
bar = tqdm(DataLoader(torch.arange(10), batch_size=5), desc="epoch")
print([batch.sum().item() for batch in bar], len(tqdm(torch.ones(3))))
"""

LIBRARIES = {
    "array_api_compat": (
        ARRAY_API,
        "[4.0, 6.0] plugrad.Size([2, 4])\nTrue\n[[2.0, 1.0], [4.0, 3.0]] "
        "0.0\n[1.0, 2.0, 3.0, 4.0] plugrad.int64\n",
    ),
    "einops": (EINOPS, "(3,) (4, 3, 4)\nTrue\n(2, 6, 4)\n"),
    "safetensors": (
        SAFETENSORS,
        "True True\n['bias', 'weight'] True\n['0.bias', '0.weight']\n5\n",
    ),
    "scipy": (SCIPY, "True\nTrue\nTrue\n"),
    "tqdm": (TQDM, "[10, 35] 3\n"),
}


@pytest.mark.parametrize("name", LIBRARIES)
def test_libraries_take_plugrad_for_torch(name, tmp_path):
    text, expected = LIBRARIES[name]
    assert ran(tmp_path, text) == expected
