"""Module beside torch's: what belongs to it, hooks, state, and moves."""

from __future__ import annotations

import copy
import pickle
import re

import pytest
import torch

import plugrad
from tests.against_torch.same import cases, plain, same


def affine(m, wide=3):
    """A module with parameters, a buffer, and a buffer that is not saved."""

    class Affine(m.nn.Module):
        def __init__(self, n_in, n_out):
            super().__init__()
            self.weight = m.nn.Parameter(m.ones(n_out, n_in) * 0.5)
            self.bias = m.nn.Parameter(m.arange(n_out).float())
            self.register_buffer("count", m.zeros(()))
            self.register_buffer("scratch", m.ones(2), persistent=False)

        def forward(self, x, scale=1):
            return x @ self.weight.t() * scale + self.bias

        def extra_repr(self):
            return "an affine map"

    return Affine(2, wide)


def net(m):
    """Two such modules, one after the other, and an attribute that is no part."""

    class Net(m.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = affine(m)
            self.b = affine(m, 4)
            self.b.weight = m.nn.Parameter(m.ones(4, 3))
            self.nothing = None
            self.names = ["a", "b"]

        def forward(self, x):
            return self.b(m.relu(self.a(x)))

    return Net()


def twice(m):
    """One module in two places."""
    one = affine(m)
    return m.nn.ModuleList([one, m.nn.Sequential(one)])


def data(m):
    return m.tensor([[1.0, 2.0], [3.0, -4.0]], requires_grad=True)


def keys(named):
    return [name for name, _ in named]


@cases(
    lambda m: repr(net(m)),
    lambda m: repr(affine(m)),
    lambda m: repr(m.nn.Module()),
    lambda m: keys(net(m).named_parameters()),
    lambda m: keys(net(m).named_parameters("top", recurse=False)),
    lambda m: keys(net(m).named_buffers()),
    lambda m: keys(net(m).named_modules()),
    lambda m: keys(net(m).named_children()),
    lambda m: len(list(twice(m).modules())),
    lambda m: len(list(twice(m).modules(remove_duplicate=False))),
    lambda m: str(net(m).load_state_dict({"x": m.ones(1)}, strict=False)),
    lambda m: list(net(m).state_dict()),
    lambda m: list(net(m).state_dict(prefix="net.")),
    lambda m: dict(net(m).state_dict()._metadata),
    lambda m: [p.requires_grad for p in net(m).requires_grad_(False).parameters()],
    lambda m: [each.training for each in net(m).eval().modules()],
    lambda m: net(m).train("yes"),
    lambda m: net(m)(data(m)),
    lambda m: m.nn.Module()(1),
    lambda m: m.nn.Module(1),
    lambda m: net(m).get_submodule("a") is not None,
    lambda m: net(m).get_submodule("a.c"),
    lambda m: net(m).get_submodule("names"),
    lambda m: net(m).get_parameter("a.weight"),
    lambda m: net(m).get_parameter("a.count"),
    lambda m: net(m).get_buffer("a.count"),
    lambda m: net(m).get_buffer("a.weight"),
    lambda m: sorted(set(dir(net(m))) & {"a", "b", "training", "names", "_modules"}),
    lambda m: [type(each).__name__ for each in net(m).children()],
    lambda m: list(copy.deepcopy(net(m)).state_dict()),
    lambda m: net(m).nonsense,
)
def test_what_belongs_to_it(call):
    same(call)


def changed(change, show=lambda n: keys(n.named_parameters())):
    """What a net looks like after `change(m, net)`."""

    def call(m):
        n = net(m)
        change(m, n)
        return show(n), repr(n), list(n.state_dict())

    return call


@cases(
    changed(lambda m, n: setattr(n, "a", 3)),
    changed(lambda m, n: setattr(n, "a", None)),
    changed(lambda m, n: setattr(n, "a", m.nn.Parameter(m.ones(1)))),
    changed(lambda m, n: setattr(n.a, "weight", m.ones(2))),
    changed(lambda m, n: setattr(n.a, "weight", None)),
    changed(lambda m, n: setattr(n.a, "weight", m.nn.Module())),
    changed(lambda m, n: setattr(n.a, "count", 5)),
    changed(lambda m, n: setattr(n.a, "count", m.ones(2))),
    changed(lambda m, n: setattr(n.a, "scratch", m.ones(2))),
    changed(lambda m, n: setattr(n.a, "count", None)),
    changed(lambda m, n: setattr(n.a, "new", m.ones(2))),
    changed(lambda m, n: setattr(n.a, "new", m.nn.Buffer(m.ones(2)))),
    changed(lambda m, n: setattr(n.a, "new", m.nn.Buffer(m.ones(2), persistent=False))),
    changed(lambda m, n: setattr(n, "nothing", m.nn.Parameter(m.ones(1)))),
    changed(lambda m, n: delattr(n, "b")),
    changed(lambda m, n: delattr(n.a, "bias")),
    changed(lambda m, n: delattr(n, "c")),
    changed(lambda m, n: n.register_buffer("a.b", None)),
    changed(lambda m, n: n.register_buffer("", None)),
    changed(lambda m, n: n.register_buffer("forward", None)),
    changed(lambda m, n: n.register_buffer("c", [1])),
    changed(lambda m, n: n.register_buffer(1, None)),
    changed(lambda m, n: n.register_parameter("names", None)),
    changed(lambda m, n: n.register_parameter("c", m.ones(1))),
    changed(lambda m, n: n.register_parameter("c", None)),
    changed(lambda m, n: n.add_module("forward", affine(m))),
    changed(lambda m, n: n.add_module("c.d", affine(m))),
    changed(lambda m, n: n.add_module("c", [1])),
    changed(lambda m, n: n.add_module("c", affine(m))),
    changed(lambda m, n: n.register_module("c", None)),
    changed(lambda m, n: n.set_submodule("a", affine(m, 7))),
    changed(lambda m, n: setattr(n.b, "bias", n.a.bias)),
    changed(lambda m, n: n.apply(lambda each: setattr(each, "mark", None))),
    changed(lambda m, n: n.double(), lambda n: [p.dtype for p in n.parameters()]),
    changed(lambda m, n: n.half(), lambda n: [b.dtype for b in n.buffers()]),
    changed(lambda m, n: n.to("cpu", m.float64), lambda n: n.a.weight.dtype),
    changed(lambda m, n: n.to(m.ones(1).double()), lambda n: n.a.weight.dtype),
    changed(lambda m, n: n.to(dtype=m.float64), lambda n: n.a.weight.dtype),
    changed(lambda m, n: n.to(m.int64)),
    changed(lambda m, n: n.type(m.float64), lambda n: n.a.weight.dtype),
)
def test_changes(call):
    same(call)


@cases(
    lambda m: (class_without_init(m), setattr(class_without_init(m), "p", 1)),
    lambda m: setattr(class_without_init(m), "p", m.nn.Parameter(m.ones(1))),
    lambda m: setattr(class_without_init(m), "p", m.nn.Module()),
    lambda m: class_without_init(m).register_buffer("b", None),
)
def test_before_init(call):
    def run(m):
        call(m)

    same(run)


def class_without_init(m):
    return type("Bare", (m.nn.Module,), {"__init__": lambda self: None})()


# --- Hooks ----------------------------------------------------------------------------


def logged(register):
    """What hooks saw, and the gradients after them; `register(m, net, log)`."""

    def call(m):
        n, log, inputs = net(m), [], data(m)
        handles = register(m, n, log)
        y = n(inputs)
        y.sum().backward()
        for handle in handles:
            handle.remove()
        seen = len(log)
        n(inputs).sum().backward()
        return log, len(log) - seen, y, inputs.grad, n.a.weight.grad, n.b.bias.grad

    return call


def noted(log, answer=lambda *args: None):
    """A hook that writes down what it is given."""

    def hook(module, *args):
        log.append(plain([type(module).__name__, listed(args)]))
        return answer(*args)

    return hook


def listed(value):
    if isinstance(value, (tuple, list)):
        return [listed(each) for each in value]
    return value.tolist() if hasattr(value, "tolist") else value


@cases(
    logged(lambda m, n, log: [n.a.register_forward_hook(noted(log))]),
    logged(
        lambda m, n, log: [n.a.register_forward_hook(noted(log, lambda a, y: y * 2))]
    ),
    logged(
        lambda m, n, log: [
            n.a.register_forward_pre_hook(noted(log, lambda a: a[0] * 2)),
            n.a.register_forward_pre_hook(noted(log), prepend=True),
        ]
    ),
    logged(
        lambda m, n, log: [
            n.a.register_forward_pre_hook(
                noted(log, lambda a, k: (a, {"scale": 3})), with_kwargs=True
            ),
            n.a.register_forward_hook(noted(log), with_kwargs=True),
        ]
    ),
    logged(lambda m, n, log: [n.b.register_full_backward_hook(noted(log))]),
    logged(lambda m, n, log: [n.register_full_backward_hook(noted(log))]),
    logged(
        lambda m, n, log: [
            n.b.register_full_backward_hook(noted(log, lambda gi, go: (gi[0] * 3,)))
        ]
    ),
    logged(
        lambda m, n, log: [
            n.b.register_full_backward_pre_hook(noted(log, lambda go: (go[0] * 2,))),
            n.b.register_full_backward_hook(noted(log)),
        ]
    ),
    logged(
        lambda m, n, log: [
            n.b.register_full_backward_hook(noted(log, lambda gi, go: (gi[0], gi[0])))
        ]
    ),
    logged(
        lambda m, n, log: [
            n.b.register_full_backward_hook(noted(log)),
            n.b.register_backward_hook(noted(log)),
        ]
    ),
    logged(
        lambda m, n, log: [
            m.nn.modules.module.register_module_forward_hook(noted(log)),
            m.nn.modules.module.register_module_forward_pre_hook(noted(log)),
            m.nn.modules.module.register_module_full_backward_hook(noted(log)),
            n.a.register_forward_hook(noted(log)),
        ]
    ),
)
def test_hooks(call):
    same(call)


def test_the_old_backward_hook_sees_the_shapes_of_the_last_operation():
    """Its gradients are those of the addition; torch's addition is another op there."""

    def call(m):
        n, seen = net(m), []
        n.b.register_backward_hook(lambda mod, gi, go: seen.append(go[0].tolist()))
        n(data(m)).sum().backward()
        return seen

    same(call)


@cases(*[lambda m, always=a: raising(m, always) for a in (True, False)])
def test_a_hook_that_is_always_called(call):
    same(call)


def raising(m, always):
    n, log = net(m), []
    n.a.register_forward_hook(lambda *args: log.append(args[2]), always_call=always)
    with pytest.raises(RuntimeError):
        n.a(m.ones(3, 7))
    return log


def test_a_backward_hook_without_gradients_of_inputs_warns():
    for m in (torch, plugrad):
        n, log = net(m), []
        n.a.register_full_backward_hook(noted(log))
        with pytest.warns(UserWarning, match="no inputs require"):
            n(m.ones(1, 2)).sum().backward()
        assert len(log) == 1


# --- State ----------------------------------------------------------------------------


def loaded(change, **options):
    """What loading a changed state says, word for word."""

    def call(m):
        n = net(m)
        state = n.state_dict()
        change(m, state)
        try:
            found = n.load_state_dict(state, **options)
        except RuntimeError as error:
            text = str(error)
        else:
            text = str(found).replace("_Incompatible", "Incompatible")
        text = re.sub(r"torch\.|plugrad\.", "", text)
        return text, [p.tolist() for p in n.parameters()]

    return call


def drop(m, state):
    del state["a.bias"]


def add(m, state):
    state["c.weight"] = m.ones(1)
    state["a.more"] = m.ones(1)


def reshape(m, state):
    state["b.weight"] = m.ones(4, 4)


def all_of_it(m, state):
    drop(m, state), add(m, state), reshape(m, state)


def fill(m, state):
    for key in list(state):
        state[key] = m.full_like(state[key], 7)


@cases(
    *[
        loaded(change, **options)
        for change in (lambda m, s: None, drop, add, reshape, all_of_it, fill)
        for options in ({}, {"strict": False}, {"assign": True})
    ],
    loaded(lambda m, s: s.update({"a.count": m.ones(1)})),
    lambda m: net(m).load_state_dict([1]),
    lambda m: net(m).load_state_dict({**net(m).state_dict(), "a.bias": 3}),
)
def test_loading(call):
    same(call)


def test_a_state_shares_memory_and_a_load_copies():
    def call(m):
        n, other = net(m), net(m)
        state = n.state_dict()
        state["a.bias"].fill_(5)
        other.load_state_dict(state)
        state["a.weight"].fill_(9)
        return n.a.bias, n.a.weight, other.a.bias, other.a.weight

    same(call)


def test_assigned_tensors_are_the_given_ones():
    for m in (torch, plugrad):
        n = net(m)
        state = {key: value.clone() for key, value in n.state_dict().items()}
        n.load_state_dict(state, assign=True)
        state["a.bias"].fill_(5)
        assert n.a.bias.tolist() == [5.0] * 3
        assert isinstance(n.a.bias, m.nn.Parameter) and n.a.bias.requires_grad


def hooked_state(m):
    n, log = net(m), []
    n.register_state_dict_pre_hook(lambda mod, prefix, keep: log.append((prefix, keep)))
    n.a.register_state_dict_post_hook(
        lambda mod, state, prefix, meta: state.update({prefix + "more": m.ones(1)})
    )
    n.a.register_load_state_dict_pre_hook(
        lambda mod, state, prefix, *rest: state.pop(prefix + "more") and None
    )
    n.register_load_state_dict_post_hook(
        lambda mod, found: log.append((list(found[0]), list(found[1])))
    )
    state = n.state_dict()
    return list(state), str(n.load_state_dict(state)), log


def extra_state(m):
    class Counting(m.nn.Module):
        count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    a, b = Counting(), Counting()
    a.count = 3
    b.load_state_dict(a.state_dict())
    missing = b.load_state_dict({}, strict=False)
    return list(a.state_dict()), b.count, missing.missing_keys


@cases(hooked_state, extra_state)
def test_hooks_and_extras_of_the_state(call):
    same(call)


def test_a_state_of_arrays_loads_too():
    n = net(plugrad)
    arrays = {key: value.numpy() for key, value in net(torch).state_dict().items()}
    assert not any(n.load_state_dict(arrays))


def test_zero_grad():
    def call(m, **options):
        n = net(m)
        n(data(m)).sum().backward()
        n.zero_grad(**options)
        return [p.grad for p in n.parameters()]

    same(call)
    same(lambda m: call(m, set_to_none=False))


def test_gradients_move_along():
    def call(m):
        n = net(m)
        n(data(m)).sum().backward()
        n.double()
        return n.a.weight.grad.dtype, n.a.weight.grad, n.a.weight

    same(call)


def test_parameters_stay_the_same_objects_when_moved():
    n = net(plugrad)
    before = list(n.parameters())
    n.double().to("cpu", plugrad.float32)
    assert all(a is b for a, b in zip(before, n.parameters(), strict=True))


class Pickled(plugrad.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = plugrad.nn.Parameter(plugrad.ones(2))

    def forward(self, input):
        return input * self.weight


def test_pickles():
    n = pickle.loads(pickle.dumps(Pickled()))
    n.register_forward_hook(lambda *args: args[2] * 3)
    assert n(plugrad.ones(2)).tolist() == [3.0, 3.0]
    assert keys(n.named_parameters()) == ["weight"]
