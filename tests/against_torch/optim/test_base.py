"""Groups, hooks, closures and states: what all optimizers share, beside torch's."""

from __future__ import annotations

import copy
import importlib
import pickle
import warnings

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.optim.both import (
    LIBRARIES,
    arrays,
    assert_close,
    assert_same_error,
)
from tests.against_torch.same import cases


def leaf(m, *shape):
    return m.ones(shape, requires_grad=True)


def with_gradient(m, value=1.0):
    p = leaf(m, 2)
    p.grad = m.full((2,), value)
    return p


@cases(
    lambda m: m.optim.SGD(leaf(m, 2)),
    lambda m: m.optim.SGD([]),
    lambda m: m.optim.SGD([1.0]),
    lambda m: m.optim.SGD({leaf(m, 2)}) and m.optim.SGD([{"params": {leaf(m, 2)}}]),
    lambda m: m.optim.SGD([leaf(m, 2) * 2]),
    lambda m: m.optim.SGD([("a", leaf(m, 2)), leaf(m, 2)]),
    lambda m: m.optim.SGD([leaf(m, 2)]).add_param_group([leaf(m, 2)]),
    lambda m: m.optim.SGD([leaf(m, 2)]).add_param_group(
        {"params": [("a", leaf(m, 2))]}
    ),
    lambda m: m.optim.SGD([("a", leaf(m, 2))]).add_param_group({"params": [leaf(m)]}),
    lambda m: [m.optim.SGD([p]).add_param_group({"params": p}) for p in [leaf(m)]],
    lambda m: m.optim.Optimizer(
        [{"params": leaf(m)}],
        {"a": importlib.import_module(f"{m.__name__}.optim.optimizer").required},
    ),
    lambda m: m.optim.Optimizer([leaf(m)], {}).step(),
    lambda m: m.optim.SGD([leaf(m)]).load_state_dict(
        m.optim.SGD([{"params": leaf(m)}, {"params": leaf(m)}]).state_dict()
    ),
    lambda m: m.optim.SGD([leaf(m)]).load_state_dict(
        m.optim.SGD([leaf(m), leaf(m)]).state_dict()
    ),
    lambda m: m.optim.LBFGS([leaf(m)]).step(),
    lambda m: m.optim.LBFGS([{"params": leaf(m)}, {"params": leaf(m)}]),
)
def test_errors(call):
    assert_same_error(call)


def test_duplicates_warn():
    for m in LIBRARIES:
        p = leaf(m, 2)
        with pytest.warns(UserWarning, match="duplicate"):
            m.optim.SGD([p, p])


def test_groups_and_names():
    """Options by group, names, a group that comes later, and the printed form."""

    def run(m):
        a, b, c = (with_gradient(m, i) for i in (1.0, 2.0, 3.0))
        optimizer = m.optim.Adam(
            [{"params": [("a", a)], "lr": 0.1}, {"params": iter([("b", b)])}], lr=0.2
        )
        optimizer.step()
        optimizer.add_param_group({"params": [("c", c)], "betas": (0.5, 0.6)})
        optimizer.step()
        state = optimizer.state_dict()
        named = [group["param_names"] for group in optimizer.param_groups]
        return str(optimizer), named, arrays([a, b, c]), arrays(state)

    assert_close(run(plugrad), run(torch), 1e-6, 1e-7)


def test_zero_grad():
    def run(m):
        found = []
        for to_none in (True, False):
            p, q = with_gradient(m), leaf(m)
            (p * p).sum().backward(create_graph=True)
            optimizer = m.optim.SGD([p, q])
            optimizer.zero_grad(set_to_none=to_none)
            found.append((None if p.grad is None else p.grad.tolist(), q.grad))
            if p.grad is not None:
                found.append(p.grad.requires_grad)
        return found

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert run(plugrad) == run(torch)


def test_closure():
    """It runs with gradients switched on, and its result is returned."""

    def run(m):
        p = leaf(m, 2)
        optimizer = m.optim.SGD([p], lr=0.1)

        def closure():
            optimizer.zero_grad()
            loss = (p * p).sum()
            loss.backward()
            return loss

        with m.no_grad():
            loss = optimizer.step(closure)
        return loss.item(), loss.requires_grad, optimizer.step(), p.tolist()

    ours, theirs = run(plugrad), run(torch)
    assert_close(ours, theirs, 1e-6)


# ---- Hooks


def test_hooks_in_order():
    """All optimizers' and this one's, around step, state_dict and load_state_dict; what
    they return counts."""

    def run(m):
        said = []

        def say(word, result=None):
            def hook(optimizer, *rest):
                said.append((word, type(optimizer).__name__, len(rest)))
                if rest and isinstance(rest[0], tuple):
                    said.append((len(rest[0]), rest[0][0] is optimizer, rest[1]))
                return result

            return hook

        optimizer = m.optim.SGD([with_gradient(m)], lr=0.1)
        base = importlib.import_module(f"{m.__name__}.optim.optimizer")
        handles = [
            optimizer.register_step_pre_hook(say("before")),
            optimizer.register_step_post_hook(say("after")),
            base.register_optimizer_step_pre_hook(say("before all")),
            base.register_optimizer_step_post_hook(say("after all")),
            optimizer.register_state_dict_pre_hook(say("saving")),
            optimizer.register_state_dict_pre_hook(say("saving first"), prepend=True),
            optimizer.register_state_dict_post_hook(say("saved")),
            optimizer.register_load_state_dict_pre_hook(say("loading")),
            optimizer.register_load_state_dict_post_hook(say("loaded")),
        ]
        optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
        m.optim.Adam([with_gradient(m)]).step()
        for copied in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
            copied.state_dict()  # copies have no hooks of their own
        for handle in handles:
            handle.remove()
            handle.remove()
        optimizer.step()
        optimizer.state_dict()
        return said

    assert run(plugrad) == run(torch)


def test_a_hook_changes_what_follows():
    def run(m):
        p = with_gradient(m)
        optimizer = m.optim.SGD([p], lr=0.1)
        optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": 1})
        optimizer.register_load_state_dict_pre_hook(
            lambda o, state: {
                **state,
                "param_groups": [
                    {**group, "lr": 0.5} for group in state["param_groups"]
                ],
            }
        )
        saved = optimizer.state_dict()
        optimizer.load_state_dict(saved)
        optimizer.register_step_pre_hook(
            lambda o, args, kwargs: (args, {"closure": lambda: 7})
        )
        return sorted(saved), optimizer.param_groups[0]["lr"], optimizer.step()

    assert run(plugrad) == run(torch)

    def wrong(m):
        optimizer = m.optim.SGD([with_gradient(m)])
        optimizer.register_step_pre_hook(lambda *_: 1)
        optimizer.step()

    assert_same_error(wrong)


def test_an_optimizer_that_brings_its_own_step():
    """As those written for torch do: hooks run, once, and schedulers know of it."""

    def run(m):
        class Signs(m.optim.Optimizer):
            def __init__(self, params, lr):
                super().__init__(params, {"lr": lr})

            @m.no_grad()
            def step(self, closure=None):
                for group in self.param_groups:
                    for p in group["params"]:
                        state = self.state[p]
                        state["n"] = state.get("n", 0) + 1
                        p.add_(p.grad.sign(), alpha=-group["lr"])

        class Named(Signs):
            def step(self, closure=None):
                super().step()
                return "stepped"

        p, said = with_gradient(m), []
        optimizer = Named([p], 0.25)
        optimizer.register_step_post_hook(lambda *_: said.append("after"))
        scheduler = m.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            answer = optimizer.step()
            scheduler.step()
        return answer, said, p.tolist(), optimizer.state[p], scheduler.get_last_lr()

    assert run(plugrad) == run(torch)


# ---- Other backends


def test_where_arrays_are_not_written():
    """On JAX a step replaces the array; the results are NumPy's."""
    pytest.importorskip("jax")

    def run(name, options):
        rng = np.random.default_rng(0)
        p = plugrad.tensor(rng.standard_normal((4, 4)).tolist(), requires_grad=True)
        optimizer = getattr(plugrad.optim, name)([p], **options)
        for _ in range(3):
            p.grad = plugrad.tensor(rng.standard_normal((4, 4)).tolist())
            optimizer.step()
        return p.detach().to(backend="numpy").numpy(), p.backend

    from tests.against_torch.optim.test_optimizers import CASES

    for name, options in CASES:
        if any(isinstance(v, (np.ndarray, tuple)) for v in options.values()):
            continue  # one of each is enough
        expected, _ = run(name, options)
        with plugrad.backend("jax"):
            found, backend = run(name, options)
        assert backend == "jax"
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)
