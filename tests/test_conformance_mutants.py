"""Each backend that is wrong in one thing fails in the test that is meant for it.

A wrong kernel is seen by more than one test: the tables say by which. No other test
fails, nor any test of an op, a layer or an optimizer that is right.
"""

from __future__ import annotations

import pytest

from plugrad.conformance.layers import LAYERS
from tests.conformance_runs import run_suite

pytest.importorskip("array_api_strict", reason="one of the wrong backends is on it")

NUMERIC = {"test_gradients::test_numeric", "test_gradients::test_twice"}
GRADIENTS = {"test_gradients::test_reference", *NUMERIC}
KERNEL = {"test_kernels::test_default_body"}
FORWARD = {"test_forward::test_op"}

# backend: (op, the tests meant for it, the tests that see it, too)
WRONG = {
    "wrong_factor": ("tanh", FORWARD | KERNEL, GRADIENTS),
    "wrong_dtype": ("tan", FORWARD | KERNEL, GRADIENTS | {"test_inplace::test_op"}),
    "wrong_garbage": ("flip", FORWARD | KERNEL, GRADIENTS),
    "wrong_none": ("flip", FORWARD | KERNEL, GRADIENTS),
    "wrong_inplace": ("tanh", {"test_inplace::test_op"}, set()),
    "wrong_views": ("permute", {"test_inplace::test_view"}, set()),
    "wrong_exception": ("matmul", {"test_errors::test_op"}, set()),
    "wrong_sign": (
        "tanh",
        {"test_gradients::test_reference", "test_gradients::test_numeric"},
        NUMERIC,
    ),
    "wrong_host": ("tanh", {"test_host::test_no_copy"}, set()),
    "wrong_left_out": ("flip", FORWARD, {"*"}),
    "wrong_declaration": ("flip", FORWARD, {"*"}),
    "wrong_reason": ("flip", FORWARD, {"*"}),
}


@pytest.mark.parametrize("backend", WRONG)
def test_it_fails_where_it_should(backend, tmp_path):
    op, meant, also = WRONG[backend]
    done = run_suite(tmp_path, backend, f"--plugrad-ops={op},mul", wrong=True)
    assert done.code == 1, done.text
    failed = done.ended("failed")
    tests = {name.partition("[")[0] for name in failed}
    assert meant <= tests, done.text[-3000:]
    assert tests <= meant | also or also == {"*"}, tests - meant
    assert all(f"[{op}-" in name for name in failed), failed
    assert len(failed) < len(done.found["tests"])  # mul is right


def test_what_comes_out_otherwise_than_it_went_in_fails_in_the_smoke_tests(tmp_path):
    options = ("--plugrad-level=0",)
    done = run_suite(tmp_path, "wrong_to_list", *options, wrong=True)
    assert done.code == 1
    assert "test_smoke::test_in_and_out[int64]" in done.ended("failed"), done.text
    assert "test_smoke::test_in_and_out[float64]" in done.ended("passed"), done.text


# Of layers, optimizers and training: (what is wrong, what is right, the tests that have
# to fail); no test of what is right does
WRONG_ABOVE = {
    "wrong_factor": (
        "RNNCell,Tanh,WritesWhole,MLP",
        "Linear,SGD",
        {"test_layers::test_layer", "test_training::test_losses"},
    ),
    "wrong_sign": (
        "Tanh,WritesWhole,MLP",
        "LeakyReLU,SGD",
        {
            "test_layers::test_layer",
            "test_programs::test_in_place",
            "test_training::test_losses",
        },
    ),
    "wrong_back": ("LayerNorm", "Linear", {"test_layers::test_layer"}),
    "wrong_draws": ("Dropout2d,RReLU", "Linear", {"test_layers::test_layer"}),
    "wrong_running": ("BatchNorm1d", "LayerNorm", {"test_layers::test_layer"}),
    "wrong_start": (
        "Linear,Adam",
        "GELU,StepLR",
        {"test_layers::test_state", "test_optimizers::test_state"},
    ),
    "wrong_root": (
        "Adam",
        "SGD",
        {"test_optimizers::test_steps", "test_optimizers::test_state"},
    ),
    "wrong_zeros": ("AdamW", "Linear", {"test_optimizers::test_steps"}),
    "wrong_copies": ("SGD", "Linear", {"test_optimizers::test_steps"}),
    "wrong_rate": (
        "SGD,StepLR",
        "Linear",
        {"test_optimizers::test_steps", "test_optimizers::test_schedule"},
    ),
    "wrong_inplace": ("WritesWhole", "SGD", {"test_programs::test_in_place"}),
    "wrong_views": ("WritesThroughViews", "SGD", {"test_programs::test_in_place"}),
    "wrong_memory": ("MLP", "SGD", {"test_training::test_memory"}),
    "wrong_circle": ("MLP", "SGD", {"test_training::test_memory"}),
    "wrong_threads": ("MLP", "SGD", {"test_training::test_threads"}),
}


@pytest.mark.parametrize("backend", WRONG_ABOVE)
def test_it_fails_in_the_upper_levels(backend, tmp_path):
    wrong, right, meant = WRONG_ABOVE[backend]
    done = run_suite(tmp_path, backend, f"--plugrad-ops={wrong},{right}", wrong=True)
    assert done.code == 1, done.text
    failed = done.ended("failed")
    assert meant <= {name.partition("[")[0] for name in failed}, done.text[-3000:]
    for name in right.split(","):
        tried = [each for each in done.found["tests"] if f"[{name}-" in each]
        assert tried and not failed.keys() & {*tried}, done.text[-3000:]


def test_no_layer_is_blind(tmp_path):
    """Every row of the table sees that the backend rounds what it is given; but those
    without elements."""
    layers = ",".join({name.partition("-")[0] for name in LAYERS})
    options = f"--plugrad-ops={layers}", "-k", "float64 and not test_state"
    done = run_suite(tmp_path, "wrong_data", *options, wrong=True)
    seen = {name.partition("[")[2] for name in done.ended("failed")}
    blind = {f"{name}-float64]" for name in LAYERS} - seen
    assert blind == {f"{name}-empty-float64]" for name in ("Conv2d", "Linear", "ReLU")}


def test_a_layer_that_needs_what_is_left_out_is_not_counted(tmp_path):
    options = ("--plugrad-ops=LSTM,Linear",)
    done = run_suite(tmp_path, "right_without_lstm", *options, wrong=True)
    assert done.code == 0, done.text
    left_out = done.ended("n/a")
    assert left_out and all("[LSTM" in name for name in left_out), done.text


@pytest.mark.parametrize("backend", ["right", "right_left_out"])
def test_what_is_right_passes(backend, tmp_path):
    options = ("--plugrad-ops=tanh,flip,permute,matmul,mul,tan,SGD,MLP,WritesWhole",)
    done = run_suite(tmp_path, backend, *options, wrong=True)
    assert done.code == 0, done.text
    left_out = done.ended("n/a")
    assert bool(left_out) == (backend == "right_left_out")
    using = ("[flip-", "[WritesWhole-")
    assert all(any(each in name for each in using) for name in left_out)
    assert all("it is left out, and says so" in why for why in left_out.values())
