"""Compare gradients with numeric ones.

- `gradcheck` compares what backward gives with differences of the function's values;
  `gradgradcheck` does so with the gradient of the gradient.
- An output y has the gradient g; the number that is differentiated is L = Re(sum of
  conj(g) * y). The gradient of L by a complex input z = a + bi is dL/da + i dL/db, as
  everywhere in autograd. For the whole Jacobian, g is 1 at one element of y (and then,
  where y is complex, i); in `fast_mode` it is random, and so is the direction of the
  input's change.
- The inputs are never written: each changed input is a new tensor, which is why inputs
  that overlap in memory are welcome.
"""

from __future__ import annotations

from ..errors import UnsupportedOpError
from ..tensor import Tensor, wrap
from .backward import grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..interface import Backend

    Function = Callable[..., Any]
    Row = list[complex] | list[float]


class GradcheckError(RuntimeError):
    """Raised by `gradcheck` and `gradgradcheck` when a gradient is wrong.

    >>> import plugrad
    >>> x = plugrad.ones(1, dtype=plugrad.float64, requires_grad=True)
    >>> try:
    ...     plugrad.autograd.gradcheck(lambda x: x * x.detach(), x)
    ... except plugrad.autograd.GradcheckError:
    ...     print("the gradient is 2 * x, not x")
    the gradient is 2 * x, not x
    """


def gradcheck(
    func: Function,
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare the gradients of `func` at `inputs` with finite differences.

    Gives True if all agree. Otherwise raises GradcheckError, or gives False where
    `raise_exception` is False. The defaults are right for float64 and complex128.

    >>> import plugrad
    >>> x = plugrad.tensor([0.5, 2.0], dtype=plugrad.float64, requires_grad=True)
    >>> plugrad.autograd.gradcheck(plugrad.tanh, x)
    True
    """
    if not check_backward_ad and not check_forward_ad:
        raise AssertionError(
            "Expected at least one of check_forward_ad or check_backward_ad to be True"
        )
    refuse_others(
        check_batched_grad=check_batched_grad,
        check_batched_forward_grad=check_batched_forward_grad,
        check_forward_ad=check_forward_ad,
    )
    check = Check(func, inputs, eps, atol, rtol)
    try:
        if check.differentiable():
            check.jacobians(nondet_tol, check_grad_dtypes, fast_mode)
            check.zero_gradients()
            if check_undefined_grad:
                check.undefined_gradients()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Function,
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Compare the gradients of the gradients of `func` with finite differences.

    They are taken by the inputs and by `grad_outputs`, which are random where they
    are not given.

    >>> import plugrad
    >>> x = plugrad.tensor([0.5, 2.0], dtype=plugrad.float64, requires_grad=True)
    >>> plugrad.autograd.gradgradcheck(plugrad.tanh, x)
    True
    """
    if not check_fwd_over_rev and not check_rev_over_rev:
        raise AssertionError(
            "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be "
            "True"
        )
    refuse_others(
        check_batched_grad=check_batched_grad, check_fwd_over_rev=check_fwd_over_rev
    )
    given = as_tuple(inputs)
    if grad_outputs is None:
        outputs = differentiable_outputs(func(*given))
        gradients = random_gradients(outputs, gen_non_contig_grad_outputs)
    else:
        gradients = as_tuple(grad_outputs)

    def first_gradients(*args: Any) -> tuple[Tensor, ...]:
        own, g = args[: len(given)], args[len(given) :]
        outputs = differentiable_outputs(func(*own))
        wanted = [t for t in own if isinstance(t, Tensor) and t.requires_grad]
        found = grad(outputs, wanted, g, create_graph=True, allow_unused=True)
        return tuple(each for each in found if each is not None)

    return gradcheck(
        first_gradients,
        (*given, *gradients),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        fast_mode=fast_mode,
        masked=masked,
    )


def refuse_others(**asked: bool) -> None:
    """Raise where a check is asked for that there is nothing to check with."""
    for name, value in asked.items():
        if value:
            raise UnsupportedOpError(
                f"{name}=True is not supported: there are neither batched gradients "
                "nor forward-mode gradients to check"
            )


class Check:
    """One function at one set of inputs."""

    def __init__(
        self, func: Function, inputs: Any, eps: float, atol: float, rtol: float
    ) -> None:
        self.func = func
        self.inputs = as_tuple(inputs)
        self.eps, self.atol, self.rtol = eps, atol, rtol
        self.indices = [
            i
            for i, t in enumerate(self.inputs)
            if isinstance(t, Tensor) and t.requires_grad
        ]
        if not self.indices:
            raise ValueError(
                "gradcheck expects at least one input tensor to require gradient, but "
                "none of the them have requires_grad=True."
            )
        for i in self.indices:
            if self.inputs[i].dtype.name not in ("float64", "complex128"):
                import warnings

                warnings.warn(
                    f"Input #{i} requires gradient and is not a double precision "
                    "floating point or complex. This check will likely fail if all "
                    "the inputs are not of double precision floating point or complex.",
                    stacklevel=3,
                )
        self.wanted = [self.inputs[i] for i in self.indices]
        for t in self.wanted:
            if not t.is_leaf:
                t.retain_grad()
        self.outputs = differentiable_outputs(func(*self.inputs))

    def differentiable(self) -> bool:
        """Whether there is an output with a gradient; if not, none may change."""
        if self.outputs:
            return True
        for i in self.indices:
            for row in self.rows(i, every=True):
                if any(abs(v) > self.atol for output in row for v in output):
                    raise GradcheckError(
                        "Numerical gradient for function expected to be zero: no "
                        f"output requires a gradient, but input {i} changes one"
                    )
        return False

    # --- Numeric ------------------------------------------------------------------

    def values(self, i: int, elements: Row, every: bool = False) -> list[Row]:
        """The elements of each output, with other elements in input `i`."""
        t = self.inputs[i]
        changed = make(t._k, elements, t.shape, t._a.dtype)
        changed.requires_grad_(t.requires_grad)
        args = [changed if x is t else x for x in self.inputs]
        found = self.func(*args)
        kept = all_tensors(found) if every else differentiable_outputs(found)
        return [flat(y) for y in kept]

    def slope(self, i: int, direction: Row, every: bool = False) -> list[Row]:
        """The derivative of each output when input `i` moves in a direction."""
        x, eps = flat(self.inputs[i]), self.eps
        above = self.values(i, [v + eps * d for v, d in zip(x, direction)], every)
        below = self.values(i, [v - eps * d for v, d in zip(x, direction)], every)
        return [
            [(p - m) / (2 * eps) for p, m in zip(a, b)] for a, b in zip(above, below)
        ]

    def rows(self, i: int, every: bool = False) -> list[list[Row]]:
        """The derivatives of the outputs by each element of input `i` (and by its
        imaginary part): rows[element][output]."""
        t = self.inputs[i]
        n = t.shape.numel()
        units: list[complex] = [1.0, 1j] if t.dtype.kind == "c" else [1.0]
        return [
            self.slope(i, [unit * (e == element) for e in range(n)], every)
            for element in range(n)
            for unit in units
        ]

    def numeric(self, i: int) -> list[list[Row]]:
        """The gradient of input `i` for each output's one-element gradients:
        numeric[output][gradient][element]."""
        rows = self.rows(i)
        is_complex = self.inputs[i].dtype.kind == "c"
        found: list[list[Row]] = []
        for o, y in enumerate(self.outputs):
            gradients: list[Row] = []
            for g, e in one_element(y):
                by = [(g.conjugate() * row[o][e]).real for row in rows]
                if is_complex:
                    by = [complex(a, b) for a, b in zip(by[::2], by[1::2])]
                gradients.append(by)
            found.append(gradients)
        return found

    # --- Analytic -----------------------------------------------------------------

    def backward(self, o: int, g: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of the inputs, given that of one output."""
        return grad(
            self.outputs[o], self.wanted, g, retain_graph=True, allow_unused=True
        )

    def analytic(self, o: int, check_dtypes: bool) -> list[list[Row]]:
        """What backward gives: analytic[input][gradient][element]."""
        y = self.outputs[o]
        n = y.shape.numel()
        found: list[list[Row]] = [[] for _ in self.wanted]
        for g, element in one_element(y):
            elements = [g * (e == element) for e in range(n)]
            gradients = self.backward(o, make(y._k, elements, y.shape, y._a.dtype))
            self.check_kinds(gradients, check_dtypes)
            for x, gx, row in zip(self.wanted, gradients, found):
                row.append([0.0] * x.shape.numel() if gx is None else flat(gx))
        return found

    def check_kinds(self, gradients: Sequence[Any], check_dtypes: bool) -> None:
        """Raise if a gradient has not the shape (and dtype) of its input."""
        for i, x, g in zip(self.indices, self.wanted, gradients):
            if g is None:
                continue
            if g.shape != x.shape:
                raise GradcheckError(
                    f"Analytical gradient for input {i} has incorrect size: "
                    f"{list(g.shape)}, the input has {list(x.shape)}"
                )
            if check_dtypes and g.dtype is not x.dtype:
                raise GradcheckError(
                    f"Analytical gradient for input {i} has incorrect dtype: "
                    f"{g.dtype}, the input has {x.dtype}"
                )

    # --- Comparing ----------------------------------------------------------------

    def jacobians(self, nondet_tol: float, check_dtypes: bool, fast: bool) -> None:
        """Raise unless the numeric and the analytic gradients agree."""
        if fast:
            self.projections(nondet_tol, check_dtypes)
            return
        numeric = [self.numeric(i) for i in self.indices]
        for o in range(len(self.outputs)):
            analytic = self.analytic(o, check_dtypes)
            again = self.analytic(o, check_dtypes)
            for n, i in enumerate(self.indices):
                if not self.agree(analytic[n], numeric[n][o]):
                    self.mismatch(i, o, numeric[n][o], analytic[n])
                self.check_reentrant(analytic[n], again[n], nondet_tol)

    def projections(self, nondet_tol: float, check_dtypes: bool) -> None:
        """Compare one random projection of each Jacobian."""
        from random import Random

        random = Random(0)
        for o, y in enumerate(self.outputs):
            v = unit_vector(random, y)
            g = make(y._k, v, y.shape, y._a.dtype)
            gradients, again = self.backward(o, g), self.backward(o, g)
            self.check_kinds(gradients, check_dtypes)
            for i, x, gx, twice in zip(self.indices, self.wanted, gradients, again):
                u = unit_vector(random, x)
                slope = self.slope(i, u)[o]
                number = sum((a.conjugate() * b).real for a, b in zip(v, slope))
                row = [0.0] * len(u) if gx is None else flat(gx)
                found = sum((a.conjugate() * b).real for a, b in zip(row, u))
                if not self.agree([[found]], [[number]]):
                    self.mismatch(i, o, [[number]], [[found]])
                if twice is not None:
                    self.check_reentrant([row], [flat(twice)], nondet_tol)

    def agree(self, a: list[Row], b: list[Row]) -> bool:
        """Whether all of `a` is close to `b`; a NaN is close to nothing."""
        return all(
            x == y or abs(x - y) <= self.atol + self.rtol * abs(y)
            for row, other in zip(a, b)
            for x, y in zip(row, other)
        )

    def mismatch(self, i: int, o: int, numeric: list[Row], analytic: list[Row]) -> None:
        """Raise, and show both Jacobians."""
        pairs = [
            (abs(a - n) if a == a and n == n else float("inf"), n, a)
            for row, other in zip(numeric, analytic)
            for n, a in zip(row, other)
        ]
        _, n, a = max(pairs, key=lambda pair: pair[0])
        raise GradcheckError(
            f"Jacobian mismatch for output {o} with respect to input {i}; the entries "
            f"furthest apart are {n:.6g} (numerical) and {a:.6g} (analytical)\n"
            f"numerical:{table(numeric)}\nanalytical:{table(analytic)}\n"
        )

    def check_reentrant(self, a: list[Row], b: list[Row], nondet_tol: float) -> None:
        """Raise if two backward passes differ."""
        for row, other in zip(a, b):
            for x, y in zip(row, other):
                if not (x == y or abs(x - y) <= nondet_tol):
                    raise GradcheckError(
                        "Backward is not reentrant, i.e., running backward with same "
                        "input and grad_output multiple times gives different values, "
                        "although analytical gradient matches numerical gradient. The "
                        f"tolerance for nondeterminism was {nondet_tol}."
                    )

    def zero_gradients(self) -> None:
        """Raise unless zero as the outputs' gradient gives zero to the inputs."""
        zeros = [y._k.tensors.zeros_like(y) for y in self.outputs]
        found = self.grads(list(self.outputs), zeros)
        self.check_kinds(found, True)
        if not all(is_zero(g) for g in found):
            raise GradcheckError("backward not multiplied by grad_output")

    def undefined_gradients(self) -> None:
        """Raise unless outputs that get no gradient at all count as zero."""
        for missing in range(len(self.outputs)):
            kept = [y for o, y in enumerate(self.outputs) if o != missing]
            if not kept:
                return
            found = self.grads(kept, [y._k.tensors.zeros_like(y) for y in kept])
            if not all(is_zero(g) for g in found):
                raise GradcheckError(
                    "Expected all input grads to be undefined or zero when all output "
                    f"grads are undefined or zero; output {missing} was undefined"
                )

    def grads(self, outputs: list[Tensor], g: list[Tensor]) -> Sequence[Any]:
        return grad(outputs, self.wanted, g, retain_graph=True, allow_unused=True)


# --- Tensors and lists of their elements ------------------------------------------


def as_tuple(value: Any) -> tuple[Any, ...]:
    """One value or several, as a tuple."""
    if isinstance(value, (list, tuple)):
        return tuple(value)
    return (value,)


def all_tensors(outputs: Any) -> list[Tensor]:
    """The tensors among what a function returned."""
    return [y for y in as_tuple(outputs) if isinstance(y, Tensor)]


def differentiable_outputs(outputs: Any) -> list[Tensor]:
    """The outputs that need a gradient."""
    return [y for y in all_tensors(outputs) if y.requires_grad]


def flat(t: Tensor) -> Row:
    """The elements in one list."""
    return t._k.to_list(t._k.reshape(t._a, (t.shape.numel(),)))


def make(k: Backend, elements: Any, shape: Any, native: Any) -> Tensor:
    """A tensor of given elements."""
    return wrap(k, k.copy(k.reshape(k.from_data(list(elements), native), tuple(shape))))


def one_element(y: Tensor) -> list[tuple[complex, int]]:
    """The gradients of an output that are not zero at one element: (value, element)."""
    units: list[complex] = [1.0, 1j] if y.dtype.kind == "c" else [1.0]
    return [(unit, e) for e in range(y.shape.numel()) for unit in units]


def unit_vector(random: Any, t: Tensor) -> Row:
    """Random elements for `t`, of length 1 together."""
    n = t.shape.numel()
    v: Any = [random.uniform(-1, 1) for _ in range(n)]
    if t.dtype.kind == "c":
        v = [complex(a, random.uniform(-1, 1)) for a in v]
    length = sum(abs(a) ** 2 for a in v) ** 0.5 or 1.0
    return [a / length for a in v]


def random_gradients(outputs: list[Tensor], spread: bool) -> tuple[Tensor, ...]:
    """A gradient for each output, itself to be differentiated; with `spread`, not
    contiguous."""
    from random import Random

    random = Random(0)
    found: list[Tensor] = []
    for y in outputs:
        k, n = y._k, y.shape.numel()
        elements: Any = [random.uniform(-1, 1) for _ in range(n)]
        if y.dtype.kind == "c":
            elements = [complex(a, random.uniform(-1, 1)) for a in elements]
        if spread and n > 1:
            doubled = [a for a in elements for _ in range(2)]
            g = wrap(k, make(k, doubled, (*y.shape, 2), y._a.dtype)._a[..., 0])
        else:
            g = make(k, elements, y.shape, y._a.dtype)
        found.append(g.requires_grad_())
    return tuple(found)


def is_zero(g: Tensor | None) -> bool:
    """Whether a gradient is missing or zero throughout."""
    return g is None or all(v == 0 for v in flat(g))


def table(rows: list[Row]) -> str:
    """A Jacobian to read: one line for each element of the input."""
    columns = list(zip(*rows))
    shown = "\n ".join(
        "[" + ", ".join(f"{v:.6g}" for v in column) + "]" for column in columns[:20]
    )
    return f"\n[{shown}{' ...' if len(columns) > 20 else ''}]"
