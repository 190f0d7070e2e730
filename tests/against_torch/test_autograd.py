"""backward, grad, hooks and modes do what torch's do."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.against_torch.programs import failure, same


def leaf(m, values=(1.0, 2.0, 3.0), dtype="float64"):
    return m.tensor(list(values), dtype=getattr(m, dtype), requires_grad=True)


# --- backward -------------------------------------------------------------------------


@same
@pytest.mark.parametrize("gradient", [None, 3, 1])
def test_backward_of_a_vector(m, gradient):
    x = leaf(m)
    y = x * x
    y.backward(None if gradient is None else m.ones(gradient, dtype=m.float64))
    return x.grad


ODD = {
    "a number": lambda m, x: (x * x).sum().backward(1.0),
    "a list": lambda m, x: (x * x)[0].backward([1.0]),
    "an array": lambda m, x: (x * x).backward(np.ones(3)),
    "a tuple": lambda m, x: (x * x).backward((x.detach(),)),
    "too short": lambda m, x: (x * x).backward(x.detach()[:1]),
    "one for a 0-d": lambda m, x: (x * x).sum().backward(x.detach()[:1]),
    "two names": lambda m, x: m.autograd.backward(
        [x * x], [x.detach()], grad_variables=[x.detach()]
    ),
    "the old name": lambda m, x: m.autograd.backward(
        [x * x], grad_variables=[x.detach()]
    ),
    "a number as input": lambda m, x: m.autograd.grad(x.sum(), 3),
    "numbers as inputs": lambda m, x: m.autograd.grad(x.sum(), [3]),
    "no inputs": lambda m, x: m.autograd.grad(x.sum(), []),
    "no outputs": lambda m, x: m.autograd.grad([], x),
    "nothing": lambda m, x: m.autograd.backward([]),
    "a number as output": lambda m, x: m.autograd.backward(3),
    "generators": lambda m, x: m.autograd.grad((y for y in [x.sum()]), iter([x])),
    "of an empty tensor": lambda m, x: x[:0].sum().backward(),
    "one that needs a gradient": lambda m, x: m.autograd.grad(x * x, x, x),
    "a mode": lambda m, x: m.set_grad_enabled("on"),
}


@same
@pytest.mark.parametrize("name", ODD)
def test_odd_arguments(m, name):
    x = leaf(m)
    return [ODD[name](m, x), x.grad]


@same
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "complex128"])
def test_gradients_of_another_dtype(m, dtype):
    x = leaf(m)
    (x * x).backward(m.ones(3, dtype=getattr(m, dtype)))
    return x.grad


@same
def test_one_element_is_enough(m):
    x = leaf(m)
    (x * x)[:1].reshape(1, 1).backward()
    return x.grad


@same
def test_backward_without_a_graph(m):
    x = leaf(m)
    return [
        failure(x.detach().sum().backward),
        failure(m.autograd.grad, x.detach().sum(), x),
        failure(m.autograd.grad, x.sum(), x.detach()),
        failure(m.autograd.backward, [x.sum(), x.detach().sum()]),
    ]


@same
def test_backward_on_a_leaf(m):
    x, v = leaf(m), leaf(m).detach()
    x.backward(v)
    x.backward(v)
    v.mul_(0)
    return x.grad


@same
@pytest.mark.parametrize("retain", [None, True, False])
def test_second_backward(m, retain):
    x = leaf(m)
    y = (x * x).sum()
    y.backward(retain_graph=retain)
    return [failure(y.backward), x.grad]


@same
def test_second_backward_where_nothing_is_saved(m):
    x = leaf(m)
    y = (x + 1).reshape(3, 1).expand(3, 2).sum()
    y.backward()
    y.backward()
    return x.grad


@same
def test_second_backward_through_a_shared_part(m):
    x = leaf(m)
    shared = x.exp()
    (shared * 2).sum().backward()
    return [failure((shared + 1).sum().backward), x.grad]


@same
def test_create_graph_retains(m):
    x = leaf(m)
    y = (x * x * x).sum()
    y.backward(create_graph=True)
    first = x.grad
    y.backward()
    return [first.requires_grad, x.grad, failure(y.backward)]


@same
def test_several_roots(m):
    x, w = leaf(m), leaf(m)
    y, z = x * w, x * x
    m.autograd.backward([y, z, z.sum()], [w.detach(), None or x.detach(), None])
    return [x.grad, w.grad]


@same
def test_roots_that_depend_on_each_other(m):
    x = leaf(m)
    y = x * x
    z = y * 2
    m.autograd.backward([z.sum(), y.sum(), x.sum(), y.sum()])
    return x.grad


@same
@pytest.mark.parametrize("n", [0, 1])  # torch ignores what is too many; ours raises
def test_wrong_number_of_gradients(m, n):
    x = leaf(m)
    m.autograd.backward([x.sum(), x.sum()], [m.ones((), dtype=m.float64)] * n)


@same
def test_inputs_choose_what_accumulates(m):
    x, w = leaf(m), leaf(m)
    y = x * w
    loss = (y * y * w).sum()
    loss.backward(inputs=[w], retain_graph=True)
    first = [x.grad, w.grad]
    loss.backward(inputs=[x, y], retain_graph=True)
    loss.backward(inputs=y, retain_graph=True)
    return [first, x.grad, w.grad, y.grad, failure(loss.backward, inputs=[])]


@same
def test_inputs_elsewhere(m):
    x, w = leaf(m), leaf(m)
    (x * 2).sum().backward(inputs=[w])
    return [x.grad, w.grad]


@same
def test_gradients_accumulate(m):
    x = leaf(m)
    (x * x).sum().backward()
    first = x.grad
    (x * 2).sum().backward()
    return [first is x.grad, first, x.grad.requires_grad]


@same
def test_gradients_accumulate_under_create_graph(m):
    x = leaf(m)
    (x * x).sum().backward(create_graph=True)
    first = x.grad
    (x * x * x).sum().backward(create_graph=True)
    second = x.grad
    (g,) = m.autograd.grad(second.sum(), x)
    return [first is second, first, second, g]


@same
def test_the_gradient_that_is_given_stays_the_users(m):
    x, w, v = leaf(m), leaf(m), leaf(m).detach()
    (x + w).backward(v)
    x.grad.mul_(10)
    (x + w).backward(v, create_graph=True)
    u = leaf(m)
    (u + w).backward(v, create_graph=True)
    u.grad.detach().mul_(10)
    y = x + 0
    y.retain_grad()
    y.backward(v)
    y.grad.add_(1)
    return [v, x.grad, w.grad, y.grad, u.grad]


@same
def test_leaves_do_not_share_gradients(m):
    x, w = leaf(m), leaf(m)
    (x + w).backward(m.ones(3, dtype=m.float64))
    x.grad.mul_(10)
    return [x.grad, w.grad]


@same
def test_backward_keeps_a_gradient_that_was_assigned(m):
    x = leaf(m)
    x.grad = m.tensor([1.0, 1.0, 1.0], dtype=m.float64)
    mine = x.grad
    (x * 2).sum().backward()
    return [mine, mine is x.grad]


@same
def test_shared_subgraphs(m):
    x = leaf(m, (0.1, 0.2))
    y = x
    for _ in range(20):
        y = y * y + y
    y.sum().backward()
    return x.grad


@same
def test_an_unused_part_gets_nothing(m):
    x, w = leaf(m), leaf(m)
    unused = w * w
    (x * 2).sum().backward()
    return [x.grad, w.grad, unused]


@same
def test_outputs_of_a_call_that_nothing_uses(m):
    x = leaf(m, range(6))
    a, b, c = x.split(2)
    (b * b).sum().backward()
    first = x.grad
    (a.sum() + (c * c).sum()).backward()
    return [first, x.grad]


# --- grad -----------------------------------------------------------------------------


@same
def test_grad_leaves_grad_alone(m):
    x, w = leaf(m), leaf(m)
    found = m.autograd.grad((x * w).sum(), [x, w])
    return [found, x.grad, w.grad, isinstance(found, tuple)]


@pytest.mark.filterwarnings("ignore:the .grad")  # both warn of y.grad
@same
def test_grad_of_computed_tensors(m):
    x = leaf(m)
    y = x * x
    z = y * y
    found = m.autograd.grad(z.sum(), [z, y, x, y], retain_graph=True)
    return [found, m.autograd.grad(z, z, m.ones(3, dtype=m.float64)), y.grad]


@same
def test_grad_stops_at_what_is_asked_for(m):
    """What lies behind the inputs is neither computed nor released."""
    x = leaf(m)
    y = x.exp()
    z = y * y
    (g,) = m.autograd.grad(z.sum(), y)
    y.sum().backward()
    return [g, x.grad]


@same
@pytest.mark.parametrize("unused", [None, True, False])
@pytest.mark.parametrize("materialize", [True, False])
def test_unused_inputs(m, unused, materialize):
    x, w = leaf(m), leaf(m)
    return m.autograd.grad(
        x.sum(), [w, x], allow_unused=unused, materialize_grads=materialize
    )


@same
def test_grad_of_several_outputs(m):
    x, w = leaf(m), leaf(m)
    y = x * w
    return m.autograd.grad([y, y.sum() * x.sum()], [x, w], [w.detach(), None])


@same
def test_gradients_of_gradients(m):
    x, v = leaf(m), leaf(m)
    found = []
    y = x.exp() * x * x
    (g,) = m.autograd.grad(y, x, v, create_graph=True)
    (h,) = m.autograd.grad(g.sum(), x, create_graph=True)
    (i,) = m.autograd.grad(h.sum(), v, create_graph=True)
    (j,) = m.autograd.grad((i * i).sum(), x)
    return [found, g, h, i, j]


@same
def test_create_graph_does_not_follow_constants(m):
    x = leaf(m)
    (g,) = m.autograd.grad((x * 3).sum(), x, create_graph=True)
    return [g, g.requires_grad]


@same
def test_only_inputs(m):
    x, w = leaf(m), leaf(m)
    with pytest.warns(FutureWarning, match="only_inputs"):
        return [m.autograd.grad((x * w).sum(), x, only_inputs=False), w.grad]


# --- retain_grad ----------------------------------------------------------------------


@same
def test_retain_grad(m):
    x = leaf(m)
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    x.retain_grad()
    before = [y.retains_grad, x.retains_grad, x.detach().retains_grad]
    z = y * y
    z.sum().backward(retain_graph=True)
    first = y.grad
    z.sum().backward()
    return [before, first, y.grad, x.grad, failure(x.detach().retain_grad)]


@same
def test_retained_gradients_follow_in_place_changes(m):
    x = leaf(m)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    (y * 5).sum().backward()
    return [y.grad, x.grad]


@same
def test_retain_grad_sees_what_hooks_return(m):
    x = leaf(m)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    return [y.grad, x.grad]


@same
def test_grad_of_a_computed_tensor_is_empty(m):
    import warnings

    x = leaf(m)
    y = x * 2
    y.sum().backward()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says that it is not retained
        return y.grad


# --- Hooks ----------------------------------------------------------------------------


@same
@pytest.mark.parametrize("computed", [True, False])
def test_tensor_hooks_run_in_order(m, computed):
    x = leaf(m)
    y = x * 2 if computed else x
    seen = []
    y.register_hook(lambda g: seen.append(["a", g]))
    removed = y.register_hook(lambda g: seen.append("removed"))
    y.register_hook(lambda g: g * 3)
    y.register_hook(lambda g: seen.append(["b", g]))
    removed.remove()
    removed.remove()
    (y * y).sum().backward()
    return [seen, x.grad]


@same
def test_a_hook_as_a_context(m):
    x = leaf(m)
    seen = []
    with x.register_hook(lambda g: seen.append(1)):
        x.sum().backward()
    x.sum().backward()
    return seen


@same
def test_a_hook_that_removes_itself(m):
    x = leaf(m)
    seen = []

    def hook(g):
        seen.append(g)
        handle.remove()

    handle = x.register_hook(hook)
    x.sum().backward()
    x.sum().backward()
    return seen


@same
def test_hooks_registered_after_use(m):
    x = leaf(m)
    y = x * 2
    z = (y * y).sum()
    y.register_hook(lambda g: g * 0)
    x.register_hook(lambda g: g + 1)
    z.backward()
    return x.grad


@same
def test_hooks_run_once_for_each_backward(m):
    x = leaf(m)
    seen = []
    x.register_hook(lambda g: seen.append(g))
    y = (x * x + x * 3).sum()
    y.backward(retain_graph=True)
    m.autograd.grad(y, x)
    return [seen, x.grad]


@same
@pytest.mark.parametrize("which", [0, 1])  # for both at once, torch's y lacks the hook
def test_grad_gives_what_hooks_return(m, which):
    x = leaf(m)
    y = x * 2
    y.register_hook(lambda g: g * 5)
    return m.autograd.grad((y * y).sum(), [x, y][which])


@same
def test_hooks_on_roots(m):
    x = leaf(m)
    y = x * 2
    y.register_hook(lambda g: g * 5)
    y.backward(m.ones(3, dtype=m.float64))
    return x.grad


@same
@pytest.mark.parametrize("create_graph", [True, False])
def test_hooks_are_recorded_under_create_graph(m, create_graph):
    x = leaf(m)
    seen = []

    def hook(g):
        seen.append((m.is_grad_enabled(), g.requires_grad))
        return g * x

    y = x * x
    y.register_hook(hook)
    (g,) = m.autograd.grad((y * y).sum(), x, create_graph=create_graph)
    found = m.autograd.grad(g.sum(), x) if create_graph else ()
    return [seen, g, found]


HOOKS = {
    "nothing": lambda m, g: None,
    "a number": lambda m, g: 3.0,
    "a tuple": lambda m, g: (g,),
    "another shape": lambda m, g: g[:1],
    "another dtype": lambda m, g: g.to(m.float32),
    "itself": lambda m, g: g,
    "a view": lambda m, g: g.reshape(3, 1).reshape(3),
}


@same
@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.parametrize("computed", [True, False])
def test_what_hooks_return(m, name, computed):
    x = leaf(m)
    y = x * 2 if computed else x
    y.register_hook(lambda g: HOOKS[name](m, g))
    (y * y).sum().backward()
    return x.grad


@same
def test_hooks_that_raise(m):
    x = leaf(m)
    y = x * 2

    def hook(g):
        raise ValueError("mine")

    handle = y.register_hook(hook)
    loss = (y + 1).sum()
    failed = failure(loss.backward)
    handle.remove()
    loss.backward()
    return [failed, m.is_grad_enabled(), x.grad]


@same
def test_hooks_need_a_graph(m):
    x = leaf(m)
    return [
        failure(x.detach().register_hook, print),
        failure(x.detach().register_post_accumulate_grad_hook, print),
        failure((x * 2).register_post_accumulate_grad_hook, print),
    ]


@same
def test_hooks_after_accumulation(m):
    x = leaf(m)
    seen = []

    def step(p):
        seen.append([p is x, p.grad, m.is_grad_enabled()])
        p.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    (x * 3).sum().backward()
    m.autograd.grad((x * 3).sum(), x)
    (x * x).sum().backward(create_graph=True)
    return [seen, x.grad]


@same
def test_node_hooks(m):
    x = leaf(m)
    y = x.exp()
    z = y * x
    seen = []
    z.grad_fn.register_hook(lambda gi, go: seen.append(["mul", gi, go]))
    z.grad_fn.register_hook(lambda gi, go: (gi[0] * 2, gi[1] * 3))
    y.grad_fn.register_prehook(lambda go: seen.append(["exp", go]))
    y.grad_fn.register_prehook(lambda go: (go[0] * 10,))
    y.register_hook(lambda g: seen.append(["y", g]))
    z.sum().backward()
    return [seen, x.grad]


@same
@pytest.mark.parametrize("n", [0, 1, 3])
def test_node_hooks_that_return_the_wrong_number(m, n):
    x = leaf(m)
    y = x * x.exp()
    y.grad_fn.register_hook(lambda gi, go: gi[:1] * n)
    y.sum().backward()


@same
def test_hooks_on_the_node_that_accumulates(m):
    x = leaf(m)
    seen = []
    node = (x * 2).grad_fn.next_functions[0][0]
    node.register_hook(lambda gi, go: seen.append(["after", gi, go, x.grad]))
    node.register_prehook(lambda go: seen.append(["before", go, x.grad]))
    (x * 2).sum().backward()
    return [seen, node.name().rpartition("::")[2], node.variable is x]


@same
def test_backward_inside_a_hook(m):
    x, w = leaf(m), leaf(m)
    y = x * x

    def hook(g):
        (w * w * w).sum().backward()
        (inner,) = m.autograd.grad((x * x * x).sum(), x)
        return g + inner

    # outside the hook's grad mode, which is off
    y.register_hook(m.enable_grad()(hook))
    (y * 2).sum().backward()
    return [x.grad, w.grad]


@same
def test_metadata(m):
    node = (leaf(m) * 2).grad_fn
    node.metadata["mine"] = 3
    return node.metadata["mine"]


@same
def test_names_of_nodes(m):
    x = leaf(m)
    y = (x * x).exp()
    names = []
    node = y.grad_fn
    while node is not None:
        names.append(node.name().rpartition("::")[2])
        node = node.next_functions[0][0] if node.next_functions else None
    return names


# --- Leaves and views -----------------------------------------------------------------


@same
def test_requires_grad(m):
    x = leaf(m)
    y = x * 2
    i = m.tensor([1, 2])
    return [
        failure(y.requires_grad_, False),
        failure(i.requires_grad_),
        failure(lambda: m.tensor([1, 2], requires_grad=True)),
        y.requires_grad_() is y,
        x.requires_grad_(False).requires_grad,
        x.requires_grad_().requires_grad,
        y.is_leaf,
        i.is_leaf,
        x.detach().is_leaf,
    ]


@same
def test_a_gradient_must_fit_its_tensor(m):
    x = leaf(m)

    def assign(value):
        x.grad = value

    return [
        failure(assign, m.ones(2, dtype=m.float64)),
        failure(assign, m.ones(3, dtype=m.float32)),
        failure(assign, 3),
        failure(assign, x),
        failure(assign, None),
        failure(assign, m.ones(3, dtype=m.float64)),
    ]


@same
def test_detach(m):
    x = leaf(m)
    y = x * 2
    z = y.detach()
    z.mul_(0)
    kept = [y, z.requires_grad, z.is_leaf]
    loss = (y * y).sum()
    z.add_(1)
    return [kept, failure(loss.backward)]


@same
def test_detach_in_place(m):
    x = leaf(m)
    y = x * 2
    part = y[1:]
    failed = failure(part.detach_)
    y.detach_()
    return [failed, y.requires_grad, y.is_leaf, y.grad_fn is None]


@same
def test_data(m):
    x = leaf(m)
    y = x * x
    x.data.mul_(10)  # not a write that autograd sees
    y.sum().backward()
    return [x, x.grad, x.data.requires_grad]


# --- Modes ----------------------------------------------------------------------------


@same
def test_modes(m):
    x = leaf(m)
    seen = []

    def note():
        seen.append(
            (m.is_grad_enabled(), m.is_inference_mode_enabled(), (x * 2).requires_grad)
        )

    note()
    with m.no_grad():
        note()
        with m.enable_grad():
            note()
            with m.set_grad_enabled(False):
                note()
            note()
        with m.inference_mode(False):
            note()
        note()
    with m.inference_mode():
        note()
        with m.enable_grad():
            note()
        with m.inference_mode(False):
            note()
    m.set_grad_enabled(False)
    note()
    m.set_grad_enabled(True)
    note()
    return seen


@same
def test_modes_after_an_exception(m):
    for mode in (m.no_grad, m.inference_mode):
        try:
            with mode():
                raise ValueError
        except ValueError:
            pass
    return [m.is_grad_enabled(), m.is_inference_mode_enabled()]


@same
@pytest.mark.parametrize("name", ["no_grad", "enable_grad", "inference_mode"])
@pytest.mark.parametrize("called", [True, False])
@pytest.mark.parametrize("outside", [True, False])
def test_modes_as_decorators(m, name, called, outside):
    mode = getattr(m, name)

    def function(a, b=2):
        """Mine."""
        return [a, b, m.is_grad_enabled(), m.is_inference_mode_enabled()]

    decorated = (mode() if called else mode)(function)
    with m.set_grad_enabled(outside):
        found = [decorated(1, b=3), decorated(1), m.is_grad_enabled()]
    return [found, decorated.__name__, decorated.__doc__]


@same
@pytest.mark.parametrize("value", [True, False])
def test_set_grad_enabled_as_a_decorator(m, value):
    @m.set_grad_enabled(value)
    def function():
        return m.is_grad_enabled()

    return [function(), m.is_grad_enabled(), function()]


@same
def test_a_mode_that_is_used_again(m):
    off = m.no_grad()
    seen = []
    for _ in range(2):  # nested in itself, torch's leaves recording off
        with off:
            seen.append(m.is_grad_enabled())
        seen.append(m.is_grad_enabled())
    return seen


@same
def test_generators(m):
    seen = []

    @m.no_grad()
    def steps():
        try:
            for i in range(3):
                seen.append(m.is_grad_enabled())
                got = yield i
                seen.append(got)
        except ValueError:
            seen.append(["thrown", m.is_grad_enabled()])
            yield 10
        finally:
            seen.append(["closed", m.is_grad_enabled()])
        return 5

    for i in steps():
        seen.append([i, m.is_grad_enabled()])
    one = steps()
    seen += [next(one), one.send("sent"), one.throw(ValueError), m.is_grad_enabled()]
    one.close()
    two = steps()
    next(two)
    two.close()
    return [seen, m.is_grad_enabled()]


@same
def test_threads_have_modes_of_their_own(m):
    seen = []

    def other():
        seen.append(m.is_grad_enabled())
        with m.no_grad():
            inside.set()
            checked.wait(10)

    inside, checked = threading.Event(), threading.Event()
    with m.no_grad():
        thread = threading.Thread(target=other)
        thread.start()
        inside.wait(10)
    seen += [m.is_grad_enabled(), (leaf(m) * 2).requires_grad]
    checked.set()
    thread.join()
    return [seen, m.is_grad_enabled()]


@same
def test_backward_in_no_grad(m):
    x = leaf(m)
    y = (x * x).sum()
    with m.no_grad():
        y.backward(create_graph=True)
        return [x.grad, x.grad.requires_grad, m.is_grad_enabled()]


@same
def test_graphs_across_modes(m):
    x = leaf(m)
    with m.no_grad():
        c = x * 3
        with m.enable_grad():
            y = x * c
    y.sum().backward()
    return [c.requires_grad, x.grad]


# --- Complex --------------------------------------------------------------------------


def complex_leaf(m, values=(1 + 2j, -2 + 0.5j)):
    return m.tensor(list(values), dtype=m.complex128, requires_grad=True)


COMPLEX = {
    "mul": lambda m, z, x: z * z * (1 - 2j),
    "mul by a real one": lambda m, z, x: z * x,
    "div": lambda m, z, x: x / z + z / (x + 2j),
    "add": lambda m, z, x: z + x,
    "sub": lambda m, z, x: x - z,
    "exp": lambda m, z, x: (z * x).exp(),
    "abs": lambda m, z, x: z.abs() * z,
    "real and imag": lambda m, z, x: z.real * z.imag * x,
    "conj": lambda m, z, x: z.conj() * z * z,
    "sum": lambda m, z, x: (z * z).sum() * z,
    "matmul": lambda m, z, x: z.reshape(2, 1) @ (z * x).reshape(1, 2),
    "pow": lambda m, z, x: z**3,
    "index": lambda m, z, x: z[1:] * z[0],
    "reshape": lambda m, z, x: z.reshape(2, 1).expand(2, 2) * x,
}


@same
@pytest.mark.parametrize("name", COMPLEX)
def test_complex_gradients(m, name):
    z, x = complex_leaf(m), leaf(m, (0.5, -1.5))
    y = COMPLEX[name](m, z, x)
    u = m.tensor([[0.3 + 1j, -2j], [1.5, 0.1 - 0.7j]], dtype=m.complex128)
    u = u.reshape(4)[: y.numel()].reshape(y.shape)
    u = u if y.dtype is m.complex128 else u.real
    found = m.autograd.grad(y, [z, x], u, create_graph=True, allow_unused=True)
    losses = [
        (g * g.conj() + 0.1).abs().sum()
        for g in found
        if g is not None and g.requires_grad
    ]
    second = ()
    if losses:
        second = m.autograd.grad(sum(losses), [z, x], allow_unused=True)
    return [y, found, second]


@same
def test_complex_losses_need_a_gradient(m):
    z = complex_leaf(m)
    failed = failure((z * z).sum().backward)
    (z * z).sum().abs().backward()
    return [failed, z.grad]


@same
@pytest.mark.parametrize("made", ["array", "list", "real"])
def test_complex_gradients_however_the_tensor_was_made(m, made):
    """The quick walk back is for real numbers only."""
    if made == "array":
        z = m.tensor(np.array([1 + 2j, 0.5j]), requires_grad=True)
    elif made == "list":
        z = m.tensor([1 + 2j, 0.5j], requires_grad=True)
    else:
        z = leaf(m)
    y = z * m.tensor(np.array([3j])) if made == "real" else z * z
    y.abs().sum().backward()
    return z.grad
