"""An op called by both libraries, in every form that a call can have.

The same values in the same layout go to both. `Call` is one sample for both sides; each
`..._form` makes it in one way and says what differs, "" where nothing does, and None
where there is nothing to compare.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

import plugrad
from plugrad import engine
from plugrad.interface import OPS
from plugrad.samples import tensors_in
from plugrad.testing import TOLERANCES, Make, samples_of
from tests.against_torch.bridge import as_numpy, from_numpy, to_torch
from tests.expected import Expected

DTYPES = [plugrad.float64, plugrad.float32, plugrad.int64, plugrad.bool]
DTYPES += [plugrad.complex64, plugrad.complex128]
EXPECTED = Expected(Path(__file__).with_name("differences.txt"))
COMPARED = [name for name, op in OPS.items() if op.oracle is not None]

# How torch says that one of its kernels lacks a dtype or a derivative, or has a bug,
# which is no rule of its API.
NOT_WRITTEN = (
    "not implemented for",
    "on CPU does not support",
    "Could not run",
    "INTERNAL ASSERT FAILED",
    "does not support automatic differentiation for outputs with complex dtype",
    "derivative for aten::",
)


def oracle(op):
    """torch's function for an op, and the name it has there."""
    if op.oracle:
        *parts, name = op.oracle.removeprefix("torch.").split(".")
        found = torch
        for part in parts:
            found = getattr(found, part)
        return getattr(found, name), name
    places = [torch, torch.Tensor, torch.nn.functional]
    if op.variadic:  # torch's methods take sizes one by one, its functions do not
        places = [torch.Tensor, torch]
    for place in places:
        if hasattr(place, op.name):
            return getattr(place, op.name), op.name
    raise LookupError(
        f"torch has no {op.name}: declare its oracle, or oracle=None if it has none"
    )


# ------------------------------------------------------------- running both sides


class Raised:
    """The exception that a call ended in."""

    def __init__(self, error):
        self.error = error

    def __repr__(self):
        text = str(self.error).partition("\n")[0]
        return f"{type(self.error).__name__}: {text[:200]}"


def outcome(function, args, kwargs):
    """What a call returns, or raises."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return Raised(error)


def not_written(theirs):
    return isinstance(theirs, Raised) and (
        isinstance(theirs.error, NotImplementedError)
        or any(text in str(theirs.error) for text in NOT_WRITTEN)
    )


def compare(ours, theirs, rounded=False):
    """What differs between two outcomes, or None. `rounded`: numbers of 16 bits may be
    so after other steps (`ROUNDINGS`)."""
    if isinstance(theirs, Raised):
        if not isinstance(ours, Raised):
            return f"no error; torch raises {theirs!r}"
        wanted = next(
            kind for kind in type(theirs.error).__mro__ if kind.__module__ == "builtins"
        )
        if not isinstance(ours.error, wanted):
            return f"{ours!r}; torch raises {theirs!r}"
        return None
    if isinstance(ours, Raised):
        return f"{ours!r}; torch raises nothing"
    if isinstance(theirs, (tuple, list)):
        if not isinstance(ours, (tuple, list)) or len(ours) != len(theirs):
            return f"{type(ours).__name__}; torch gives {len(theirs)} outputs"
        if isinstance(theirs, list) != isinstance(ours, list):
            return f"{type(ours).__name__}; torch gives {type(theirs).__name__}"
        pairs = enumerate(zip(ours, theirs))
        found = ((i, compare(a, b, rounded)) for i, (a, b) in pairs)
        return next((f"output {i}: {text}" for i, text in found if text), None)
    if not isinstance(theirs, torch.Tensor):
        same = type(ours) is type(theirs) and ours == theirs
        return None if same else f"{ours!r}; torch gives {theirs!r}"
    if not rounded:
        return compare_tensors(ours, theirs)
    return compare_tensors(ours, theirs, tolerances_of([], theirs))


def compare_tensors(ours, theirs, tolerances=TOLERANCES):
    """What differs between two tensors, or None."""
    if not isinstance(ours, plugrad.Tensor):
        return f"{type(ours).__name__}; torch gives a Tensor"
    if tuple(ours.shape) != tuple(theirs.shape):
        return f"shape {tuple(ours.shape)}; torch has {tuple(theirs.shape)}"
    if ours.requires_grad != theirs.requires_grad:
        return f"requires_grad {ours.requires_grad}; in torch it is otherwise"
    name = str(theirs.dtype).removeprefix("torch.")
    if ours.dtype.name != name.replace("complex32", "complex64"):  # not a dtype here
        return f"dtype {ours.dtype}; torch has {theirs.dtype}"
    tolerance = tolerances.get(name.replace("complex32", "float16"), (0.0, 0.0))
    return compare_values(as_numpy(ours), as_numpy(theirs), *tolerance)


# Sums, and rules of several steps, are rounded to 16 bits here after other steps than
# there; so such numbers are compared to four roundings of the largest.
ROUNDINGS = {"float16": 2**-9, "bfloat16": 2**-6, "complex32": 2**-9}


def tolerances_of(results, theirs):
    """The tolerances for `theirs`: a result, or a gradient computed in the dtypes of
    results."""
    names = {y.dtype.name for y in results} | {str(theirs.dtype).partition(".")[2]}
    numbers = np.abs(as_numpy(theirs))
    largest = np.max(numbers, where=np.isfinite(numbers), initial=1)
    found = [TOLERANCES[n] for n in names if n in TOLERANCES]
    found += [(2 * r, 2 * r * largest) for n, r in ROUNDINGS.items() if n in names]
    loosest = tuple(map(max, zip((0.0, 0.0), *found)))
    return dict.fromkeys(TOLERANCES, loosest)


def compare_values(a, b, rtol, atol):
    """What differs between two arrays, or None."""
    if not (rtol or atol):
        close = a == b
    else:
        with np.errstate(all="ignore"):
            near = np.abs(a - b) <= atol + rtol * np.abs(b)
        close = (a == b) | (np.isfinite(a) & near) | ((a != a) & (b != b))
    if np.all(close):
        return None
    return f"values {shown(a)}; torch has {shown(b)}"


def shown(array):
    return np.array2string(array, threshold=12, precision=9).replace("\n", "")


# ------------------------------------------------------------------ forms of a call


def gradients(ours, theirs, inputs, zero_is_none=False):
    """What differs between the gradients of two results, or None. `inputs` are pairs of
    tensors; the outputs' gradients are random. Where `zero_is_none`, None stands for a
    gradient of zero: an op without rules records nothing."""
    ours, theirs = flattened(ours), flattened(theirs)
    rng = np.random.default_rng(0)
    pairs = []
    for y, t in zip(ours, theirs):
        if isinstance(t, torch.Tensor) and t.requires_grad:
            g = rng.uniform(-1, 1, y.shape)
            if y.dtype.is_complex:
                g = g + 1j * rng.uniform(-1, 1, y.shape)
            g = np.asarray(g, dtype=y.dtype.name)
            pairs.append((y, plugrad.tensor(g), t, from_numpy(g)))
    if not pairs:
        return None
    y, g, t, h = zip(*pairs)
    if isinstance(outcome(torch.autograd.backward, (t, h), {}), Raised):
        return None  # torch took the call; no rule of its API makes this one fail
    ours = outcome(plugrad.autograd.backward, (y, g), {})
    if isinstance(ours, Raised):
        return f"backward: {ours!r}; torch raises nothing"
    if any((as_numpy(a) != as_numpy(b)).any() for a, b in zip(g, h)):
        return "backward wrote into the gradient that it was given"
    for i, (x, t) in enumerate(inputs):
        if zero_is_none and x.grad is None and not (t.grad is None or t.grad.any()):
            continue
        text = compare_gradient(x.grad, t.grad, y)
        if text:
            return f"gradient of input {i}: {text}"
    return None


def compare_gradient(ours, theirs, results):
    if ours is None or theirs is None:
        if (ours is None) == (theirs is None):
            return None
        return f"{'None' if ours is None else 'given'}; not so in torch"
    return compare_tensors(ours, theirs, tolerances_of(results, theirs))


def flattened(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def reference(op, function, call, **more):
    """What torch's function does with a sample. The results of a function without a
    derivative are as if nobody had asked for it."""
    found = outcome(function, call.torch_args, {**call.torch_kwargs, **more})
    if op.has_gradient or isinstance(found, Raised):
        return found
    for t in flattened(found):
        if isinstance(t, torch.Tensor) and t.requires_grad:
            back = outcome(torch.autograd.grad, (t.sum(), call.leaves()), {})
            if isinstance(back, Raised) and "derivative for" in str(back.error):
                t.detach_()
    return found


class Call:
    """One sample, for both sides."""

    def __init__(self, sample):
        memo = {}
        self.kind = sample.kind
        self.args, self.kwargs = sample.args, sample.kwargs
        self.torch_args, self.torch_kwargs = to_torch(sample, memo)
        tensors = {id(t): t for t in tensors_in(sample)}.values()
        self.inputs = [(t, memo[id(t)][1]) for t in tensors if t.requires_grad]
        for x, _ in self.inputs:
            x.grad = None  # samples may share their tensors

    def leaves(self):
        return [t for _, t in self.inputs]


def function_form(op, call):
    """The function with its gradients. None where torch has no kernel."""
    theirs = reference(op, oracle(op)[0], call)
    if not_written(theirs):
        return None
    ours = outcome(op.function, call.args, call.kwargs)
    text = compare(ours, theirs, rounded=True)
    if text or isinstance(theirs, Raised):
        return text or ""
    if op.view:
        text = compare_memory(ours, theirs, call)
    return text or gradients(ours, theirs, call.inputs) or ""


def compare_memory(ours, theirs, call):
    """What differs in whose memory the results of a view are, or None."""
    x, t = call.args[0], call.torch_args[0]
    for y, u in zip(flattened(ours), flattened(theirs)):
        if not u.numel():
            continue
        shared = u.untyped_storage().data_ptr() == t.untyped_storage().data_ptr()
        if np.shares_memory(as_numpy(y), as_numpy(x)) != shared:
            return f"memory is {'not ' * shared}shared; in torch it is otherwise"
        if shared and y._k.strides(y._a) != u.stride():
            return f"strides {y._k.strides(y._a)}; torch has {u.stride()}"
    return None


def method_form(op, call):
    """`x.name(...)`, where there is such a method."""
    name = oracle(op)[1]
    if not takes_method(op, call, name):
        return None
    method, own = getattr(torch.Tensor, name), getattr(plugrad.Tensor, name)
    if callable(method) != callable(own):
        return "one of the two is a property, the other a method"
    if not callable(method):
        method, own = (lambda x: getattr(x, name),) * 2
    theirs = reference(op, method, call)
    if not_written(theirs):
        return None
    ours = outcome(own, call.args, call.kwargs)
    return compare(ours, theirs, rounded=True) or ""


def inplace_form(op, call):
    """`x.name_(...)` on x itself, or on x * 1 where that wants a gradient."""
    name = oracle(op)[1] + "_"
    if not takes_method(op, call, name):
        return None
    with torch.no_grad():
        plain = outcome(oracle(op)[0], call.torch_args, call.torch_kwargs)
    if isinstance(plain, Raised):
        return None  # which is compared without writing anything
    method, own = getattr(torch.Tensor, name), getattr(plugrad.Tensor, name)
    x, t = call.args[0], call.torch_args[0]
    y, u = (x * 1, t * 1) if call.inputs else (x, t)
    args = tuple(y if each is x else each for each in call.args)
    torch_args = tuple(u if each is t else each for each in call.torch_args)
    theirs = outcome(method, torch_args, call.torch_kwargs)
    if not_written(theirs):
        return None
    ours = outcome(own, args, call.kwargs)
    if isinstance(ours, Raised) and not isinstance(theirs, Raised) and overlaps(t):
        return None  # some of torch's forget to check
    if not op.has_gradient and not getattr(ours, "requires_grad", True):
        u = theirs = theirs.detach()  # of torch, that of another input's zeros
    text = compare(ours, theirs, rounded=True)
    if text or isinstance(theirs, Raised):
        return text or ""
    if ours is not y:
        return f"{op.name}_ returned another tensor"
    return gradients(y, u, call.inputs, not op.has_gradient) or ""


def overlaps(t):
    """Whether elements of a tensor share memory."""
    return any(step == 0 and n > 1 for step, n in zip(t.stride(), t.shape))


def takes_method(op, call, name):
    """Whether a call can be made as a method, which both have."""
    return (
        bool(call.args)
        and isinstance(call.args[0], plugrad.Tensor)
        and hasattr(plugrad.Tensor, name)
        and hasattr(torch.Tensor, name)
    )


def missing_methods(op):
    """Methods that Tensor has and torch's has not, or the other way round."""
    if not op.params or op.params[0].kind != "tensor":
        return []
    found, name = [], oracle(op)[1]
    for kind, each in (("method", name), ("inplace", name + "_")):
        ours, theirs = hasattr(plugrad.Tensor, each), hasattr(torch.Tensor, each)
        if ours != theirs:
            text = f"only {'Plugrad' if ours else 'torch'} has Tensor.{each}"
            found.append(("any", kind, text))
    return found


def out_form(op, call):
    """`out=`: zeros of the result's shape and dtype are written."""
    function = oracle(op)[0]
    with torch.no_grad():
        plain = outcome(function, call.torch_args, call.torch_kwargs)
    if isinstance(plain, Raised) or op.view:
        return None
    results = flattened(plain)
    outs = [torch.zeros(t.shape, dtype=t.dtype) for t in results]
    ours = [zeros_like(t) for t in outs]
    single = isinstance(plain, torch.Tensor)
    torch_out = outs[0] if single else tuple(outs)
    own_out = ours[0] if single else tuple(ours)
    theirs = outcome(function, call.torch_args, {**call.torch_kwargs, "out": torch_out})
    if not_written(theirs) or (
        isinstance(theirs, Raised) and isinstance(theirs.error, TypeError)
    ):
        return None  # torch's function has no out=
    if call.inputs and not isinstance(theirs, Raised):
        return None  # some of torch's forget to refuse inputs that want a gradient
    found = outcome(op.function, call.args, {**call.kwargs, "out": own_out})
    text = compare(found, theirs, rounded=True)
    if text or isinstance(theirs, Raised):
        return text or ""
    if any(a is not b for a, b in zip(flattened(found), ours)):
        return "the result is not the tensor given as out="
    return ""


def zeros_like(t):
    """Zeros of ours in the shape and dtype of a tensor of torch."""
    name = str(t.dtype).removeprefix("torch.").replace("complex32", "complex64")
    return plugrad.zeros(t.shape, dtype=getattr(plugrad, name))


# Form -> the function that compares it, and whether inputs want gradients.
FORMS = {
    "": (function_form, True),
    "method": (method_form, True),
    "inplace": (inplace_form, False),
    "inplace-grad": (inplace_form, True),
    "out": (out_form, False),
    "out-grad": (out_form, True),
}
FEW = {"method": 6, "out-grad": 3}  # these differ from another form in little


def run_op(name, dtypes=DTYPES, seed=0):
    """(differences found, number of comparisons made) over dtypes and forms."""
    op = OPS[name]
    differences, count = missing_methods(op), 0
    for dtype in dtypes:
        if not dtype.is_complex:
            engine.COMPLEX[0] = False  # the plain walk runs until a complex is seen
        for form, (compare_form, wants_grad) in FORMS.items():
            if wants_grad and dtype.kind not in "fc" and form:
                continue
            make = Make(dtype, requires_grad=wants_grad, seed=seed)
            for sample in samples_of(op, make)[: FEW.get(form)]:
                text = compare_form(op, Call(sample))
                count += text is not None
                if text:
                    kind = f"{sample.kind} {form}".rstrip()
                    differences.append((dtype.name, kind, text))
    return differences, count
