"""Order, seeds and resuming of a DataLoader: with a seed, the batches are the same
with any number of workers, and after going on in the middle of an epoch."""

from __future__ import annotations

import copy
import json
import pickle
import random
import subprocess
import sys

import numpy as np
import pytest

import plugrad
from plugrad.utils.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_collate_fn_map,
    random_split,
)
from tests.plugins.data_cases import LARGE, Noisy, Numbers, Stream, as_list

pytestmark = [
    pytest.mark.filterwarnings("ignore:this DataLoader starts:UserWarning"),
    pytest.mark.filterwarnings(
        "ignore:.*multi-threaded, use of fork:DeprecationWarning"
    ),
]

PAIRS = TensorDataset(plugrad.arange(46.0).reshape(23, 2), plugrad.arange(23))


def values(batches):
    """Batches as something to compare."""
    return repr([values(b) if isinstance(b, list) else b.tolist() for b in batches])


def generator(seed=3):
    return plugrad.Generator().manual_seed(seed)


ORDERS = {
    "in order": dict,
    "shuffled": lambda: {"shuffle": True},
    "with a generator": lambda: {"shuffle": True, "generator": generator()},
    "a sampler's generator": lambda: {
        "sampler": RandomSampler(PAIRS, False, None, generator())
    },
    "longer": lambda: {"sampler": RandomSampler(PAIRS, num_samples=60)},
    "with replacement": lambda: {"sampler": RandomSampler(PAIRS, True, 60)},
    "longer with generator": lambda: {
        "sampler": RandomSampler(PAIRS, False, 60, generator())
    },
    "subset": lambda: {"sampler": SubsetRandomSampler(range(3, 20))},
    "weighted": lambda: {"sampler": WeightedRandomSampler(range(23), 40)},
    "distributed": lambda: {"sampler": DistributedSampler(PAIRS, 2, 1)},
    "batches": lambda: {
        "batch_sampler": BatchSampler(RandomSampler(PAIRS), 5, True),
        "batch_size": 1,
    },
    "one by one": lambda: {"batch_size": None, "shuffle": True},
}  # fmt: skip


def loader_of(order, dataset=PAIRS, **options):
    return DataLoader(dataset, **{"batch_size": 4, **ORDERS[order](), **options})


@pytest.mark.parametrize("order", ORDERS)
def test_the_same_batches_with_any_number_of_workers(order):
    found = set()
    for workers in (0, 1, 2, 4):
        plugrad.manual_seed(7)
        loader = loader_of(order, num_workers=workers)
        epochs = values(loader) + values(loader)
        found.add(epochs + repr(plugrad.rand(2).tolist()))  # as many draws, too
    assert len(found) == 1


def test_spawned_workers_give_the_same():
    """Random transforms, too."""
    found = set()
    for method in ("fork", "spawn", "forkserver"):
        plugrad.manual_seed(7)
        loader = loader_of(
            "shuffled", Noisy(9), num_workers=2, multiprocessing_context=method
        )
        found.add(values(loader))
    assert len(found) == 1


@pytest.mark.parametrize(
    "order", ["shuffled", "weighted", "subset", "with replacement"]
)
def test_epochs_and_seeds_differ(order):
    plugrad.manual_seed(7)
    loader = loader_of(order)
    first, second = values(loader), values(loader)
    plugrad.manual_seed(8)
    assert len({first, second, values(loader)}) == 3


def test_a_generator_leaves_the_default_one_alone():
    plugrad.manual_seed(7)
    expected = plugrad.rand(3)
    plugrad.manual_seed(7)
    for workers in (0, 1):
        list(loader_of("with a generator", num_workers=workers))
    assert plugrad.rand(3).equal(expected)


# --- What is fetched at once is what is fetched one by one ----------------------------


@pytest.mark.parametrize("indices", [[0, 5, 3], [2], [-1, -23], [4, 4]])
@pytest.mark.parametrize("nested", [False, True])
def test_a_batch_of_a_tensor_dataset(indices, nested):
    dataset = PAIRS
    if nested:
        dataset = Subset(Subset(PAIRS, list(range(22, -1, -1))), list(range(23)))
    [found] = DataLoader(dataset, batch_sampler=[indices])
    expected = default_collate([dataset[i] for i in indices])
    assert type(found) is list and values(found) == values(expected)
    assert [x.dtype for x in found] == [x.dtype for x in expected]
    found[0].zero_()  # a copy
    assert PAIRS[0][0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("indices", [[23], [0, -24], ["a"], [1.0]])
def test_a_batch_with_an_index_out_of_range(indices):
    errors = []
    for collate in (default_collate, lambda samples: default_collate(samples)):
        with pytest.raises((IndexError, TypeError)) as error:
            list(DataLoader(PAIRS, batch_sampler=[indices], collate_fn=collate))
        errors.append(error.type)
    assert errors[0] is errors[1]


def test_a_subclass_is_asked_for_its_samples():
    class Doubled(TensorDataset):
        def __getitem__(self, i):
            return tuple(2 * x for x in super().__getitem__(i))

    [(x, y)] = DataLoader(Doubled(*PAIRS.tensors), batch_sampler=[[1, 3]])
    assert x.tolist() == [[4.0, 6.0], [12.0, 14.0]] and y.tolist() == [2, 6]


# --- Transfer -------------------------------------------------------------------------

TRANSFERRED = {
    "small": plugrad.arange(5),
    "large": plugrad.arange(LARGE),
    "no elements": plugrad.zeros(0, 3),
    "0-d": plugrad.tensor(2.5),
    "not dense": plugrad.rand(300, 300)[::2, 1::3],
    "transposed": plugrad.rand(300, 200).T,
    "bfloat16": plugrad.rand(LARGE).to(plugrad.bfloat16),
    "complex": plugrad.rand(LARGE) * 1j,
    "bool": plugrad.rand(LARGE) > 0.5,
    "a parameter": plugrad.rand(LARGE, requires_grad=True),
    "array": np.arange(LARGE).astype("f4"),
    "array of objects": np.array([{"a": 1}, None]),
    "many": [plugrad.rand(5000) for _ in range(40)],
    "bytes": b"x" * 200_000,
    "text": "y" * 200_000,
    "mixed": {"a": [plugrad.rand(LARGE), np.ones(LARGE)], "b": ("c", 1, None)},
}


@pytest.mark.parametrize("name", TRANSFERRED)
def test_whatever_a_worker_sends_arrives(name):
    sent = TRANSFERRED[name]
    for _ in range(2):
        loader = DataLoader([sent] * 5, batch_size=1, num_workers=1, collate_fn=as_list)
        for [found] in loader:
            assert pickle.dumps(found) == pickle.dumps(pickle.loads(pickle.dumps(sent)))
    if isinstance(found, plugrad.Tensor):
        assert found.requires_grad == sent.requires_grad and found.is_leaf
        assert found.backend == "numpy" and found.dtype is sent.dtype
        with plugrad.no_grad():
            found.zero_()  # it can be written


def test_batches_of_another_backend():
    pytest.importorskip("array_api_strict", reason="the backend's library")
    dataset = TensorDataset(PAIRS.tensors[0].to(backend="array_api_strict"))
    for workers in (0, 1):
        for (x,) in DataLoader(dataset, batch_size=20, num_workers=workers):
            assert x.backend == "array_api_strict"


# --- Resuming -------------------------------------------------------------------------


def resumed(make, before, seed=11, through=pickle):
    """What is left of an epoch that is broken off after some batches, with the next
    epoch; once gone on with in the same run, once in a new loader from the state."""
    plugrad.manual_seed(seed)
    loader = make()
    batches = iter(loader)
    for _ in range(before):
        next(batches)
    state = through.loads(through.dumps(loader.state_dict()))
    random_state = plugrad.get_rng_state()
    expected = values(batches), values(loader)
    plugrad.manual_seed(99)
    other = make()
    other.load_state_dict(state)
    plugrad.set_rng_state(random_state)  # as a program does that goes on
    return expected, (values(other), values(other))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("before", [0, 1, 3])
@pytest.mark.parametrize("order", ORDERS)
def test_going_on_in_the_middle_of_an_epoch(order, before, workers):
    expected, found = resumed(lambda: loader_of(order, num_workers=workers), before)
    assert found == expected


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("before", [0, 2, 5])
def test_random_transforms_go_on_too(before, workers):
    def make():
        return loader_of("shuffled", Noisy(), num_workers=workers, batch_size=3)

    expected, found = resumed(make, before)
    assert found[0] == expected[0]


def test_random_transforms_go_on_in_persistent_workers():
    def make():
        return loader_of("shuffled", Noisy(), num_workers=2, persistent_workers=True)

    plugrad.manual_seed(1)
    loader = make()
    batches = iter(loader)
    next(batches)
    state = loader.state_dict()
    expected = values(batches)
    loader.load_state_dict(state)
    assert values(loader) == expected
    loader.load_state_dict(state)
    assert values(loader) == expected


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("before", [1, 4, 6])
def test_iterable_datasets_go_on(before, workers, noise):
    def make():
        return DataLoader(Stream(23, noise), batch_size=4, num_workers=workers)

    random.seed(5)
    plugrad.manual_seed(5)
    loader = make()
    batches = iter(loader)
    for _ in range(min(before, len(list(make())) if not noise else before)):
        next(batches)
    state, here = loader.state_dict(), random.getstate()
    expected = values(batches)
    other = make()
    other.load_state_dict(state)
    random.setstate(here)
    assert values(other) == expected


def test_going_on_with_another_number_of_workers():
    found = set()
    for workers in (0, 2, 3):
        plugrad.manual_seed(2)
        loader = loader_of("shuffled")
        batches = iter(loader)
        next(batches), next(batches)
        other = loader_of("shuffled", num_workers=workers)
        other.load_state_dict(loader.state_dict())
        found.add(values(other))
        assert values(batches) in found
    assert len(found) == 1


def test_a_state_is_plain_data():
    loader = loader_of("shuffled", num_workers=2)
    next(iter(loader))
    state = loader.state_dict()

    def kinds(value):
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, (dict, list)):
            return set().union({type(value)}, *map(kinds, inner))
        return {type(value)}

    assert kinds(state) <= {dict, list, int, str, bool, bytes, type(None)}
    assert kinds(copy.deepcopy(state)) == kinds(state)


def test_between_two_epochs_nothing_is_left_to_go_on_with():
    plugrad.manual_seed(4)
    loader = loader_of("shuffled")
    assert loader.state_dict() == {**loader.state_dict(), "batches": 0}
    list(loader)
    state, here = loader.state_dict(), plugrad.get_rng_state()
    expected = values(loader)
    other = loader_of("shuffled")
    other.load_state_dict(state)
    plugrad.set_rng_state(here)
    assert values(other) == expected and len(eval(expected)) == 6


def test_a_state_that_was_loaded_is_given_again():
    loader = loader_of("shuffled")
    next(iter(loader))
    batches = iter(loader)
    next(batches)
    state = loader.state_dict()
    other = loader_of("shuffled")
    other.load_state_dict(state)
    assert other.state_dict() == state


def test_the_epoch_of_a_distributed_sampler_is_kept():
    def make():
        return loader_of("distributed")

    loader = make()
    loader.sampler.set_epoch(3)
    batches = iter(loader)
    next(batches)
    other = make()
    other.load_state_dict(loader.state_dict())
    assert values(other) == values(batches) and other.sampler.epoch == 3


@pytest.mark.parametrize(
    "options, text",
    [
        ({"batch_size": 5}, "batch_size"),
        ({"drop_last": True}, "drop_last"),
        ({"dataset": Numbers(8)}, "samples"),
        ({"dataset": Stream()}, "iterable"),
        ({"generator": generator()}, "generator"),
    ],
)
def test_a_state_of_another_loader_is_refused(options, text):
    loader = DataLoader(PAIRS, batch_size=4)
    batches = iter(loader)
    next(batches)
    other = DataLoader(**{"dataset": PAIRS, "batch_size": 4, **options})
    with pytest.raises(ValueError, match=text):
        other.load_state_dict(loader.state_dict())


@pytest.mark.parametrize("state", [None, {}, {"version": 99}, "state"])
def test_what_is_no_state_is_refused(state):
    with pytest.raises(ValueError, match="state_dict"):
        DataLoader(PAIRS).load_state_dict(state)


def test_an_iterable_dataset_needs_as_many_workers():
    loader = DataLoader(Stream(), num_workers=1)
    batches = iter(loader)
    next(batches)
    with pytest.raises(ValueError, match="num_workers"):
        DataLoader(Stream()).load_state_dict(loader.state_dict())


# --- Pinning --------------------------------------------------------------------------


class Pinnable:
    def __init__(self, samples):
        self.samples, self.pinned = samples, False

    def pin_memory(self):
        self.pinned = True
        return self


@pytest.fixture
def gpu(monkeypatch):
    """As if there were one: what is pinned, and for which device, is noted."""
    pinned = []

    def pin_memory(x, device=None):
        pinned.append((x.tolist(), device))
        return x.clone()

    monkeypatch.setattr(plugrad.cuda, "is_available", lambda: True)
    monkeypatch.setattr(plugrad.Tensor, "pin_memory", pin_memory)
    return pinned


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("device", ["", "cuda:0"])
def test_pinning(gpu, workers, device):
    samples = [{"a": (plugrad.full((2,), float(i)), "text", None)} for i in range(6)]
    options = {"pin_memory": True, "pin_memory_device": device, "num_workers": workers}
    loader = DataLoader(samples, None, **options)
    found = [sample["a"][0].tolist() for sample in loader]
    assert found == [[float(i)] * 2 for i in range(6)]
    order = sorted(gpu, key=lambda each: each[0])  # two workers send as they can
    assert order == [(each, device or None) for each in found]


@pytest.mark.parametrize("workers", [0, 1])
def test_pinning_by_a_method_of_the_batch(gpu, workers):
    options = {"pin_memory": True, "num_workers": workers, "collate_fn": Pinnable}
    found = list(DataLoader([1, 2, 3], 2, **options))
    assert [each.pinned for each in found] == [True, True] and gpu == []


@pytest.mark.parametrize("workers", [0, 1])
def test_pinning_that_fails(gpu, workers, monkeypatch):
    def fail(x, device=None):
        raise MemoryError("no pinned memory is left")

    monkeypatch.setattr(plugrad.Tensor, "pin_memory", fail)
    loader = DataLoader([1, 2, 3], pin_memory=True, num_workers=workers)
    with pytest.raises(MemoryError, match="no pinned memory is left"):
        next(iter(loader))


# --- The rest -------------------------------------------------------------------------


def test_a_loader_can_be_pickled_and_copied():
    loader = loader_of("in order", num_workers=1, persistent_workers=True)
    expected = values(loader)
    assert values(pickle.loads(pickle.dumps(loader))) == expected
    assert values(copy.deepcopy(loader)) == expected


def test_random_split_by_the_default_generator():
    plugrad.manual_seed(1)
    first = random_split(range(9), [0.5, 0.5])[0].indices
    plugrad.manual_seed(1)
    assert random_split(range(9), [0.5, 0.5])[0].indices == first


def test_an_iterator_knows_its_length():
    assert len(iter(loader_of("in order"))) == 6
    assert len(SequentialSampler(PAIRS)) == 23


@pytest.mark.parametrize("first", ["plugrad.utils.data", "plugrad.plugins.data"])
def test_there_is_one_copy_of_its_modules(first):
    """Under both names; pickles know the package's own."""
    code = f"""
import pickle, sys
import {first}
import plugrad.utils.data.samplers as one, plugrad.plugins.data.samplers as other
from plugrad.utils.data.loader import DataLoader
from plugrad.utils import data
assert one is other and data is plugrad.plugins.data is plugrad.utils.data
assert sys.modules["plugrad.utils.data.loader"] is sys.modules[DataLoader.__module__]
assert pickle.loads(pickle.dumps(DataLoader)) is data.DataLoader
assert pickle.loads(b"cplugrad.utils.data.loader\\nDataLoader\\n.") is DataLoader
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_other_classes_are_collated_to():
    class Celsius(float):
        pass

    def mean(batch, *, collate_fn_map=None):
        assert collate_fn_map is default_collate_fn_map
        return sum(batch) / len(batch)

    samples = [(Celsius(20), 1.0), (Celsius(30), 2.0)]
    before = default_collate(samples)
    whole = next(iter(DataLoader(PAIRS, batch_size=2)))
    default_collate_fn_map[Celsius] = default_collate_fn_map[plugrad.Tensor] = mean
    try:
        found = default_collate(samples)
        assert found[0] == 25.0 and found[1].tolist() == [1.0, 2.0]
        mixed = next(iter(DataLoader(PAIRS, batch_size=2)))
        means = [x.float().mean(0) for x in whole]
        assert [x.tolist() for x in mixed] == [x.tolist() for x in means]
    finally:
        default_collate_fn_map.clear()
    assert values(default_collate(samples)) == values(before)


def test_importing_starts_nothing():
    code = (
        "import sys, json, plugrad.utils.data\n"
        "print(json.dumps(['multiprocessing', 'numpy', 'ctypes', 'mmap']))\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    asked, loaded = map(json.loads, done.stdout.splitlines())
    assert set(asked) & set(loaded) == set(), done.stderr
