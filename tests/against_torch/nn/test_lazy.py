"""Modules and parameters without shapes, beside torch's."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.nn.test_convolution import assert_alike, raised

LAYERS = [
    ("LazyLinear", (4,), {}, (2, 3)),
    ("LazyLinear", (4,), {"bias": False}, (3,)),
    ("LazyConv1d", (4, 2), {"stride": 2}, (2, 3, 5)),
    ("LazyConv1d", (4, 2), {}, (3, 5)),
    ("LazyConv2d", (4, (2, 3)), {"groups": 2, "padding": 1}, (2, 6, 5, 5)),
    ("LazyConv2d", (4, 2), {"bias": False, "padding_mode": "circular"}, (3, 5, 5)),
    ("LazyConv3d", (4, 2), {"dilation": 2, "padding": "same"}, (1, 3, 4, 4, 4)),
    ("LazyConvTranspose1d", (4, 2), {"stride": 2, "output_padding": 1}, (2, 3, 5)),
    ("LazyConvTranspose2d", (4, 2), {"groups": 2, "bias": False}, (2, 6, 3, 3)),
    ("LazyConvTranspose3d", (4, 2), {"dilation": 2}, (3, 3, 3, 3)),
]
each_layer = pytest.mark.parametrize(
    ("name", "args", "kwargs", "shape"), LAYERS, ids=lambda v: str(v)
)


def text(value):
    return repr(value).replace("plugrad.", "torch.")


def layers(name, args, kwargs):
    return [getattr(lib.nn, name)(*args, **kwargs) for lib in (plugrad, torch)]


def shapes(module):
    """What stands under each key: a shape, or nothing yet."""
    lazy = "Uninitialized"
    return {
        key: repr(value) if lazy in type(value).__name__ else tuple(value.shape)
        for key, value in module.state_dict().items()
    }


@each_layer
def test_the_first_call_gives_shapes(name, args, kwargs, shape):
    ours, theirs = layers(name, args, kwargs)
    assert text(ours) == text(theirs)
    assert shapes(ours) == shapes(theirs)
    assert ours.has_uninitialized_params() and theirs.has_uninitialized_params()
    a, b = ours(plugrad.ones(*shape)), theirs(torch.ones(*shape))
    assert tuple(a.shape) == tuple(b.shape)
    assert text(ours) == text(theirs)
    assert shapes(ours) == shapes(theirs)
    assert type(ours).__name__ == type(theirs).__name__
    assert not ours._forward_pre_hooks and not ours._load_state_dict_pre_hooks
    for p in ours.parameters():
        assert type(p) is plugrad.nn.Parameter and p.requires_grad and p.is_leaf


@each_layer
def test_the_same_results_from_the_same_state(name, args, kwargs, shape):
    """Loading gives shapes, too; then both compute the same."""
    ours, theirs = layers(name, args, kwargs)
    donor = copy.deepcopy(theirs)
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    donor(torch.tensor(x))
    state = donor.state_dict()
    theirs.load_state_dict(state)
    ours.load_state_dict({key: value.numpy() for key, value in state.items()})
    assert not ours.has_uninitialized_params()
    assert type(ours).__name__ == type(theirs).__name__ == name
    a, b = ours(plugrad.tensor(x)), theirs(torch.tensor(x))
    assert type(ours).__name__ == type(theirs).__name__ == name.removeprefix("Lazy")
    np.testing.assert_allclose(
        a.detach().numpy(), b.detach().numpy(), rtol=1.3e-6, atol=1e-5
    )
    a.sum().backward()
    assert all(p.grad is not None for p in ours.parameters())


@each_layer
def test_initial_values(name, args, kwargs, shape):
    """Uniform within torch's bound: as far out, and no further."""
    plugrad.manual_seed(0)
    found = [[], []]
    for _ in range(40):
        for numbers, layer, lib in zip(
            found, layers(name, args, kwargs), (plugrad, torch), strict=True
        ):
            layer(lib.ones(*shape))
            numbers += [p.detach().numpy().reshape(-1) for p in layer.parameters()]
    ours, theirs = (np.concatenate(numbers) for numbers in found)
    assert abs(np.abs(ours).max() / np.abs(theirs).max() - 1) < 0.05
    assert abs(ours.std() / theirs.std() - 1) < 0.2


@each_layer
def test_states_between_lazy_and_not(name, args, kwargs, shape):
    ours, theirs = layers(name, args, kwargs)
    for module in (ours, theirs):  # neither side has shapes
        keys = module.load_state_dict(copy.deepcopy(module).state_dict())
        assert keys == ([], []) and module.has_uninitialized_params()
    done = [copy.deepcopy(module) for module in (ours, theirs)]
    done[0](plugrad.ones(*shape))
    done[1](torch.ones(*shape))
    assert_alike(
        raised(done[0].load_state_dict, ours.state_dict()),
        raised(done[1].load_state_dict, theirs.state_dict()),
    )
    assert_alike(raised(ours.load_state_dict, {}), raised(theirs.load_state_dict, {}))
    keys = ours.load_state_dict({"other": plugrad.ones(1)}, strict=False)
    assert keys == theirs.load_state_dict({"other": torch.ones(1)}, strict=False)


@each_layer
def test_copies_casts_and_pickles(name, args, kwargs, shape):
    layer, _ = layers(name, args, kwargs)
    layer = layer.double()
    for each in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert each.has_uninitialized_params()
        y = each(plugrad.ones(*shape, dtype=plugrad.float64))
        assert y.dtype is plugrad.float64 and each.weight.dtype is plugrad.float64
        assert type(each) is layer.cls_to_become and layer.has_uninitialized_params()
    assert layer.weight.dtype is plugrad.float64


def test_an_optimizer_keeps_its_parameters():
    """Parameters stay the objects that they were."""
    layer = plugrad.nn.LazyLinear(2)
    before = list(layer.parameters())
    layer(plugrad.ones(3, 4))
    assert all(a is b for a, b in zip(before, layer.parameters(), strict=True))


def test_moves_between_backends():
    layer = plugrad.nn.LazyConv1d(2, 3).to(plugrad.float16)
    assert layer.weight.dtype is plugrad.float16
    assert layer.weight.backend == plugrad.default_backend().name


# --- What cannot be done without a shape ----------------------------------------------

USES = {
    "shape": lambda lib, p: p.shape,
    "add": lambda lib, p: p + 1,
    "radd": lambda lib, p: 1 + p,
    "multiply": lambda lib, p: p * p,
    "matmul": lambda lib, p: lib.ones(2, 2) @ p,
    "index": lambda lib, p: p[0],
    "write": lambda lib, p: p.__setitem__(0, 1.0),
    "sum": lambda lib, p: p.sum(),
    "uniform": lambda lib, p: p.uniform_(),
    "numel": lambda lib, p: p.numel(),
    "dim": lambda lib, p: p.dim(),
    "detach": lambda lib, p: p.detach(),
    "clone": lambda lib, p: p.clone(),
    "item": lambda lib, p: p.item(),
    "list": lambda lib, p: p.tolist(),
    "view": lambda lib, p: p.view(-1),
    "backward": lambda lib, p: p.backward(),
    "share": lambda lib, p: p.share_memory_(),
    "linear": lambda lib, p: lib.nn.functional.linear(lib.ones(2, 2), p),
}
MADE = {
    "parameter": lambda lib: lib.nn.UninitializedParameter(),
    "buffer": lambda lib: lib.nn.UninitializedBuffer(),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_use(use, make):
    theirs = raised(use, torch, make(torch))
    ours = raised(use, plugrad, make(plugrad))
    assert theirs is not None
    # torch sees the use in any function, plugrad at the latest where the shape is read
    kind = (ValueError, RuntimeError) if use is USES["linear"] else type(theirs)
    assert isinstance(ours, kind), f"{ours!r} instead of {theirs!r}"


ASKED = {
    "text": repr,
    "dtype": lambda p: str(p.dtype).split(".")[-1],
    "grad": lambda p: p.grad,
    "requires_grad": lambda p: p.requires_grad,
    "leaf": lambda p: p.is_leaf,
    "size": lambda p: tuple(p.size()),
    "device": lambda p: str(p.device),
    "floating": lambda p: p.is_floating_point(),
    "double": lambda p: str(p.double().dtype).split(".")[-1],
    "data": lambda p: str(p.data.dtype).split(".")[-1],
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_what_can_be_asked(ask, make):
    assert ask(make(plugrad)) == ask(make(torch))


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_materialize(make):
    for lib in (plugrad, torch):
        p = make(lib)
        wanted = p.requires_grad
        p.materialize((2, 3), dtype=lib.float64)
        assert tuple(p.shape) == (2, 3) and p.dtype is lib.float64
        assert not lib.nn.parameter.is_lazy(p) and p.requires_grad is wanted
        assert tuple((p + 1).shape) == (2, 3)


# --- Lazy modules of one's own --------------------------------------------------------


def own(lib):
    """A lazy module with a parameter, a buffer and one that is not saved."""
    nn = lib.nn

    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(lib.ones(1))
            self.register_buffer("seen", lib.zeros(1))

        def forward(self, x, times=1):
            return x * self.weight * times + self.seen

    class LazyScale(nn.modules.lazy.LazyModuleMixin, Scale):
        cls_to_become = Scale

        def __init__(self):
            super().__init__()
            self.weight = nn.UninitializedParameter()
            self.register_buffer("seen", nn.UninitializedBuffer())
            self.register_buffer("own", nn.UninitializedBuffer(), persistent=False)

        def initialize_parameters(self, x, times=1):
            if self.has_uninitialized_params():
                with lib.no_grad():
                    self.weight.materialize(x.shape[-1:])
                    self.weight.fill_(times)
                    for buffer in (self.seen, self.own):
                        buffer.materialize(x.shape[-1:])
                        buffer.fill_(0.5)

    return LazyScale()


def test_a_module_of_ones_own():
    modules = [own(plugrad), own(torch)]
    assert shapes(modules[0]) == shapes(modules[1])
    ours, theirs = modules[0].double(), modules[1].double()
    a = ours(plugrad.ones(2, 3, dtype=plugrad.float64), times=2)
    b = theirs(torch.ones(2, 3, dtype=torch.float64), times=2)
    assert a.tolist() == b.tolist()
    assert ours.seen.dtype is plugrad.float64
    assert shapes(ours) == shapes(theirs)
    assert [n for n, _ in ours.named_buffers()] == [
        n for n, _ in theirs.named_buffers()
    ]
    lazy = [own(plugrad), own(torch)]
    for fresh, done in zip(lazy, (ours, theirs), strict=True):
        fresh.load_state_dict(done.state_dict())
    assert lazy[0].weight.tolist() == lazy[1].weight.tolist()
    assert lazy[0].seen.tolist() == lazy[1].seen.tolist()
    assert_alike(
        raised(lazy[0].own.sum),
        raised(lazy[1].own.sum),
    )


def forgetful(lib, how):
    class Forgetful(lib.nn.modules.lazy.LazyModuleMixin, lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = lib.nn.UninitializedParameter()

    if how == "does nothing":
        Forgetful.initialize_parameters = lambda self, x: None
    return Forgetful()


@pytest.mark.parametrize("how", ["says nothing", "does nothing"])
def test_a_module_that_stays_lazy(how):
    assert_alike(
        raised(forgetful(plugrad, how), plugrad.ones(2)),
        raised(forgetful(torch, how), torch.ones(2)),
    )


WRONG = {
    "dimensions": lambda lib: lib.nn.LazyConv2d(3, 2)(lib.ones(2, 3)),
    "transposed": lambda lib: lib.nn.LazyConvTranspose1d(3, 2)(lib.ones(3)),
    "groups": lambda lib: lib.nn.LazyConv2d(4, 2, groups=2)(lib.ones(2, 3, 5, 5)),
    "mode": lambda lib: lib.nn.LazyConvTranspose2d(4, 2, padding_mode="reflect"),
}


@pytest.mark.parametrize("function", WRONG.values(), ids=WRONG)
def test_a_first_call_that_does_not_fit(function):
    assert_alike(raised(function, plugrad), raised(function, torch))
