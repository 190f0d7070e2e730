"""Compute a part of a network twice, and keep nothing of it in between.

`checkpoint(function, x)` gives what `function(x)` gives. Of its graph only the inputs
are kept, and the tensors of outside that it used, such as weights; backward runs the
function again, with the same random numbers, and goes through that graph.
"""

from __future__ import annotations

from .. import autograd, random
from ..autograd import enable_grad, is_grad_enabled
from ..autograd.function import Function
from ..tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

__all__ = ["checkpoint", "checkpoint_sequential"]


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """`function(*args, **kwargs)`, without keeping what its backward needs: it is
    computed again then. The results are tensors or tuples of them.

    `use_reentrant` is PyTorch's choice between two ways to do it, and changes nothing.

    >>> import plugrad
    >>> from plugrad.utils.checkpoint import checkpoint
    >>> x = plugrad.ones(2, requires_grad=True)
    >>> checkpoint(plugrad.exp, x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([2.7183, 2.7183])
    """
    if not is_grad_enabled():
        return function(*args, **kwargs)
    state = random.get_rng_state() if preserve_rng_state else None
    found = function(*args, **kwargs)
    results = found if isinstance(found, (tuple, list)) else (found,)
    for each in results:
        if not isinstance(each, Tensor):
            kind = type(each).__name__
            raise TypeError(
                "checkpoint: the function must return a tensor or a tuple of them, not "
                f"{kind}"
            )
    run = Recompute(function, args, kwargs, state)
    inputs = run.tensors(args, kwargs)
    # The graph is only looked at: once this returns, nothing holds it.
    outside = leaves(results, inputs)
    if not any(each.requires_grad for each in results):
        return found
    run.counts = len(results), len(inputs)
    run.constant = [i for i, each in enumerate(results) if not each.requires_grad]
    kept = Recomputed.apply(run, *(r.detach() for r in results), *inputs, *outside)
    kept = kept if isinstance(kept, tuple) else (kept,)
    return type(found)(kept) if isinstance(found, (tuple, list)) else kept[0]


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None
) -> Any:
    """Call a sequence of modules or functions in some parts, each checkpointed but the
    last.

    >>> import plugrad
    >>> from plugrad.utils.checkpoint import checkpoint_sequential
    >>> x = plugrad.zeros(2, requires_grad=True)
    >>> checkpoint_sequential([plugrad.exp, plugrad.sin, plugrad.exp], 2, x)
    tensor([2.3198, 2.3198], grad_fn=<ExpBackward0>)
    """
    functions = list(functions)
    size = len(functions) // segments

    def part(first: int, last: int) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for each in functions[first:last]:
                x = each(x)
            return x

        return run

    start = 0
    for start in range(0, size * (segments - 1), size):
        input = checkpoint(part(start, start + size), input)
    return part(start + size if segments > 1 else 0, len(functions))(input)


def leaves(results: Sequence[Tensor], inputs: Sequence[Tensor]) -> list[Tensor]:
    """The tensors of outside that want a gradient of the results: leaves of the graph
    that are not inputs. What an input was made from is not looked at."""
    ends = {id(each.grad_fn) for each in inputs if each.grad_fn is not None}
    known = {id(each) for each in inputs}
    waiting = [each.grad_fn for each in results if each.grad_fn is not None]
    seen, found = set(ends), []
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        leaf = getattr(node, "variable", None)
        if leaf is None:
            waiting += [each for each, _ in node.next_functions]
        elif id(leaf) not in known:
            known.add(id(leaf))
            found.append(leaf)
    return found


class Recompute:
    """A call that can be made again with other tensors."""

    counts: tuple[int, int] = 0, 0  # of results and of inputs
    constant: Sequence[int] = ()  # results that do not depend on anything

    def __init__(self, function: Any, args: Any, kwargs: Any, state: Any) -> None:
        self.function = function
        self.args = [None if isinstance(each, Tensor) else each for each in args]
        self.kwargs = dict(kwargs)
        self.state = state
        self.places: list[tuple[Any, Any]] = []
        for owner, items in (
            (self.args, enumerate(args)),
            (self.kwargs, kwargs.items()),
        ):
            for key, each in items:
                if isinstance(each, Tensor):
                    self.places.append((owner, key))

    def tensors(self, args: Any, kwargs: Any) -> list[Tensor]:
        """The tensors among the arguments."""
        return [(args if o is self.args else kwargs)[key] for o, key in self.places]

    def __call__(self, inputs: Sequence[Tensor]) -> Any:
        """The results, with their graph, of these tensors in the places of the old."""
        for (owner, key), each in zip(self.places, inputs):
            owner[key] = each
        now = random.get_rng_state()
        if self.state is not None:
            random.set_rng_state(self.state)
        try:
            return self.function(*self.args, **self.kwargs)
        finally:
            if self.state is not None:
                random.set_rng_state(now)
            for owner, key in self.places:
                owner[key] = None


class Recomputed(Function):
    """Gives results that were computed; its backward computes them again."""

    @staticmethod
    def forward(ctx: Any, run: Recompute, *tensors: Tensor) -> Any:
        count = run.counts[0]
        ctx.run = run
        ctx.save_for_backward(*tensors[count:])
        results = tuple(each.detach() for each in tensors[:count])
        ctx.mark_non_differentiable(*(results[i] for i in run.constant))
        return results

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        results, count = ctx.run.counts
        saved = ctx.saved_tensors
        inputs = [
            each.detach().requires_grad_(each.requires_grad) for each in saved[:count]
        ]
        with enable_grad():
            found = ctx.run(inputs)
        found = found if isinstance(found, (tuple, list)) else (found,)
        pairs = [(r, g) for r, g in zip(found, grads) if r.requires_grad]
        every = [*inputs, *saved[count:]]
        wanted = [each for each in every if each.requires_grad]
        slopes = iter(
            autograd.grad(
                [r for r, _ in pairs],
                wanted,
                [g for _, g in pairs],
                retain_graph=True,  # what the function used of outside may have one
                allow_unused=True,
            )
        )
        given = [next(slopes) if each.requires_grad else None for each in every]
        return (None, *[None] * results, *given)
