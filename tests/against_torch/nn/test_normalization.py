"""Normalization: layers, functional forms, running values, lazy ones, errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import plugrad
from plugrad.testing import TOLERANCES
from tests.against_torch.nn.layers import Layer, check
from tests.against_torch.same import cases, outcome, same

SHAPES = {1: (3, 2, 5), 2: (3, 2, 2, 3), 3: (3, 2, 1, 2, 2)}

LAYERS = []
for n, shape in SHAPES.items():
    name = f"BatchNorm{n}d"
    LAYERS += [
        Layer(name, (2,), inputs=[shape]),
        Layer(name, (2, 0.1, 0.3), inputs=[shape]),
        Layer(name, (2,), {"momentum": None}, inputs=[shape]),
        Layer(name, (2,), {"momentum": 1}, inputs=[shape]),
        Layer(name, (2,), {"affine": False}, inputs=[shape]),
        Layer(name, (2,), {"bias": False}, inputs=[shape]),
        Layer(name, (2,), {"track_running_stats": False}, inputs=[shape]),
        Layer(
            name,
            (2,),
            {"affine": False, "track_running_stats": False, "eps": 0.5},
            inputs=[shape],
        ),
    ]
    name = f"InstanceNorm{n}d"
    LAYERS += [
        Layer(name, (2,), inputs=[shape]),
        Layer(name, (2,), inputs=[shape[1:]]),
        Layer(name, (2, 0.1), {"affine": True}, inputs=[shape]),
        Layer(name, (2,), {"affine": True, "bias": False}, inputs=[shape]),
        Layer(name, (2,), {"track_running_stats": True}, inputs=[shape]),
        Layer(
            name,
            (2,),
            {"track_running_stats": True, "affine": True, "momentum": 0.3},
            inputs=[shape[1:]],
        ),
    ]
LAYERS += [
    Layer("BatchNorm1d", (4,), inputs=[(3, 4)]),
    Layer("BatchNorm1d", (4,), {"affine": False}, inputs=[(3, 4)]),
    Layer("SyncBatchNorm", (4,), inputs=[(3, 4)]),
    Layer("SyncBatchNorm", (4,), {"momentum": None}, inputs=[(3, 4, 2, 2)]),
    Layer("SyncBatchNorm", (4, 0.1), {"affine": False}, inputs=[(3, 4)]),
    Layer("SyncBatchNorm", (4,), {"track_running_stats": False}, inputs=[(3, 4)]),
    Layer("LayerNorm", (4,), inputs=[(3, 4)]),
    Layer("LayerNorm", (4,), inputs=[(4,)]),
    Layer("LayerNorm", ([3, 4],), inputs=[(2, 3, 4)]),
    Layer("LayerNorm", ((2, 3, 4),), inputs=[(2, 3, 4)]),
    Layer("LayerNorm", (40, 0.1), inputs=[(2, 3, 40)]),
    Layer("LayerNorm", (4,), {"elementwise_affine": False}, inputs=[(3, 4)]),
    Layer("LayerNorm", (4,), {"bias": False}, inputs=[(3, 4)]),
    Layer("LayerNorm", (4,), inputs=[(0, 4)]),
    Layer("RMSNorm", (4,), inputs=[(3, 4)]),
    Layer("RMSNorm", ([3, 4], 0.1), inputs=[(2, 3, 4)]),
    Layer("RMSNorm", (4,), {"elementwise_affine": False}, inputs=[(3, 4)]),
    Layer("RMSNorm", (4,), inputs=[(0, 4)]),
    Layer("GroupNorm", (2, 4), inputs=[(3, 4)]),
    Layer("GroupNorm", (2, 4), inputs=[(3, 4, 5)]),
    Layer("GroupNorm", (1, 4, 0.1), inputs=[(3, 4, 2, 2)]),
    Layer("GroupNorm", (4, 4), inputs=[(2, 4, 1, 2, 2)]),
    Layer("GroupNorm", (2, 4), {"affine": False}, inputs=[(3, 4, 5)]),
    Layer("GroupNorm", (2, 4), {"bias": False}, inputs=[(3, 4, 5)]),
    Layer("GroupNorm", (2, 4), inputs=[(0, 4, 5)]),
    Layer("LocalResponseNorm", (2,), inputs=[(2, 5, 3)]),
    Layer("LocalResponseNorm", (3, 0.5, 0.6, 2.0), inputs=[(2, 5, 3, 2)]),
    Layer("LocalResponseNorm", (4, 0.5), inputs=[(2, 5, 2, 2, 2)]),
    Layer("LocalResponseNorm", (1,), {"k": 0.5}, inputs=[(2, 5, 2)]),
    Layer("LocalResponseNorm", (9, 1.0), inputs=[(2, 3, 2)]),
    Layer("LocalResponseNorm", (2,), inputs=[(0, 5, 3)]),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer):
    check(layer, wide=4)


def values(m, *shape, dtype="float64", seed=1):
    data = np.random.default_rng(seed).standard_normal(shape) + 0.5
    return m.tensor(data, dtype=getattr(m, dtype))


def close(found, expected):
    """Compare the tensors of two results."""
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected):
        if theirs is None:
            assert ours is None
            continue
        assert str(ours.dtype)[8:] == str(theirs.dtype)[6:]
        assert tuple(ours.shape) == tuple(theirs.shape)
        if not theirs.dtype.is_floating_point:
            assert ours.tolist() == theirs.tolist()
            continue
        rtol, atol = TOLERANCES[ours.dtype.name]
        a, b = ours.detach().double().numpy(), theirs.detach().double().numpy()
        assert np.allclose(a, b, rtol, 4 * atol, equal_nan=True)


def both(call):
    close(call(plugrad), call(torch))


# --- Functional forms -----------------------------------------------------------------


def trained(m, name, shape, *args, **options):
    """A function's result, and its gradients."""
    x = values(m, *shape).requires_grad_()
    given = [v(m).requires_grad_() if callable(v) else v for v in args]
    options = {
        key: v(m).requires_grad_() if callable(v) else v for key, v in options.items()
    }
    y = getattr(m.nn.functional, name)(x, *given, **options)
    (y * y.detach().cos()).sum().backward()
    leaves = [v for v in (*given, *options.values()) if hasattr(v, "requires_grad")]
    return [y, x.grad, *(leaf.grad for leaf in leaves)]


def tensor(*shape, seed=2):
    return lambda m: values(m, *shape, seed=seed)


@pytest.mark.parametrize(
    ("name", "shape", "args", "options"),
    [
        ("layer_norm", (3, 4), ((4,),), {}),
        ("layer_norm", (3, 4), ([4], tensor(4)), {}),
        ("layer_norm", (3, 4), ((4,), None, tensor(4)), {"eps": 0.3}),
        ("layer_norm", (2, 3, 4), ((3, 4),), {"bias": tensor(3, 4)}),
        ("layer_norm", (2, 3, 4), ((3, 4), tensor(3, 4)), {"bias": tensor(3, 4)}),
        ("rms_norm", (3, 4), ((4,),), {}),
        ("rms_norm", (3, 4), ([4], tensor(4), 0.3), {}),
        ("group_norm", (3, 4), (2,), {}),
        ("group_norm", (3, 4, 2), (2, tensor(4)), {}),
        ("group_norm", (3, 4, 2), (4, tensor(4), tensor(4)), {"eps": 0.5}),
        ("instance_norm", (3, 4, 2), (), {}),
        ("instance_norm", (3, 4, 2), (), {"weight": tensor(4), "bias": tensor(4)}),
        ("instance_norm", (3, 4, 2, 2), (), {"bias": tensor(4), "eps": 0.1}),
        ("batch_norm", (3, 4), (None, None), {"training": True}),
        ("batch_norm", (3, 4, 2), (None, None, tensor(4)), {"training": True}),
        ("batch_norm", (3, 4, 2), (None, None), {"training": True, "bias": tensor(4)}),
        ("local_response_norm", (2, 5, 3), (3,), {"alpha": 2.0, "beta": 0.5, "k": 2.0}),
    ],
)
def test_functions(name, shape, args, options):
    both(lambda m: trained(m, name, shape, *args, **options))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", ["batch_norm", "instance_norm"])
def test_running_values(name, training):
    def call(m):
        x = values(m, 3, 4, 2).requires_grad_()
        mean, var = values(m, 4, seed=3), values(m, 4, seed=4).abs()
        weight = values(m, 4, seed=5).requires_grad_()
        args = mean, var, weight, None, training, 0.25, 0.01
        y = getattr(m.nn.functional, name)(x, *args)
        y.cos().sum().backward()
        return y, mean, var, x.grad, weight.grad

    both(call)


@pytest.mark.parametrize("name", ["batch_norm", "instance_norm"])
def test_one_running_value_alone(name):
    def call(m):
        x = values(m, 3, 4, 2)
        mean, var = values(m, 4), values(m, 4).abs()
        function = getattr(m.nn.functional, name)
        function(x, mean, None, None, None, True)
        function(x, None, var, None, None, True)
        return mean, var

    close(call(plugrad), moved(name))


def moved(name):
    """What torch makes of both at once; given one, it moves neither or fails."""
    x = values(torch, 3, 4, 2)
    mean, var = values(torch, 4), values(torch, 4).abs()
    getattr(torch.nn.functional, name)(x, mean, var, None, None, True)
    return mean, var


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["layer_norm", "group_norm", "batch_norm", "rms_norm"])
def test_small_dtypes(name, dtype):
    """Computed in 32 bits, so that 2000 squared is no infinity."""

    def call(m):
        x = (values(m, 4, 6) * 2000).to(getattr(m, dtype))
        args = {"group_norm": (2,), "batch_norm": (None, None)}.get(name, ((6,),))
        options = {"training": True} if name == "batch_norm" else {}
        return [getattr(m.nn.functional, name)(x, *args, **options)]

    found, expected = (call(m)[0] for m in (plugrad, torch))
    assert found.dtype.name == dtype
    a, b = found.float().numpy(), expected.float().numpy()
    assert np.abs(a - b).max() <= (2**-9 if dtype == "float16" else 2**-6) * 2


MIXED = {
    "BatchNorm1d": ((3,), (5, 3)),
    "BatchNorm2d": ((3, 1e-5, 0.1, False), (2, 3, 4, 4)),
    "InstanceNorm1d": ((3, 1e-5, 0.1, True, True), (2, 3, 4)),
    "LayerNorm": ((4,), (2, 3, 4)),
    "GroupNorm": ((1, 3), (2, 3, 4)),
    "RMSNorm": ((4,), (2, 3, 4)),
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", list(MIXED))
def test_weights_wider_than_the_input(name, dtype):
    """Weights and running values in float32 beside an input of 16 bits: what comes out
    is as the input, the gradients as what they are of."""
    args, shape = MIXED[name]

    def call(m):
        found = []
        for training in (True, False):
            layer = getattr(m.nn, name)(*args).train(training)
            with m.no_grad():
                for p in layer.parameters():
                    p.copy_(values(m, *p.shape, dtype="float32", seed=3))
            x = values(m, *shape).to(getattr(m, dtype)).requires_grad_()
            y = layer(x)
            (y * y).sum().backward()
            found += [y, x.grad, *(p.grad for p in layer.parameters())]
            found += [b for b in layer.buffers() if b.is_floating_point()]
        return found

    ours, theirs = call(plugrad), call(torch)
    for a, b in zip(ours, theirs, strict=True):
        assert str(a.dtype).rpartition(".")[2] == str(b.dtype).rpartition(".")[2]
        a, b = (each.detach().float().numpy() for each in (a, b))
        rounding = {"float16": 2.0**-9, "bfloat16": 2.0**-6}[dtype]
        assert np.abs(a - b).max() <= rounding * max(1, np.abs(b).max())


@pytest.mark.parametrize(
    ("dtype", "weights"),
    [("float32", "float64"), ("bfloat16", "float16"), ("int64", "float32")],
)
@pytest.mark.parametrize("name", [name for name in MIXED if name != "RMSNorm"])
def test_weights_that_do_not_fit(name, dtype, weights):
    """The error names the dtypes."""
    args, shape = MIXED[name]

    def call(m):
        layer = getattr(m.nn, name)(*args).to(getattr(m, weights))
        return layer(m.ones(shape, dtype=getattr(m, dtype)))

    same(call)
    with pytest.raises(RuntimeError, match=dtype):
        call(plugrad)


def test_a_root_mean_square_takes_any_weight():
    """What comes out has the dtype of the input."""
    for dtype, weight in (("float32", "float64"), ("float64", "float32")):

        def call(m, dtype=dtype, weight=weight):
            x, w = (values(m, 3).to(getattr(m, d)) for d in (dtype, weight))
            return m.nn.functional.rms_norm(x, (3,), w)

        same(call)


def test_numbers_far_from_zero():
    """The variance is that of the distances from the mean, not a difference of large
    squares."""

    def call(m):
        x = values(m, 64, 8, dtype="float32") + 10000
        return [
            m.nn.functional.layer_norm(x, (8,)),
            m.nn.functional.batch_norm(x, None, None, training=True),
        ]

    for ours, theirs in zip(call(plugrad), call(torch)):
        assert np.abs(ours.numpy() - theirs.numpy()).max() < 0.02


def test_more_batches():
    """Running values after several batches, then use, then forgetting them."""

    def call(m):
        layer = m.nn.BatchNorm1d(3, momentum=None)
        found = []
        for seed in range(3):
            layer(values(m, 4, 3, dtype="float32", seed=seed))
            found += [layer.running_mean.clone(), layer.running_var.clone()]
        found.append(layer.eval()(values(m, 4, 3, dtype="float32")))
        layer.reset_running_stats()
        found += layer.state_dict().values()
        return found

    both(call)


def test_an_empty_batch():
    def call(m):
        layer = m.nn.BatchNorm2d(3).eval()
        return [layer(m.zeros(0, 3, 2, 2))]

    both(call)


def test_large_ones():
    """Sizes at which kernels go block by block."""
    for shape in ((300, 70), (64, 3, 50), (5, 3, 40, 50)):

        def call(m, shape=shape):
            found = []
            for name, args in (
                ("layer_norm", (shape[-1:],)),
                ("rms_norm", (shape[1:],)),
                ("group_norm", (1,)),
                ("batch_norm", (None, None)),
            ):
                options = {"training": True} if name == "batch_norm" else {}
                options["weight"] = tensor(
                    *(args[0] if type(args[0]) is tuple else shape[1:2])
                )
                found += trained(m, name, shape, *args, **options)
            return found

        both(call)


def test_strided_inputs():
    def call(m):
        found = []
        for change in (lambda x: x.transpose(1, 2), lambda x: x[:1].expand(3, 4, 2)):
            base = values(m, 3, 4, 2).requires_grad_()
            x = change(base)
            layer = m.nn.LayerNorm(x.shape[-1], dtype=m.float64)
            y = layer(x)
            z = m.nn.functional.batch_norm(x, None, None, training=True)
            (y.cos().sum() + z.cos().sum()).backward()
            found += [y, z, base.grad, layer.weight.grad]
        return found

    both(call)


# --- Other layers ---------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 5])
def test_cross_map_lrn_of_odd_sizes_is_local_response_norm(size):
    x = values(plugrad, 2, 6, 2, 2)
    layers = plugrad.nn.CrossMapLRN2d, plugrad.nn.LocalResponseNorm
    a, b = (layer(size, 0.5, 0.6, 2)(x) for layer in layers)
    assert np.allclose(a.numpy(), b.numpy())


def test_cross_map_lrn_looks_like_torchs():
    same(lambda m: repr(m.nn.CrossMapLRN2d(2, 0.1)))
    same(lambda m: m.nn.CrossMapLRN2d(2)(m.ones(2, 3, 4)))


def test_conversion_to_sync_batch_norm():
    def call(m):
        net = m.nn.Sequential(
            m.nn.BatchNorm1d(3, momentum=0.3),
            m.nn.Sequential(m.nn.Linear(3, 2), m.nn.BatchNorm2d(2, affine=False)),
        )
        before = net[0]
        net = m.nn.SyncBatchNorm.convert_sync_batchnorm(net.eval())
        kept = net[0].weight is before.weight, net[0].training, net[0].momentum
        return repr(net), list(net.state_dict()), kept

    same(call)
    same(lambda m: repr(m.nn.SyncBatchNorm.convert_sync_batchnorm(m.nn.BatchNorm1d(2))))


LAZY = [f"Lazy{kind}Norm{n}d" for kind in ("Batch", "Instance") for n in (1, 2, 3)]


@pytest.mark.parametrize("options", [{}, {"affine": False}, {"bias": False}], ids=str)
@pytest.mark.parametrize("name", LAZY)
def test_lazy(name, options):
    def call(m):
        layer = getattr(m.nn, name)(momentum=0.3, **options)
        before = repr(layer)
        y = layer(values(m, *SHAPES[int(name[-2])], dtype="float32"))
        found = [y, *layer.state_dict().values()]
        text = before, repr(layer), list(layer.state_dict()), type(layer).__name__
        return found, text

    (ours, text), (theirs, expected) = call(plugrad), call(torch)
    assert text == expected
    close(ours, theirs)


def test_state_without_the_number_of_batches():
    """States from before it was counted."""

    def call(m):
        layer = m.nn.BatchNorm1d(2)
        state = {k: v for k, v in layer.state_dict().items() if "num" not in k}
        return str(layer.load_state_dict(state))

    same(call)


def test_state_with_running_values_that_are_not_tracked():
    def call(m):
        state = m.nn.InstanceNorm1d(2, track_running_stats=True).state_dict()
        plain = {k: v for k, v in state.items() if "num" not in k}
        return m.nn.InstanceNorm1d(2).load_state_dict(plain)

    same(call)


# --- Errors ---------------------------------------------------------------------------


def layer(text, *shape):
    return lambda m: eval("m.nn." + text, {"m": m})(m.zeros(shape) + 1).shape


def function(name, shape, *args, **options):
    def call(m):
        given = [v(m) if callable(v) else v for v in args]
        named = {key: v(m) if callable(v) else v for key, v in options.items()}
        return getattr(m.nn.functional, name)(values(m, *shape), *given, **named).shape

    return call


@cases(
    layer("BatchNorm1d(3)", 3),
    layer("BatchNorm1d(3)", 2, 3, 4, 5),
    layer("BatchNorm2d(3)", 2, 3, 4),
    layer("BatchNorm3d(3)", 2, 3, 4, 5),
    layer("BatchNorm1d(3)", 1, 3),
    layer("BatchNorm1d(3).eval()", 1, 3),
    layer("BatchNorm1d(3)", 4, 2),
    layer("BatchNorm1d(3).eval()", 4, 2),
    layer("SyncBatchNorm(3)", 3),
    layer("SyncBatchNorm(0)", 3, 0),
    layer("InstanceNorm1d(3)", 3),
    layer("InstanceNorm1d(3)", 3, 1),
    layer("InstanceNorm2d(3)", 3, 4),
    layer("InstanceNorm1d(3, affine=True)", 2, 4, 5),
    layer("InstanceNorm1d(3)", 2, 4, 5),
    layer("LayerNorm(3)", 3, 4),
    layer("LayerNorm((3, 4))", 4),
    layer("LayerNorm(())", 4),
    layer("RMSNorm(3)", 3, 4),
    layer("GroupNorm(2, 3)", 3, 3),
    layer("GroupNorm(2, 4)", 3, 3),
    layer("GroupNorm(2, 4)", 3, 6),
    layer("GroupNorm(2, 4)", 4),
    layer("LocalResponseNorm(2)", 3, 4),
    function("batch_norm", (3, 4), None, None),
    function("batch_norm", (3, 4), tensor(4), tensor(3)),
    function("batch_norm", (3, 4), None, None, tensor(3), training=True),
    function("batch_norm", (3, 4), None, None, training=True, eps=0),
    function("batch_norm", (3, 4), tensor(4), tensor(4), eps=-1),
    function("batch_norm", (3, 4), tensor(4), tensor(4), eps=0),
    function("batch_norm", (0, 4), None, None, training=True),
    function("instance_norm", (3, 4, 2), use_input_stats=False),
    function("instance_norm", (3, 4, 1)),
    function("instance_norm", (3, 4)),
    function("instance_norm", (3, 4, 2), weight=tensor(3)),
    function("layer_norm", (3, 4), (4,), tensor(3)),
    function("layer_norm", (3, 4), (4,), tensor(4), tensor(1, 4)),
    function("layer_norm", (3, 4), (3,)),
    function("layer_norm", (3, 4), ()),
    function("layer_norm", (3, 4), (4,), lambda m: values(m, 4, dtype="float32")),
    function("rms_norm", (3, 4), (4,), tensor(3)),
    function("group_norm", (3, 4), 3),
    function("group_norm", (3, 4), 0),
    function("group_norm", (3, 4), -1),
    function("group_norm", (1, 4), 4),
    function("group_norm", (1, 4, 1), 4),
    function("group_norm", (1, 4, 1), 2),
    function("group_norm", (3, 4), 2, tensor(2)),
    function("local_response_norm", (3, 4), 2),
)
@pytest.mark.filterwarnings("ignore:input's size at dim")
def test_errors(call):
    same(call)


def test_an_instance_norm_that_does_not_use_its_size_warns():
    x = plugrad.ones(2, 4, 5)
    with pytest.warns(UserWarning, match="does not match num_features"):
        plugrad.nn.InstanceNorm1d(3)(x)


def test_dtypes_that_have_no_mean():
    for name, args in (("layer_norm", ((4,),)), ("group_norm", (2,))):
        for dtype in ("int64", "bool", "complex64"):

            def call(m, name=name, args=args, dtype=dtype):
                x = m.ones(3, 4, dtype=getattr(m, dtype))
                return getattr(m.nn.functional, name)(x, *args)

            assert isinstance(outcome(call, plugrad), RuntimeError)
            assert isinstance(outcome(call, torch), RuntimeError)
