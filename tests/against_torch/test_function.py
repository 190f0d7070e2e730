"""User-defined Functions do what torch's do."""

from __future__ import annotations

import pytest

from tests.against_torch.programs import failure, same

pytestmark = pytest.mark.filterwarnings("ignore:.*should not be instantiated")


def leaf(m, values=(1.0, 2.0, 3.0), dtype="float64"):
    return m.tensor(list(values), dtype=getattr(m, dtype), requires_grad=True)


def make(m, forward, backward, **members):
    """A Function class named MyFn."""
    members = {key: staticmethod(value) for key, value in members.items()}
    members |= {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("MyFn", (m.autograd.Function,), members)


def cube(m):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x * x

    return make(m, forward, backward)


@same
def test_first_second_and_third_derivative(m):
    x = leaf(m)
    y = cube(m).apply(x)
    found = [y]
    for _ in range(3):
        (y,) = m.autograd.grad(y.sum(), x, create_graph=True)
        found.append(y)
    return [*found, y.requires_grad]


@same
def test_no_graph_without_create_graph(m):
    x = leaf(m)
    modes = []

    def backward(ctx, g):
        modes.append((m.is_grad_enabled(), g.requires_grad))
        return g * 2

    fn = make(m, lambda ctx, x: x * 2, backward)
    fn.apply(x).sum().backward()
    fn.apply(x).sum().backward(create_graph=True)
    with m.no_grad():
        fn.apply(x).requires_grad_().sum().backward()
    return [modes, x.grad, x.grad.requires_grad]


@same
def test_names(m):
    y = cube(m).apply(leaf(m))
    return [y.grad_fn.name(), str(y).rpartition("grad_fn=")[2], y.is_leaf]


@same
def test_attributes_are_found_on_the_node(m):
    def forward(ctx, x, k):
        ctx.k, ctx.next, ctx.saved, ctx.shapes, ctx.s, ctx.plan = k, 1, 2, 3, 4, 5
        ctx.name_of_mine = "here"
        return x * k

    def backward(ctx, g):
        return g * (ctx.k + ctx.next + ctx.saved + ctx.shapes + ctx.s + ctx.plan), None

    x = leaf(m)
    y = make(m, forward, backward).apply(x, 10)
    y.sum().backward()
    return [x.grad, y.grad_fn.name_of_mine]


@same
def test_needs_input_grad(m):
    seen = []

    def forward(ctx, a, n, b, c):
        seen.append(ctx.needs_input_grad)
        return a * n + b + c

    def backward(ctx, g):
        seen.append(ctx.needs_input_grad)
        return (g, None, g, g)

    a, b = leaf(m), leaf(m)
    fn = make(m, forward, backward)
    fn.apply(a, 3, b.detach(), b).sum().backward()
    with m.no_grad():
        fn.apply(a, 3, b.detach(), b)
    fn.apply(a.detach(), 3, b.detach(), b.detach())
    return [seen, a.grad, b.grad]


@same
def test_forward_runs_without_recording(m):
    seen = []

    def forward(ctx, x):
        y = x * 2
        seen.append((m.is_grad_enabled(), y.requires_grad, x.requires_grad))
        return y

    y = make(m, forward, lambda ctx, g: g).apply(leaf(m))
    return [seen, y.requires_grad, m.is_grad_enabled()]


@same
def test_several_outputs(m):
    seen = []

    def forward(ctx, x, y):
        return x * y, "text", x + y, [x], None

    def backward(ctx, g, text, h, inner, none):
        seen.append([g, text, h, inner, none])
        return g + 10 * h, g - h

    x, y = leaf(m), leaf(m, (4, 5, 6))
    fn = make(m, forward, backward)
    a, text, b, inner, none = fn.apply(x, y)
    (a * 2).sum().backward()
    a, text, b, inner, none = fn.apply(x, y)
    (b * 3).sum().backward()
    a, text, b, inner, none = fn.apply(x, y)
    (a + b * b).sum().backward()
    edges = (a * b).grad_fn.next_functions
    same_node = a.grad_fn is b.grad_fn
    return [
        seen,
        text,
        inner,
        none,
        x.grad,
        y.grad,
        [e[1] for e in edges],
        same_node,
        inner[0] is x,
        a.output_nr,
        b.output_nr,
    ]


@same
def test_no_materialized_gradients(m):
    seen = []

    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    def backward(ctx, g, h):
        seen.append([g, h])
        return g if h is None else h

    x = leaf(m)
    fn = make(m, forward, backward)
    fn.apply(x)[0].sum().backward()
    fn.apply(x)[1].sum().backward()
    return [seen, x.grad]


@same
def test_functions_that_nothing_arrives_at(m):
    """An earlier Function gets zeros where a later one gave None."""
    seen = []

    def first(ctx, g):
        seen.append(g)
        return g

    def later(ctx, g):
        seen.append(g)
        return None

    x = leaf(m)
    y = make(m, lambda ctx, x: x * 2, first).apply(x)
    make(m, lambda ctx, x: x * 2, later).apply(y * 2).sum().backward()
    x2 = leaf(m)
    y = make(m, lambda ctx, x: x * 2, first).apply(x2)
    make(m, lambda ctx, x: x * 2, later).apply(y).sum().backward()
    return [seen, x.grad, x2.grad]


@same
def test_mark_non_differentiable(m):
    seen = []

    def forward(ctx, x):
        y, z = x * 2, x > 1
        w = x * 5
        ctx.mark_non_differentiable(w)
        return y, z, w

    def backward(ctx, g, h, i):
        seen.append([g, h, i])
        return g

    x = leaf(m)
    y, z, w = make(m, forward, backward).apply(x)
    y.sum().backward()
    return [x.grad, y.requires_grad, z.requires_grad, w.requires_grad, z, w, seen]


@same
def test_integer_outputs_need_no_gradient(m):
    def forward(ctx, x):
        return (x * 2).to(m.int64), x * 2

    i, y = make(m, forward, lambda ctx, h, g: g).apply(leaf(m))
    return [i, y, i.requires_grad, y.requires_grad]


@same
def test_saved_outputs_and_intermediates(m):
    def forward(ctx, x):
        half = x / 2
        y = half * half
        ctx.save_for_backward(y, None, half, x)
        return y

    def backward(ctx, g):
        y, none, half, x = ctx.saved_tensors
        return g * (y / half if none is None else x)

    x = leaf(m)
    y = make(m, forward, backward).apply(x)
    (g,) = m.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = m.autograd.grad(g.sum(), x)
    return [y, g, h]


@same
def test_a_saved_output_among_several(m):
    def forward(ctx, x):
        y, z = x * x, x * x * x
        ctx.save_for_backward(x, y, z)
        return y, z

    def backward(ctx, g, h):
        x, y, z = ctx.saved_tensors
        return g * 2 * x + h * 3 * z / x + 0 * y

    x = leaf(m)
    y, z = make(m, forward, backward).apply(x)
    (g,) = m.autograd.grad((y * z).sum(), x, create_graph=True)
    seen = [g, *m.autograd.grad(g.sum(), (x, z, y), retain_graph=True)]
    return seen


@same
def test_saved_tensors_are_released(m):
    x = leaf(m)
    y = cube(m).apply(x)
    loss = y.sum()
    loss.backward(retain_graph=True)
    loss.backward()
    return [
        x.grad,
        failure(loss.backward),
        failure(lambda: y.grad_fn.saved_tensors),
        failure(y.sum().backward),
    ]


@same
def test_backward_again_where_nothing_is_saved(m):
    x = leaf(m)
    loss = make(m, lambda ctx, x: x * 2, lambda ctx, g: g * 2).apply(x).sum()
    loss.backward()
    loss.backward()
    return x.grad


@same
def test_nothing_is_saved_without_a_graph(m):
    def backward(ctx, g):
        return g

    contexts = []

    def forward(ctx, x):
        contexts.append(ctx)
        return x * 2

    make(m, forward, backward).apply(leaf(m))
    return [contexts[0].saved_tensors, contexts[0].needs_input_grad]


@same
@pytest.mark.parametrize("which", [0, 1, 2])
def test_saved_tensors_must_not_be_written(m, which):
    def forward(ctx, a, b):
        y = a * b
        ctx.save_for_backward(a, b, y)
        return y

    def backward(ctx, g):
        a, b, y = ctx.saved_tensors
        return g * b, g * a

    x = leaf(m)
    a, b = x * 2, x * 3
    y = make(m, forward, backward).apply(a, b)
    loss = (y * 1).sum()
    (a, b, y)[which].add_(1)
    loss.backward()
    return x.grad


@same
def test_saved_tensors_written_during_forward(m):
    def forward(ctx, x):
        y = x * 2
        y.add_(1)
        ctx.save_for_backward(y)
        y.mul_(2)
        return x * y

    def backward(ctx, g):
        return g * ctx.saved_tensors[0]

    x = leaf(m)
    make(m, forward, backward).apply(x).sum().backward()
    return x.grad


@same
def test_save_for_backward_takes_tensors_only(m):
    def forward(ctx, x):
        ctx.save_for_backward(x, 3)
        return x * 2

    make(m, forward, lambda ctx, g: g).apply(leaf(m))


@same
def test_the_last_save_for_backward_counts(m):
    def forward(ctx, x):
        ctx.save_for_backward(x, x)
        ctx.save_for_backward(x * 2)
        return x * 2

    y = make(m, forward, lambda ctx, g: g).apply(leaf(m))
    return [y.grad_fn.saved_tensors]


# --- Gradients that do not fit --------------------------------------------------------

WRONG = {
    "too few": lambda m, g: g,
    "too many": lambda m, g: (g, None, g),
    "too many, all None": lambda m, g: (g, None, None, None),
    "for a number": lambda m, g: (g, g),
    "a number": lambda m, g: (3.0, None),
    "a list": lambda m, g: ([g], None),
    "a list of all": lambda m, g: [g, None],
    "longer": lambda m, g: (g.expand(3, 3)[:, :1].expand(3, 4), None),
    "broadcast": lambda m, g: (g.expand(4, 3), None),
    "shorter": lambda m, g: (g[:1], None),
    "0-d": lambda m, g: (g.sum(), None),
    "float32": lambda m, g: (g.to(m.float32), None),
    "integer": lambda m, g: (g.to(m.int64), None),
    "None": lambda m, g: (None, None),
    "tuple in tuple": lambda m, g: ((g,), None),
}


@same
@pytest.mark.parametrize("name", WRONG)
def test_gradients_that_may_not_fit(m, name):
    x = leaf(m)
    fn = make(m, lambda ctx, x, n: x * n, lambda ctx, g: WRONG[name](m, g))
    fn.apply(x, 2.0).sum().backward()
    return x.grad


@same
def test_gradients_of_inputs_that_need_none_are_dropped(m):
    x, c = leaf(m), leaf(m).detach()
    fn = make(m, lambda ctx, c, x: x * c, lambda ctx, g: (g[:1], g))
    fn.apply(c, x).sum().backward()
    return [x.grad, c.grad]


@same
def test_an_exception_in_backward_leaves_the_mode(m):
    def backward(ctx, g):
        raise ValueError("mine")

    x = leaf(m)
    loss = make(m, lambda ctx, x: x * 2, backward).apply(x).sum()
    failed = failure(loss.backward)
    x.sum().backward()
    return [failed, m.is_grad_enabled(), x.grad]


@same
def test_an_exception_in_forward_leaves_the_mode(m):
    def forward(ctx, x):
        raise ValueError("mine")

    failed = failure(make(m, forward, lambda ctx, g: g).apply, leaf(m))
    return [failed, m.is_grad_enabled()]


# --- setup_context --------------------------------------------------------------------


def scaled(m):
    class Scaled(m.autograd.Function):
        @staticmethod
        def forward(x, factor=2, power=1):
            return x * factor**power

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.factor, ctx.power = inputs
            ctx.save_for_backward(x, output)

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * y / x, None, None

    return Scaled


@same
@pytest.mark.parametrize(
    "args, kwargs",
    [((), {}), ((3,), {}), ((3, 2), {}), ((), {"power": 3}), ((), {"wrong": 3})],
)
def test_setup_context(m, args, kwargs):
    x = leaf(m)
    y = scaled(m).apply(x, *args, **kwargs)
    (g,) = m.autograd.grad(y.sum(), x, create_graph=True)
    return [y, g, *m.autograd.grad(g.sum(), x)]


@same
def test_vjp_is_another_name_of_backward(m):
    class Named(m.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def vjp(ctx, g):
            return g * 7

    x = leaf(m)
    Named.apply(x).sum().backward()
    return x.grad


@same
def test_what_is_not_written_raises(m):
    class Empty(m.autograd.Function):
        pass

    class Half(m.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    x = leaf(m)
    return [
        failure(Empty.apply, x),
        failure(Half.apply(x).sum().backward),
        failure(Half.jvp, None, x),
        failure(lambda: Half()(x)),
        failure(lambda: Half.apply(x, unknown=1)),
    ]


@same
def test_inherited_functions(m):
    class More(cube(m)):
        pass

    x = leaf(m)
    y = More.apply(x)
    y.sum().backward()
    return [x.grad, y.grad_fn.name()]


# --- Inputs as outputs, and in place --------------------------------------------------


@same
def test_an_input_returned_as_it_is(m):
    x = leaf(m)
    y = make(m, lambda ctx, x: x, lambda ctx, g: g * 3).apply(x)
    y.sum().backward()
    constant = x.detach()
    z = make(m, lambda ctx, x: x, lambda ctx, g: g * 3).apply(constant)
    return [y is x, y, x.grad, x.is_leaf, z, z.requires_grad, failure(y.add_, 1)]


@same
def test_an_input_returned_and_saved(m):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x

    x = leaf(m)
    y = make(m, forward, lambda ctx, g: g * ctx.saved_tensors[0]).apply(x)
    (g,) = m.autograd.grad(y.sum(), x, create_graph=True)
    return [g, *m.autograd.grad(g.sum(), x)]


@same
def test_an_input_returned_under_no_grad(m):
    x = leaf(m)
    with m.no_grad():
        y = make(m, lambda ctx, x: x, lambda ctx, g: g * 3).apply(x)
    return [y is x, y.requires_grad, x.requires_grad]


@same
def test_views_as_outputs(m):
    x = leaf(m)
    y = make(m, lambda ctx, x: x.view(3, 1), lambda ctx, g: g.view(3) * 3).apply(x)
    y.sum().backward()
    return [y, x.grad, failure(y.add_, 1), failure(y[0].add_, 1)]


@same
def test_a_view_whose_base_is_written(m):
    base = leaf(m) * 1
    y = make(m, lambda ctx, x: x.view(3, 1), lambda ctx, g: g.view(3) * 3).apply(base)
    base.mul_(2)
    return y.sum().backward()


def doubled(m, *more):
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return (x, *more) if more else x

    return make(m, forward, lambda ctx, g, *more: g * 2)


@same
def test_dirty(m):
    x = leaf(m)
    a = x * 3
    b = a * 1
    y = doubled(m).apply(a)
    (y * y).sum().backward()
    return [y is a, y, x.grad, a.grad_fn.name(), b]


@same
def test_dirty_view(m):
    x = leaf(m)
    a = x * 3
    part = a[1:]
    y = doubled(m).apply(part)
    (a * a).sum().backward()
    return [y is part, y, a, x.grad]


@same
def test_dirty_base_of_a_view(m):
    x = leaf(m)
    a = x * 3
    part = a[1:]
    doubled(m).apply(a)
    (part * part).sum().backward()
    return [part, x.grad]


@same
def test_dirty_without_a_graph(m):
    x = leaf(m).detach()
    y = doubled(m).apply(x)
    return [y is x, x, x.requires_grad]


@same
def test_dirty_is_a_write(m):
    x = leaf(m)
    a = x * 3
    b = a * a
    doubled(m).apply(a)
    b.sum().backward()


@same
@pytest.mark.parametrize("case", ["leaf", "view of a leaf", "not returned", "two"])
def test_dirty_where_it_must_not(m, case):
    x = leaf(m)
    if case == "leaf":
        doubled(m).apply(x)
    elif case == "view of a leaf":
        with m.no_grad():
            doubled(m).apply(x[1:])
        doubled(m).apply(x.view(3))
    elif case == "two":
        doubled(m, 3).apply((x * 2)[1:])
    else:

        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x * 2

        make(m, forward, lambda ctx, g: g).apply(x * 2)


# --- Other ways in and out ------------------------------------------------------------


@same
def test_once_differentiable(m):
    def backward(ctx, g):
        seen.append((g.requires_grad, m.is_grad_enabled()))
        return g * 2

    seen = []
    x, v = leaf(m), leaf(m)
    once = m.autograd.function.once_differentiable(backward)
    y = make(m, lambda ctx, x: x * 2, once).apply(x)
    y.sum().backward(retain_graph=True)
    (g,) = m.autograd.grad(y, x, v, create_graph=True)
    return [seen, x.grad, g, g.requires_grad, failure(g.sum().backward)]


@same
def test_once_differentiable_with_constant_gradients(m):
    once = m.autograd.function.once_differentiable(lambda ctx, g: g * 2)
    x = leaf(m)
    y = make(m, lambda ctx, x: x * 2, once).apply(x)
    (g,) = m.autograd.grad(y.sum(), x, create_graph=True)
    return [g, g.requires_grad]


@same
def test_backward_inside_backward(m):
    """Checkpointing: the backward records the forward again and walks it."""

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x * x).exp()

    def backward(ctx, g):
        x = ctx.saved_tensors[0].detach().requires_grad_()
        with m.enable_grad():
            y = (x * x).exp()
        y.backward(g)
        return x.grad

    fn = make(m, forward, backward)
    x = leaf(m, (0.1, 0.2, 0.3))
    fn.apply(fn.apply(x) * 0.5).sum().backward()
    return [x.grad, m.is_grad_enabled()]


@same
def test_functions_inside_functions(m):
    inner = cube(m)

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return inner.apply(x) * 2

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * g * 3 * inner.apply(x) / x

    x = leaf(m)
    y = make(m, forward, backward).apply(x)
    (g,) = m.autograd.grad(y.sum(), x, create_graph=True)
    return [g, *m.autograd.grad(g.sum(), x)]


@same
def test_the_same_input_twice(m):
    x = leaf(m)
    fn = make(m, lambda ctx, a, b: a * b, lambda ctx, g: (g * 2, g * 3))
    fn.apply(x, x).sum().backward()
    return x.grad


@same
def test_complex_gradients_are_the_users(m):
    x = m.tensor([1 + 2j, 3 - 1j], dtype=m.complex128, requires_grad=True)
    seen = []

    def backward(ctx, g):
        seen.append(g)
        return g * (2 - 3j)

    y = make(m, lambda ctx, x: x * (2 + 3j), backward).apply(x)
    z = y * (1 + 1j)
    z.backward(m.tensor([1 + 1j, 2.0], dtype=m.complex128))
    return [x.grad, seen]


@same
def test_a_complex_gradient_of_a_real_input(m):
    x = leaf(m)
    fn = make(m, lambda ctx, x: x * 2, lambda ctx, g: g + 1j)
    fn.apply(x).sum().backward()


@same
def test_keywords_beside_ctx(m):
    x = leaf(m)

    def forward(ctx, x, n=1):
        ctx.n = n
        return x * n

    fn = make(m, forward, lambda ctx, g: g * ctx.n)
    fn.apply(x, n=5).sum().backward()
    return x.grad


@same
def test_hooks_on_the_node(m):
    seen = []
    x = leaf(m)
    y = cube(m).apply(x)
    y.grad_fn.register_hook(lambda gi, go: seen.append([gi, go]))
    y.grad_fn.register_prehook(lambda go: seen.append([go]))
    y.register_hook(lambda g: seen.append(g))
    y.sum().backward()
    return seen


@same
def test_hooks_on_a_node_with_several_outputs(m):
    seen = []
    x = leaf(m)
    fn = make(m, lambda ctx, x: (x * 2, x * 3), lambda ctx, g, h: 2 * g + 3 * h)
    y, z = fn.apply(x)
    y.grad_fn.register_hook(lambda gi, go: seen.append([gi, go]))
    z.register_hook(lambda g: g * 10)
    z.retain_grad()
    (y + z).sum().backward()
    return [seen, x.grad, z.grad]
