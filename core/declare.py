"""Declare an op once: its signature, its default kernel, its rules, its samples.

    @op(promote="float")
    def softplus(k: Kernels, x: Tensor, beta: float = 1.0) -> Tensor:
        "log(1 + exp(beta * x)) / beta, elementwise."
        return k.logaddexp(x * beta, k.zeros_like(x)) / beta

    softplus.grad(x=lambda k, g, x, beta: g * k.sigmoid(beta * x))

- The `def`, without `k`, is what the user calls. Its body runs on raw arrays; a
  backend with a kernel of the same name is called instead.
- A rule belongs to one argument. Its parameters say what the graph keeps: `g` is the
  incoming gradient, `y` the output unless an argument is called so, `x_shape` only the
  shape of `x`, a name from `extras` something that the kernel returned beside its
  outputs, anything else an argument of the op. `joint` gives one rule for all arguments
  instead.
- `Op.apply` is what a call means, step by step. Where an op is called often,
  `plugrad.stubs` writes a function for the common case which does the same with
  nothing in between, and leaves the rest to `apply`.
"""

from __future__ import annotations

from .calls import Calls
from .graph import sum_to
from .interface import OPS
from .params import ALL_KINDS, Sample, read_params

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import (
        Any,
        Concatenate,
        Generic,
        ParamSpec,
        Protocol,
        TypeVar,
        overload,
    )

    from .graph import Plan

    P = ParamSpec("P")
    R = TypeVar("R", covariant=True)
    S = TypeVar("S", bound=Callable[..., Any])
    Array = Any
    Kernels = Any

    class OpFunction(Protocol, Generic[P, R]):
        """What `@op` makes of a declaration."""

        op: Op
        __name__: str

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
        def grad(self, **rules: Callable[..., Any]) -> None: ...
        def joint(self, rule: Callable[..., Any]) -> Callable[..., Any]: ...
        def before(self, kinds: str = "") -> Callable[[S], S]: ...
        def samples(self, function: S) -> S: ...


class Op(Calls):
    """A declared op."""

    def __init__(
        self,
        body: Any,
        *,
        promote: str | None = None,
        kinds: str = ALL_KINDS,
        view: bool = False,
        broadcast: bool | None = None,
        outputs: Sequence[str] = (),
        differentiable: Sequence[str] | None = None,
        extras: Sequence[str] = (),
        method: bool = True,
        inplace: bool | None = None,
        no_grad_reason: str | None = None,
        multiple: bool | str = False,
        oracle: str | None = "",
        domain: tuple[float, float] | None = None,
    ) -> None:
        self.name: str = body.__name__.rstrip("_")
        self.slot = "_" + self.name  # where a backend keeps its kernel
        self.title = "".join(p.capitalize() for p in self.name.split("_"))
        self.body = body
        self.promote = promote
        self.kinds = kinds  # of dtypes that it computes in, once promoted
        self.direct = kinds  # of dtypes for which a call needs no more thought
        if promote in ("float", "sum"):
            self.direct = "".join(each for each in "fc" if each in kinds)
        self.consider: Callable[[dict[str, Any]], Any] | None = None
        self.view = view
        self.outputs = tuple(outputs)
        self.multiple = multiple  # the kernel returns a list, its length not fixed
        self.extras = tuple(extras)
        self.method = method
        self.no_grad_reason = no_grad_reason  # why a floating op has no rule
        self.oracle = oracle  # PyTorch's name for it; None where it has none
        self.domain = domain  # where sample inputs of a pointwise op lie
        if inplace is None:
            inplace = method and promote in ("same", "float")
        self.inplace = inplace
        self.params = read_params(body)
        self.tensors = [p for p in self.params if p.kind == "tensor"]
        self.variadic = any(p.variadic for p in self.params)
        self.wide = any(p.kind == "many" for p in self.params)
        if broadcast is None:
            broadcast = promote in ("same", "float") and len(self.tensors) > 1
        self.broadcast = broadcast
        if differentiable is None:
            differentiable = self.outputs[:1]
        self.differentiable = tuple(self.outputs.index(o) for o in differentiable)
        self.rules: dict[str, Callable[..., Any]] = {}
        self.joint_rule: Callable[..., Any] | None = None
        self.make_samples: Callable[..., Iterable[Any]] | None = None
        self.plans: dict[tuple[bool, ...], Plan] = {}
        self.result_type: Any = None
        self.function: Any = None

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> Any:
        return OPS.__getitem__, (self.name,)

    # --- Declaring ----------------------------------------------------------------

    def grad(self, **rules: Callable[..., Any]) -> None:
        """Give the rule of one or more arguments."""
        unknown = [n for n in rules if n not in [p.name for p in self.params]]
        if unknown:
            raise TypeError(f"op {self.name} has no argument {unknown[0]!r}")
        self.rules.update(rules)

    def joint(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Give one rule for all arguments; its `need` says which are wanted."""
        self.joint_rule = rule
        return rule

    def before(self, kinds: str = "") -> Callable[..., Any]:
        """Give a function of the arguments, by name, that `apply` asks first: it may
        raise, change them, or answer in the op's place. On inputs of `kinds` it is
        asked always; on others only where the call is not of the simplest sort."""

        def give(function: Any) -> Any:
            self.direct = "".join(each for each in self.direct if each not in kinds)
            self.consider = function
            return function

        return give

    def samples(self, function: Any) -> Any:
        """Give the op's sample inputs: a function of `make` that yields calls."""
        self.make_samples = function
        return function

    @property
    def inplace_function(self) -> Any:
        """The function `NAME_`: it writes the op's result into its first argument."""
        from .stubs import make_inplace

        return make_inplace(self)

    @property
    def has_gradient(self) -> bool:
        """Whether any gradient flows through the op."""
        return bool(self.rules) or self.joint_rule is not None


def _declare(body: Any, **options: Any) -> Any:
    from .stubs import make_function

    found = Op(body, **options)
    if found.name in OPS:
        raise ValueError(f"op {found.name!r} is declared twice")
    OPS[found.name] = found
    function = make_function(found)
    for notice in on_declare:
        notice(found)
    return function


on_declare: list[Callable[[Op], None]] = []  # told of each new op


if TYPE_CHECKING:
    # what a declaration looks like to whoever calls it: the `def` without `k`
    @overload
    def op(body: Callable[Concatenate[Any, P], R], /) -> OpFunction[P, R]: ...
    @overload
    def op(
        *,
        promote: str | None = None,
        kinds: str = ALL_KINDS,
        view: bool = False,
        broadcast: bool | None = None,
        outputs: Sequence[str] = (),
        differentiable: Sequence[str] | None = None,
        extras: Sequence[str] = (),
        method: bool = True,
        inplace: bool | None = None,
        no_grad_reason: str | None = None,
        multiple: bool | str = False,
        oracle: str | None = "",
        domain: tuple[float, float] | None = None,
    ) -> Callable[[Callable[Concatenate[Any, P], R]], OpFunction[P, R]]: ...
    def op(*args: Any, **options: Any) -> Any:
        """Declare an op; see the module's text."""
else:

    def op(body: Any = None, **options: Any) -> Any:
        """Declare an op; see the module's text.

        >>> from __future__ import annotations
        >>> import plugrad
        >>> @plugrad.op(method=False)
        ... def thrice(k, x: Tensor) -> Tensor:
        ...     return x * 3
        >>> thrice.grad(x=lambda k, g: g * 3)
        >>> x = plugrad.tensor([1.0, 2.0], requires_grad=True)
        >>> thrice(x).sum().backward()
        >>> x.grad
        tensor([3., 3.])
        """
        if body is not None:
            return _declare(body, **options)
        return lambda body: _declare(body, **options)


__all__ = ["Op", "Sample", "op", "sum_to"]
