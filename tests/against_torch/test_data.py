"""torch.utils.data is the oracle for whatever is not random: order, collation,
lengths, and which calls raise."""

from __future__ import annotations

import collections
import os
import types
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import torch
import torch.utils.data as theirs

import plugrad
import plugrad.utils.data as ours

BOTH = [(plugrad, ours), (torch, theirs)]
Point = collections.namedtuple("Point", "x y")


def plain(value):
    """A structure with arrays in the place of tensors, and the names of the types."""
    if isinstance(value, (plugrad.Tensor, torch.Tensor)):
        return "tensor", str(value.dtype).rpartition(".")[2], value.tolist()
    if isinstance(value, np.ndarray):
        return "array", str(value.dtype), value.tolist()
    if isinstance(value, Mapping):
        return type(value).__name__, [(key, plain(each)) for key, each in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return type(value).__name__, [plain(each) for each in value]
    return type(value).__name__, value


def answer(function, *args):
    """What a call gives, or the type of what it raises; and its warnings' types."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = plain(function(*args))
        except Exception as error:
            found = type(error)
    return found, [each.category for each in caught]


def compare(function):
    mine, its = (answer(function, library, data) for library, data in BOTH)
    assert mine == its
    return mine[0]


# --- Collation ------------------------------------------------------------------------


class Tagged(dict):
    tag = "class"


class Frozen(Mapping):
    def __init__(self, items):
        self.items_ = dict(items)

    def __getitem__(self, key):
        return self.items_[key]

    def __iter__(self):
        return iter(self.items_)

    def __len__(self):
        return len(self.items_)


class Stubborn(dict):
    def __init__(self, a, b):
        super().__init__(a=a, b=b)


class Celsius(float):
    pass


class Image(np.ndarray):
    pass


SAMPLES = {
    "a class of floats": lambda t: [Celsius(1.5), Celsius(2.5)],
    "a class of arrays": lambda t: [np.ones(2).view(Image), np.zeros(2).view(Image)],
    "large numbers": lambda t: [2**70, 1],
    "ints and bools": lambda t: [1, True],
    "ints and floats": lambda t: [1, 2.5],
    "floats and none": lambda t: [1.5, None],
    "strings and ints": lambda t: ["a", 1],
    "arrays and tensors": lambda t: [np.ones(2), t.ones(2, dtype=t.float64)],
    "arrays of two dtypes": lambda t: [np.ones(2, "f4"), np.ones(2, "f8")],
    "arrays of two shapes": lambda t: [np.ones(2), np.ones(3)],
    "tensors of two dtypes": lambda t: [t.ones(2), t.ones(2, dtype=t.float64)],
    "transposed": lambda t: [t.arange(6.0).reshape(2, 3).T] * 2,
    "halves": lambda t: [t.ones(2, dtype=t.float16)] * 2,
    "bytearrays": lambda t: [bytearray(b"ab"), bytearray(b"cd")],
    "proxies": lambda t: [types.MappingProxyType({"a": 1})] * 2,
    "counters": lambda t: [collections.Counter("ab"), collections.Counter("ab")],
    "chained": lambda t: [collections.ChainMap({"a": i}) for i in range(2)],
    "named in named": lambda t: [Point(Point(1, 2), [3]), Point(Point(4, 5), [6])],
    "further keys": lambda t: [{"a": 1}, {"a": 2, "b": 3}],
    "empty dicts": lambda t: [{}, {}],
    "a string": lambda t: "abc",
    "an array": lambda t: np.arange(3.0),
    "a range": lambda t: range(3),
    "deep": lambda t: [
        {"a": [(i, 2.0), {"b": Point(t.ones(2), "x")}]} for i in range(3)
    ],
    "ints": lambda t: [1, 2],
    "large ints": lambda t: [2**40, -1],
    "bools": lambda t: [True, False],
    "floats": lambda t: [1.5, 2.5],
    "floats and ints": lambda t: [1.5, 2],
    "strings": lambda t: ["a", "b"],
    "bytes": lambda t: [b"a", b"b"],
    "complex": lambda t: [1j, 2j],
    "none": lambda t: [None, None],
    "object": lambda t: [object(), object()],
    "set": lambda t: [{1}, {2}],
    "tensors": lambda t: [t.ones(2, 3), t.zeros(2, 3)],
    "0-d tensors": lambda t: [t.tensor(1), t.tensor(2)],
    "no elements": lambda t: [t.ones(0, 3), t.ones(0, 3)],
    "uneven tensors": lambda t: [t.ones(2), t.ones(3)],
    "arrays": lambda t: [np.ones((2, 2), "f4"), np.zeros((2, 2), "f4")],
    "arrays of bytes": lambda t: [np.arange(3, dtype="u1")] * 2,
    "0-d arrays": lambda t: [np.array(1.5), np.array(2.5)],
    "scalars f4": lambda t: [np.float32(1.5), np.float32(2)],
    "scalars f8": lambda t: [np.float64(1.5), np.float64(2)],
    "scalars i4": lambda t: [np.int32(1), np.int32(2)],
    "scalars bool": lambda t: [np.bool_(True), np.bool_(False)],
    "numpy strings": lambda t: [np.str_("a"), np.str_("b")],
    "arrays of strings": lambda t: [np.array(["a"]), np.array(["b"])],
    "arrays of objects": lambda t: [np.array([None]), np.array([None])],
    "tuples": lambda t: [(1, "a", t.ones(2)), (2, "b", t.zeros(2))],
    "one tuple": lambda t: [(1, 2.0)],
    "lists": lambda t: [[1, [2.0, "x"]], [3, [4.0, "y"]]],
    "empty tuples": lambda t: [(), ()],
    "uneven lists": lambda t: [[1, 2], [3]],
    "named tuples": lambda t: [Point(1, t.ones(1)), Point(2, t.zeros(1))],
    "dicts": lambda t: [{"a": 1, "b": [t.ones(1)]}, {"b": [t.zeros(1)], "a": 2}],
    "a missing key": lambda t: [{"a": 1}, {"b": 2}],
    "ordered": lambda t: [collections.OrderedDict(a=1), collections.OrderedDict(a=2)],
    "default dicts": lambda t: [collections.defaultdict(int, a=i) for i in (1, 2)],
    "dicts of a class": lambda t: [Tagged(a=1), Tagged(a=2)],
    "frozen": lambda t: [Frozen({"a": 1}), Frozen({"a": 2})],
    "stubborn": lambda t: [Stubborn(1, 2), Stubborn(3, 4)],
    "deques": lambda t: [collections.deque([1, 2]), collections.deque([3, 4])],
    "user lists": lambda t: [
        collections.UserList([1, 2]),
        collections.UserList([3, 4]),
    ],
    "ranges": lambda t: [range(2), range(2, 4)],
    "nothing": lambda t: [],
}


@pytest.mark.parametrize("name", SAMPLES)
def test_default_collate(name):
    compare(lambda t, d: d.default_collate(SAMPLES[name](t)))


@pytest.mark.parametrize("name", SAMPLES)
def test_default_convert(name):
    if name == "object":
        pytest.skip("two objects are not one")
    compare(lambda t, d: d.default_convert(SAMPLES[name](t)))


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("batch_size", [1, 2, None])
def test_loading(name, batch_size):
    if name in ("object", "nothing"):
        pytest.skip("not a dataset that gives the same twice, or has samples")
    compare(lambda t, d: list(d.DataLoader(SAMPLES[name](t), batch_size=batch_size)))


@pytest.mark.parametrize("name", ["transposed", "tensors", "arrays", "no elements"])
def test_a_batch_is_contiguous(name):
    def collated(t, d):
        batch = d.default_collate(SAMPLES[name](t))
        return [batch.is_contiguous(), list(batch.stride())]

    compare(collated)


def test_collation_keeps_what_is_beside_a_mapping():
    samples = [Tagged(a=1), Tagged(a=2)]
    samples[0].tag = "mine"
    for _, data in BOTH:
        assert data.default_collate(samples).tag == "mine"
        assert data.default_convert(samples[0]).tag == "mine"
        assert samples[0]["a"] == 1


def test_collation_is_differentiable():
    found = []
    for t, data in BOTH:
        x = t.arange(6.0).reshape(3, 2).requires_grad_()
        for collate in (data.default_collate, t.stack):
            [batch] = data.DataLoader([x[2], x[0]], batch_size=2, collate_fn=collate)
            (batch * batch).sum().backward()
        [(batch,)] = data.DataLoader(data.TensorDataset(x), batch_size=3)
        batch.prod().backward()
        found.append(x.grad.tolist())
    assert found[0] == found[1]


# --- Datasets -------------------------------------------------------------------------


class Counted:
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n


def numbers(data, n, kind="Dataset"):
    """A dataset of 0 to n - 1."""

    class Numbers(getattr(data, kind)):
        def __len__(self):
            return n

        def __getitem__(self, i):
            if not -n <= i < n:
                raise IndexError(i)
            return i % n

        def __iter__(self):
            return iter(range(n))

    return Numbers()


def pair(t, d):
    return d.TensorDataset(t.arange(10.0).reshape(5, 2), t.arange(5))


CALLS = {
    "a Dataset": lambda t, d: d.Dataset()[0],
    "len of a Dataset": lambda t, d: len(d.Dataset()),
    "an IterableDataset": lambda t, d: list(d.IterableDataset()),
    "index of an IterableDataset": lambda t, d: d.IterableDataset()[0],
    "TensorDataset": lambda t, d: [pair(t, d)[2], pair(t, d)[-1], len(pair(t, d))],
    "a slice": lambda t, d: pair(t, d)[1:3],
    "TensorDataset's end": lambda t, d: pair(t, d)[5],
    "uneven": lambda t, d: d.TensorDataset(t.ones(2), t.ones(3)),
    "no tensors": lambda t, d: len(d.TensorDataset()),
    "a 0-d tensor": lambda t, d: d.TensorDataset(t.tensor(1.0)),
    "StackDataset": lambda t, d: [d.StackDataset([1, 2], "ab")[i] for i in (0, 1, -1)],
    "by name": lambda t, d: d.StackDataset(x=[1, 2], y="ab")[1],
    "of items": lambda t, d: d.StackDataset(numbers(d, 3), "abc").__getitems__([2, 0]),
    "by name, items": lambda t, d: d.StackDataset(x=[1, 2], y="ab").__getitems__([1]),
    "of subsets": lambda t, d: d.StackDataset(
        d.Subset(pair(t, d), [4, 2]), "ab"
    ).__getitems__([1, 0]),
    "stack uneven": lambda t, d: d.StackDataset([1, 2], "abc"),
    "stack nothing": lambda t, d: d.StackDataset(),
    "stack both": lambda t, d: d.StackDataset([1], x=[2]),
    "ConcatDataset": lambda t, d: [
        d.ConcatDataset([numbers(d, 2), numbers(d, 0), numbers(d, 3)])[i]
        for i in range(-5, 5)
    ],
    "cumulative": lambda t, d: d.ConcatDataset([[1, 2], [], [3]]).cumulative_sizes,
    "concat's end": lambda t, d: d.ConcatDataset([[1, 2], [3]])[3],
    "concat before": lambda t, d: d.ConcatDataset([[1, 2], [3]])[-4],
    "concat nothing": lambda t, d: d.ConcatDataset([]),
    "concat iterable": lambda t, d: d.ConcatDataset([numbers(d, 2, "IterableDataset")]),
    "sum": lambda t, d: list(numbers(d, 2) + numbers(d, 3)),
    "sum of three": lambda t, d: len(numbers(d, 2) + numbers(d, 3) + numbers(d, 4)),
    "chain": lambda t, d: [
        list(numbers(d, 2, "IterableDataset") + numbers(d, 3, "IterableDataset")),
        len(d.ChainDataset([numbers(d, 2, "IterableDataset")] * 3)),
    ],
    "chain an index": lambda t, d: list(d.ChainDataset([numbers(d, 2)])),
    "chain's length": lambda t, d: len(d.ChainDataset([numbers(d, 2)])),
    "Subset": lambda t, d: [d.Subset("abcde", [4, 0, 4])[i] for i in (0, 1, -1)],
    "Subset's items": lambda t, d: d.Subset("abcde", [4, 0, 4]).__getitems__([1, 2]),
    "Subset of a list": lambda t, d: d.Subset(pair(t, d), [4, 0, 3])[[0, 2]],
    "Subset's end": lambda t, d: d.Subset("abcde", [4, 0])[2],
    "Subset of a Subset": lambda t, d: list(
        d.DataLoader(d.Subset(d.Subset(pair(t, d), [4, 2, 0]), [2, 0]), 2)
    ),
}
SPLITS = [
    (10, [3, 7]),
    (10, [0.3, 0.7]),
    (10, [0.25, 0.25, 0.5]),
    (7, [1 / 3, 1 / 3, 1 / 3]),
    (3, [0.01, 0.99]),
    (10, [0.5, 0.4]),
    (10, [3, 8]),
    (10, [1.5, -0.5]),
    (10, [10, 0]),
    (1, [1]),
    (2, [0.5, 0.5]),
    (0, [0, 0]),
]


@pytest.mark.parametrize("name", CALLS)
def test_datasets(name):
    compare(CALLS[name])


@pytest.mark.parametrize("n, lengths", SPLITS)
def test_random_split(n, lengths):
    def sizes(t, d):
        g = t.Generator().manual_seed(3)
        parts = d.random_split(range(n), lengths, generator=g)
        assert sorted(i for part in parts for i in part.indices) == list(range(n))
        assert d.random_split(range(n), lengths, generator=g.manual_seed(3))[
            0
        ].indices == list(parts[0].indices)
        return [len(part) for part in parts]

    compare(sizes)


# --- Samplers -------------------------------------------------------------------------


class Endless:
    def __iter__(self):
        return iter(range(5))


SAMPLERS = {
    "sequential": lambda t, d: list(d.SequentialSampler("abc")),
    "random": lambda t, d: sorted(d.RandomSampler("abc")),
    "random twice": lambda t, d: sorted(d.RandomSampler("abc", num_samples=6)),
    "fewer": lambda t, d: len(set(d.RandomSampler("abcdef", num_samples=4))),
    "with replacement": lambda t, d: [
        len(list(d.RandomSampler("abc", True, n))) for n in (1, 31, 32, 33, 70)
    ],
    "num_samples": lambda t, d: d.RandomSampler("abc").num_samples,
    "none at all": lambda t, d: list(d.RandomSampler("")),
    "zero samples": lambda t, d: d.RandomSampler("abc", num_samples=0),
    "negative": lambda t, d: d.RandomSampler("abc", num_samples=-1),
    "half": lambda t, d: d.RandomSampler("abc", num_samples=1.5),
    "replacement": lambda t, d: d.RandomSampler("abc", replacement=1),
    "subset": lambda t, d: sorted(d.SubsetRandomSampler([5, 3, 9])),
    "no subset": lambda t, d: list(d.SubsetRandomSampler([])),
    "weighted": lambda t, d: list(d.WeightedRandomSampler([0, 0, 3.0], 5)),
    "weighted, each once": lambda t, d: sorted(
        d.WeightedRandomSampler([1, 2, 0, 3.0], 3, replacement=False)
    ),
    "too many": lambda t, d: list(d.WeightedRandomSampler([1.0, 2.0], 3, False)),
    "no weights": lambda t, d: list(d.WeightedRandomSampler([0.0, 0.0], 3)),
    "weights": lambda t, d: d.WeightedRandomSampler([1, 2], 3).weights,
    "weights 2-d": lambda t, d: d.WeightedRandomSampler([[1.0], [2.0]], 3),
    "weighted none": lambda t, d: d.WeightedRandomSampler([1.0], 0),
    "weighted True": lambda t, d: d.WeightedRandomSampler([1.0], True),
    "weighted how": lambda t, d: d.WeightedRandomSampler([1.0], 1, "yes"),
    "batches": lambda t, d: list(d.BatchSampler(range(5), 2, False)),
    "whole batches": lambda t, d: list(d.BatchSampler(range(5), 2, True)),
    "even": lambda t, d: [list(d.BatchSampler(range(4), 2, x)) for x in (True, False)],
    "fewer than one": lambda t, d: list(d.BatchSampler(range(2), 3, True)),
    "of a generator": lambda t, d: list(d.BatchSampler(iter(range(5)), 3, False)),
    "lengths": lambda t, d: [
        len(d.BatchSampler(range(n), b, drop))
        for n in range(5)
        for b in (1, 2, 3)
        for drop in (True, False)
    ],
    "batch of 0": lambda t, d: d.BatchSampler(range(2), 0, False),
    "batch of True": lambda t, d: d.BatchSampler(range(2), True, False),
    "batch of 1.0": lambda t, d: d.BatchSampler(range(2), 1.0, False),
    "drop_last": lambda t, d: d.BatchSampler(range(2), 1, 1),
    "no length": lambda t, d: len(d.BatchSampler(Endless(), 1, False)),
    "Sampler": lambda t, d: len(d.Sampler()),
    "a bare Sampler": lambda t, d: list(d.Sampler()),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers(name):
    compare(SAMPLERS[name])


@pytest.mark.parametrize("drop_last", [True, False])
@pytest.mark.parametrize("replicas", [1, 2, 3, 7])
@pytest.mark.parametrize("n", [1, 5, 6, 7, 20])
def test_distributed_sampler(n, replicas, drop_last):
    def shares(t, d):
        options = {"shuffle": False, "drop_last": drop_last}
        samplers = [
            d.DistributedSampler(range(n), replicas, rank, **options)
            for rank in range(replicas)
        ]
        return [[list(s), len(s), s.num_samples, s.total_size] for s in samplers]

    compare(shares)


def test_distributed_sampler_shuffles_by_seed_and_epoch():
    for _, d in BOTH:

        def share(rank, epoch=0, seed=0, d=d):
            sampler = d.distributed.DistributedSampler(range(9), 3, rank, seed=seed)
            sampler.set_epoch(epoch)
            return list(sampler)

        assert sorted(share(0) + share(1) + share(2)) == list(range(9))
        assert share(1) == share(1) and share(1, 3) == share(1, 0, 3)
        assert len({tuple(share(0, epoch)) for epoch in range(9)}) > 3


@pytest.mark.parametrize("args", [(), (2, 2), (2, -1), (0, 0)])
def test_distributed_sampler_refuses(args):
    def make(t, d):
        return len(d.DistributedSampler(range(4), *args))

    mine, its = (answer(make, *each)[0] for each in BOTH)
    assert isinstance(mine, type) and isinstance(its, type)
    if args != ():  # torch looks for a process group, and fails in its own way
        assert mine is its


# --- DataLoader -----------------------------------------------------------------------

ARGUMENTS = [
    {},
    {"batch_size": 2},
    {"batch_size": 2, "drop_last": True},
    {"batch_size": 5},
    {"batch_size": 9, "drop_last": True},
    {"batch_size": None},
    {"batch_size": None, "drop_last": True},
    {"batch_size": 0},
    {"batch_size": -1},
    {"batch_size": 2.0},
    {"batch_size": True},
    {"batch_size": "3"},
    {"batch_size": np.int64(3)},
    {"batch_size": False},
    {"shuffle": 0},
    {"sampler": 3},
    {"sampler": []},
    {"batch_sampler": []},
    {"batch_sampler": 3},
    {"batch_sampler": [1, 2]},
    {"batch_sampler": [(0, 1)]},
    {"batch_sampler": [range(2, 4), np.array([0, 1])]},
    {"batch_sampler": [[True, False], [np.int64(2), 1]]},
    {"num_workers": "1"},
    {"num_workers": 1.0},
    {"num_workers": None},
    {"num_workers": True},
    {"timeout": "1"},
    {"timeout": 5, "num_workers": 1},
    {"drop_last": "x"},
    {"generator": 3},
    {"prefetch_factor": 0, "num_workers": 1},
    {"prefetch_factor": 1, "num_workers": 1},
    {"prefetch_factor": 1.5, "num_workers": 1},
    {"prefetch_factor": "2", "num_workers": 1},
    {"prefetch_factor": 7, "num_workers": 2},
    {"persistent_workers": True, "num_workers": 1},
    {"multiprocessing_context": "", "num_workers": 1},
    {"multiprocessing_context": "fork", "num_workers": 1},
    {"multiprocessing_context": "fork", "num_workers": 0},
    {"worker_init_fn": 3, "num_workers": 1},
    {"collate_fn": 3},
    {"in_order": None},
    {"another": 1},
    {"drop_last": None},
    {"shuffle": False},
    {"shuffle": True, "sampler": [0]},
    {"shuffle": False, "sampler": [1, 0]},
    {"sampler": [3, 1, 2], "batch_size": 2},
    {"sampler": [3, 1], "batch_size": None},
    {"sampler": [7]},
    {"batch_sampler": [[0, 1], [4]]},
    {"batch_sampler": [[0, 1], []]},
    {"batch_sampler": [[0, 1]], "batch_size": 2},
    {"batch_sampler": [[0, 1]], "batch_size": None},
    {"batch_sampler": [[0, 1]], "shuffle": True},
    {"batch_sampler": [[0, 1]], "shuffle": False},
    {"batch_sampler": [[0, 1]], "sampler": [1]},
    {"batch_sampler": [[0, 1]], "drop_last": True},
    {"collate_fn": list, "batch_size": 3},
    {"collate_fn": str, "batch_size": None},
    {"num_workers": -1},
    {"timeout": -1},
    {"timeout": 3},
    {"prefetch_factor": 2},
    {"prefetch_factor": -2, "num_workers": 1},
    {"persistent_workers": True},
    {"multiprocessing_context": "fork"},
    {"multiprocessing_context": "knife", "num_workers": 1},
    {"multiprocessing_context": 3, "num_workers": 1},
    {"worker_init_fn": print},
    {"in_order": False},
]


KINDS = ["Dataset", "IterableDataset", "TensorDataset", "bare"]


# torch's iterators, where they cannot be made
@pytest.mark.filterwarnings("ignore:Exception ignored in. .function _Multi")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("arguments", ARGUMENTS, ids=range(len(ARGUMENTS)))
def test_arguments(arguments, kind):
    def load(t, d):
        if kind == "TensorDataset":
            dataset = d.TensorDataset(t.arange(5), t.arange(10.0).reshape(5, 2))
        elif kind == "bare":  # without a length
            dataset = type("Bare", (d.Dataset,), {"__getitem__": lambda self, i: i})()
        else:
            dataset = numbers(d, 5, kind)
        loader = d.DataLoader(dataset, **arguments)
        names = "batch_size drop_last num_workers timeout prefetch_factor in_order"
        told = [getattr(loader, name) for name in names.split()]
        told += [type(loader.batch_sampler).__name__, loader.sampler is None]
        told.append(type(loader.multiprocessing_context).__name__)
        try:
            size = len(loader)
        except TypeError:
            size = "none"
        return [told, size, list(loader) if "collate_fn" not in arguments else "?"]

    compare(load)


@pytest.mark.parametrize("name", ["sampler", "batch_sampler"])
def test_samplers_that_can_be_iterated_once(name):
    def load(t, d):
        dataset = d.TensorDataset(t.arange(5), t.arange(10.0).reshape(5, 2))
        once = iter([2, 0]) if name == "sampler" else iter([(i for i in range(2))])
        loader = d.DataLoader(dataset, **{name: once})
        return [list(loader), list(loader)]

    compare(load)


@pytest.mark.parametrize(
    "name",
    "batch_size sampler batch_sampler drop_last dataset persistent_workers".split(),
)
def test_attributes_are_fixed(name):
    compare(lambda t, d: setattr(d.DataLoader([1]), name, None))


@pytest.mark.parametrize("name", ["num_workers", "timeout", "pin_memory", "collate_fn"])
def test_others_are_not(name):
    compare(lambda t, d: setattr(d.DataLoader([1]), name, 0))


@pytest.mark.parametrize("told", [4, 5, 6])
def test_an_iterable_dataset_with_another_length(told):
    def load(t, d):
        class Liar(d.IterableDataset):
            def __len__(self):
                return told

            def __iter__(self):
                return iter(range(5))

        loader = d.DataLoader(Liar(), batch_size=1)
        assert len(loader) == told
        return list(loader)

    compare(load)


def test_pinning_without_a_gpu_warns():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")

    def load(t, d):
        return list(d.DataLoader([1, 2], pin_memory=True))

    mine, its = (answer(load, *each) for each in BOTH)
    assert mine[0] == its[0] and UserWarning in mine[1] and UserWarning in its[1]


@pytest.mark.parametrize("workers", [1, 2])
def test_workers(workers):
    def load(t, d):
        found = []
        for kind in ("Dataset", "IterableDataset"):
            dataset = numbers(d, 11, kind)
            loader = d.DataLoader(dataset, batch_size=3, num_workers=workers)
            found.append([list(loader), len(loader)])
        return found

    compare(load)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("error", [KeyError("a"), ValueError("b"), OSError(2, "c")])
def test_errors_of_a_dataset(error, workers):
    def load(t, d):
        class Broken(d.Dataset):
            def __len__(self):
                return 3

            def __getitem__(self, i):
                raise error

        return list(d.DataLoader(Broken(), num_workers=workers))

    assert compare(load) is type(error)


def test_more_workers_than_cores_warn():
    def load(t, d):
        return len(list(d.DataLoader(numbers(d, 2), num_workers=17)))

    if len(os.sched_getaffinity(0)) < 17:
        (mine, my), (its, their) = (answer(load, *each) for each in BOTH)
        assert mine == its and set(my) == set(their) == {UserWarning}


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("kind", ["Dataset", "IterableDataset"])
def test_after_an_exception(kind, workers):
    """Both go on with the next batch."""

    def load(t, d):
        class Broken(getattr(d, kind)):
            def __len__(self):
                return 14

            def __getitem__(self, i):
                if i in (3, 4, 9):
                    raise KeyError(i)
                return i

            def __iter__(self):
                return map(self.__getitem__, range(14))

        batches = iter(d.DataLoader(Broken(), batch_size=2, num_workers=workers))
        found = []
        while len(found) < 30:
            try:
                found.append(next(batches))
            except KeyError:
                found.append("error")
            except StopIteration:
                return found
        return None

    assert compare(load) is not None
