"""Derivatives of functions rather than of recorded computations.

- A function takes one or several tensors and returns one or several; so do the results
  here: one tensor where one was given, a tuple where a tuple was.
- `jacobian` and `hessian` give whole matrices, row by row; `vjp`, `jvp`, `vhp` and
  `hvp` multiply them with a vector without building them.
- Nothing is left in the inputs' `grad`. With `create_graph=True` the results can be
  differentiated again.
- What does not depend on an input has a derivative of zeros; `strict=True` makes it
  an error.
"""

from __future__ import annotations

from .. import modes
from ..errors import UnsupportedOpError
from ..interface import OPS
from ..tensor import Tensor
from .backward import grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Tensors = Tensor | tuple[Tensor, ...]


def jacobian(
    func: Callable[..., Tensors],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The derivative of every output element by every input element.

    Its shape is the output's followed by the input's. `vectorize` is accepted; rows
    are computed one by one either way.

    >>> import plugrad
    >>> plugrad.autograd.functional.jacobian(lambda x: x * x, plugrad.ones(2))
    tensor([[2., 0.],
            [0., 2.]])
    """
    check_strategy(strategy, strict, vectorize)
    xs, one_input = tupled(inputs, "inputs", "jacobian")
    xs = prepared(xs, create_graph)
    with modes.enable_grad():
        ys, one_output = outputs_of(func, xs, "jacobian", strict)
        found: list[Any] = []
        for i, y in enumerate(ys):
            rows = [
                derivative((e,), xs, None, create_graph, strict, f"Output {i}")
                for e in elements(y)
            ]
            if strict and create_graph:
                for row in rows:
                    check_dependent(row, "jacobian")
            parts = tuple(
                matrix(y, x, [row[j] for row in rows]) for j, x in enumerate(xs)
            )
            found.append(parts[0] if one_input else parts)
        result = found[0] if one_output else tuple(found)
    return result if create_graph else detached(result)


def hessian(
    func: Callable[..., Tensor],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function with one output element.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, 2.0])
    >>> plugrad.autograd.functional.hessian(lambda x: (x * x * x).sum(), x)
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    check_strategy(outer_jacobian_strategy, strict, vectorize)
    _, one_input = tupled(inputs, "inputs", "hessian")

    def gradient(*xs: Tensor) -> Tensors:
        ys, _ = outputs_of(func, xs, "hessian", strict, single=True)
        found = derivative(ys, xs, None, True, strict, "The output")
        if strict:
            check_dependent(found, "hessian")
        return found[0] if one_input else found

    return jacobian(gradient, inputs, create_graph, strict)


def vjp(
    func: Callable[..., Tensors],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The outputs of `func`, and the product of `v` with the Jacobian.

    >>> import plugrad
    >>> x, v = plugrad.ones(2), plugrad.tensor([1.0, 10.0])
    >>> plugrad.autograd.functional.vjp(lambda x: x * x, x, v)
    (tensor([1., 1.]), tensor([ 2., 20.]))
    """
    xs, one_input = tupled(inputs, "inputs", "vjp")
    xs = prepared(xs, create_graph)
    with modes.enable_grad():
        ys, one_output = outputs_of(func, xs, "vjp", strict)
        vs = vector(v, ys, "the user-provided function returns")
        found = derivative(ys, xs, vs, create_graph, strict, "The output")
        if strict and create_graph:
            check_dependent(found, "vjp")
    return finished(ys, one_output, found, one_input, create_graph)


def jvp(
    func: Callable[..., Tensors],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The outputs of `func`, and the product of the Jacobian with `v`.

    The vjp is linear in its vector; its derivative by that vector is the jvp.

    >>> import plugrad
    >>> x, v = plugrad.ones(2), plugrad.tensor([1.0, 10.0])
    >>> plugrad.autograd.functional.jvp(lambda x: x * x, x, v)
    (tensor([1., 1.]), tensor([ 2., 20.]))
    """
    xs, _ = tupled(inputs, "inputs", "jvp")
    vs = vector(v, xs, "the input to the user-provided function is")
    xs = prepared(xs, create_graph)
    with modes.enable_grad():
        ys, one_output = outputs_of(func, xs, "jvp", strict)
        unknown = tuple(zeros_like(y).requires_grad_() for y in ys)
        rows = derivative(ys, xs, unknown, True, strict, "The output")
        found = derivative(rows, unknown, vs, create_graph, False, "")
        if strict and create_graph:
            check_dependent(found, "jvp")
    return finished(ys, one_output, found, one_output, create_graph)


def vhp(
    func: Callable[..., Tensor],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The output of `func`, and the product of `v` with the Hessian.

    >>> import plugrad
    >>> x, v = plugrad.ones(2), plugrad.tensor([1.0, 10.0])
    >>> plugrad.autograd.functional.vhp(lambda x: (x * x * x).sum(), x, v)
    (tensor(2.), tensor([ 6., 60.]))
    """
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Callable[..., Tensor],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The output of `func`, and the product of the Hessian with `v`: the same as `vhp`,
    as second derivatives that are continuous are symmetric."""
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)


def _hessian_product(
    name: str, func: Any, inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    xs, one_input = tupled(inputs, "inputs", name)
    vs = vector(v, xs, "the input to the user-provided function is")
    xs = prepared(xs, create_graph)
    with modes.enable_grad():
        ys, _ = outputs_of(func, xs, name, strict, single=True)
        first = derivative(ys, xs, None, True, strict, "The output")
        if strict:
            check_dependent(first, name)
        found = derivative(first, xs, vs, create_graph, strict, "The jacobian")
        if strict and create_graph:
            check_dependent(found, name)
    return finished(ys, True, found, one_input, create_graph)


# --- Arguments and results ------------------------------------------------------------


def check_strategy(strategy: str, strict: bool, vectorize: bool) -> None:
    """Raise for ways of computing that do not exist here."""
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(
            f"Expected strategy to be either 'reverse-mode' or 'forward-mode', but got "
            f"{strategy!r}"
        )
    if strategy == "forward-mode":
        raise UnsupportedOpError(
            "there is no forward mode; leave the strategy at 'reverse-mode'"
        )
    if strict and vectorize:
        raise RuntimeError("strict=True and vectorize=True are not supported together")


def tupled(values: Any, what: str, name: str) -> tuple[tuple[Tensor, ...], bool]:
    """One or several tensors as a tuple, and whether it was one."""
    one = not isinstance(values, tuple)
    found = (values,) if one else values
    for i, each in enumerate(found):
        if not isinstance(each, Tensor):
            where = f"the given {what}" if one else f"the value at index {i}"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of "
                f"Tensors but {where} has type {type(each)}."
            )
    return found, one


def prepared(xs: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    """The inputs as tensors of our own, that need gradients."""
    if not create_graph:
        return tuple(x.detach().requires_grad_() for x in xs)
    return tuple(
        OPS["reshape"].function(x, *x.shape)
        if x._node is not None
        else x.detach().requires_grad_()
        for x in xs
    )


def outputs_of(
    func: Any, xs: tuple[Tensor, ...], name: str, strict: bool, single: bool = False
) -> tuple[tuple[Tensor, ...], bool]:
    """What `func` returns, as a tuple, and whether it was one tensor."""
    what = "outputs of the user-provided function"
    ys, one = tupled(func(*xs), what, name)
    if single and not (one and ys[0].numel() == 1):
        raise RuntimeError(
            f"The Tensor returned by the function given to {name} should contain a "
            "single element"
        )
    for i, y in enumerate(ys):
        if strict and y._node is None:
            raise RuntimeError(
                f"Output {i} of the user-provided function does not require gradients. "
                "The outputs must be computed in a differentiable manner from the "
                "input when running in strict mode."
            )
    return ys, one


def vector(v: Any, like: tuple[Tensor, ...], where: str) -> tuple[Tensor, ...]:
    """The vector to multiply with, shaped as the tensors `like`."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(
                f"The vector v can only be None if {where} a single Tensor with a "
                "single element."
            )
        return (like[0]._k.tensors.ones_like(like[0]),)
    vs, _ = tupled(v, "v", "the product")
    if len(vs) != len(like):
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(vs)}."
        )
    for each, x in zip(vs, like):
        if each.shape != x.shape:
            raise RuntimeError(
                f"v has invalid size: should be {x.shape} but got {each.shape}."
            )
    return vs


def derivative(
    ys: Sequence[Tensor],
    xs: Sequence[Tensor],
    vs: Sequence[Tensor] | None,
    create_graph: bool,
    strict: bool,
    what: str,
) -> tuple[Tensor, ...]:
    """The gradients of `ys` by `xs`; zeros where nothing leads from one to another."""
    given = [None] * len(ys) if vs is None else vs
    pairs = [(y, v) for y, v in zip(ys, given) if y._node is not None]
    gradients: Sequence[Any] = [None] * len(xs)
    if pairs:
        gradients = grad(
            [y for y, _ in pairs],
            xs,
            [v for _, v in pairs],
            retain_graph=True,
            create_graph=create_graph,
            allow_unused=True,
        )
    for i, g in enumerate(gradients):
        if g is None and strict:
            raise RuntimeError(
                f"{what} of the user-provided function is independent of input {i}. "
                "This is not allowed in strict mode."
            )
    return tuple(zeros_like(x) if g is None else g for g, x in zip(gradients, xs))


def check_dependent(found: tuple[Tensor, ...], name: str) -> None:
    """Raise if a derivative does not depend on the inputs any more."""
    for i, g in enumerate(found):
        if g._node is None:
            raise RuntimeError(
                f"While computing the {name}, found that the jacobian of the "
                f"user-provided function with respect to input {i} is independent of "
                "the input. This is not allowed in strict mode."
            )


def finished(ys: Any, one_y: bool, found: Any, one: bool, create_graph: bool) -> Any:
    """The outputs and the product, shaped as the user gave theirs."""
    result = ys[0] if one_y else ys, found[0] if one else found
    return result if create_graph else detached(result)


def elements(y: Tensor) -> list[Tensor]:
    """Each element of `y` as a tensor of its own."""
    flat = OPS["reshape"].function(y, -1)
    return [flat[i] for i in range(y.numel())]


def matrix(y: Tensor, x: Tensor, rows: list[Tensor]) -> Tensor:
    """The derivatives of the elements of `y` by `x`, as one tensor."""
    shape = (*y.shape, *x.shape)
    if not rows:
        return x._k.tensors.zeros(shape, dtype=x.dtype)
    return OPS["reshape"].function(OPS["stack"].function(rows, 0), shape)


def detached(found: Any) -> Any:
    """Tensors in nested tuples, without history."""
    if isinstance(found, tuple):
        return tuple(detached(each) for each in found)
    return found.detach()


def zeros_like(x: Tensor) -> Tensor:
    """Zeros of the shape of `x`."""
    return x._k.tensors.zeros_like(x)


__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]
