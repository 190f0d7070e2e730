"""The random stream: its words, the numbers made of them, and who gets which."""

import copy
import math
import pickle
import threading

import numpy as np
import pytest

import plugrad
from plugrad.interface import OPS
from tests.backends.strict import strict_backend

KEYS = [0, 1, 12345, 2**63, 2**64 - 1]
NUMPY = plugrad.get_backend("numpy")


def default(k, name, *args):
    """What the default body of a kernel gives, as a NumPy array."""
    return np.asarray(k.to_numpy(OPS[name].call_body(k, args, {})))


@pytest.fixture(params=["numpy", "strict"])
def k(request):
    """A backend, to run default bodies on."""
    return NUMPY if request.param == "numpy" else strict_backend()


# --- Words --------------------------------------------------------------------------


def test_the_published_words_of_philox(k):
    words = default(k, "random_words", 0, -1, 1)  # block -1 has the counter 0
    assert [hex(w) for w in words.tolist()] == [
        "0x16554d9eca36314c",
        "0xdb20fe9d672d0fdc",
        "0xd7e772cee186176b",
        "0x7e68b68aec7ba23b",
    ]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("counter", [0, 1, 7, 2**40])
def test_words_are_those_of_numpys_philox(k, key, counter):
    expected = np.random.Philox(key=key, counter=counter).random_raw(20)
    np.testing.assert_array_equal(default(k, "random_words", key, counter, 5), expected)
    np.testing.assert_array_equal(NUMPY.random_words(key, counter, 5), expected)


def test_a_stream_goes_on_and_jumps():
    whole = NUMPY.random_words(3, 0, 10)
    for first, last in ((0, 2), (2, 3), (7, 10), (0, 1), (1, 7)):
        part = NUMPY.random_words(3, first, last - first)
        np.testing.assert_array_equal(part, whole[4 * first : 4 * last])
        NUMPY.random_words(4, 0, 1)


# --- Numbers: the backend's kernels against the default ones --------------------------

COUNTS = [0, 1, 7, 8, 9, 4096, 4097, 70001]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_uniform_numbers_are_the_same_bit_for_bit(count, dtype):
    d = getattr(plugrad, dtype)
    expected = default(NUMPY, "draw_uniform", 5, 9, count, d)
    found = NUMPY.draw_uniform(5, 9, count, d)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_normal_numbers_agree(count, dtype):
    d = getattr(plugrad, dtype)
    expected = default(NUMPY, "draw_normal", 5, 9, count, d)
    found = NUMPY.draw_normal(5, 9, count, d)
    assert found.dtype == expected.dtype
    eps = plugrad.finfo(d).eps  # relative to the radius: a cosine near 0 has less
    np.testing.assert_allclose(found, expected, rtol=4 * eps, atol=4 * eps)


RANGES = [
    (0, 1),
    (-3, 5),
    (0, 2**32),
    (0, 2**32 + 1),
    (-(2**63), 2**63),
    (-(2**63), 2**63 - 1),
    (5, 2**63),
    (-1, 2**40),
]


@pytest.mark.parametrize("low, high", RANGES)
@pytest.mark.parametrize("count", COUNTS)
def test_integers_are_the_same_bit_for_bit(low, high, count):
    args = (5, 9, count, low, high, plugrad.int64)
    expected = default(NUMPY, "draw_integers", *args)
    found = NUMPY.draw_integers(*args)
    assert found.dtype == expected.dtype == np.int64
    np.testing.assert_array_equal(found, expected)
    words = NUMPY.random_words(5, 9, 1).tolist()
    span = high - low
    if span > 2**32 and count:  # by Python's integers
        assert found[:4].tolist() == [low + (w * span >> 64) for w in words][:count]
    elif count:
        assert found[0] == low + ((words[0] & 0xFFFFFFFF) * span >> 32)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool", "float32", "float16"])
@pytest.mark.parametrize("count", [9, 70001])
def test_integers_of_other_dtypes(dtype, count):
    args = (5, 9, count, 0, 2, getattr(plugrad, dtype))
    expected = default(NUMPY, "draw_integers", *args)
    found = NUMPY.draw_integers(*args)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000])
def test_permutations_are_the_same_and_complete(count):
    expected = default(NUMPY, "draw_permutation", 5, 9, count)
    found = NUMPY.draw_permutation(5, 9, count)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.sort(found), np.arange(count))


@pytest.mark.parametrize(
    "name, args",
    [
        ("draw_uniform", (11, plugrad.float32)),
        ("draw_uniform", (11, plugrad.float64)),
        ("draw_normal", (11, plugrad.float32)),
        ("draw_normal", (11, plugrad.float64)),
        ("draw_integers", (11, -3, 50, plugrad.int64)),
        ("draw_integers", (11, -3, 2**50, plugrad.int64)),
        ("draw_permutation", (11,)),
    ],
)
def test_a_backend_of_the_standard_alone_draws_the_same(name, args):
    found = default(strict_backend(), name, 5, 9, *args)
    np.testing.assert_array_equal(found, default(NUMPY, name, 5, 9, *args))


# --- Distributions, at fixed seeds ----------------------------------------------------

N = 100_000


def generator(seed=0):
    return plugrad.Generator().manual_seed(seed)


def kolmogorov(values, distribution):
    """The p-value, nearly, that the values are of a distribution."""
    x = np.sort(np.asarray(values, np.float64))
    f = np.vectorize(distribution)(x)
    n = len(x)
    up, down = np.arange(1, n + 1) / n - f, f - np.arange(n) / n
    t = max(up.max(), down.max()) * math.sqrt(n)
    terms = ((-1) ** (j - 1) * math.exp(-2 * j * j * t * t) for j in range(1, 101))
    return min(1.0, 2 * sum(terms))


def chi_square(counts, expected):
    """How many standard deviations too large the sum of squares is (Wilson and
    Hilferty)."""
    counts, expected = np.asarray(counts, float), np.asarray(expected, float)
    d = len(counts) - 1
    ratio = ((counts - expected) ** 2 / expected).sum() / d
    return (ratio ** (1 / 3) - (1 - 2 / (9 * d))) / math.sqrt(2 / (9 * d))


def phi(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


FLOATS = [plugrad.float32, plugrad.float64]
CONTINUOUS = {
    "rand": (lambda d, g: plugrad.rand(N, dtype=d, generator=g), lambda x: x),
    "randn": (lambda d, g: plugrad.randn(N, dtype=d, generator=g), phi),
    "normal": (
        lambda d, g: plugrad.normal(2.0, 3.0, (N,), dtype=d, generator=g),
        lambda x: phi((x - 2) / 3),
    ),
    "uniform_": (
        lambda d, g: plugrad.zeros(N, dtype=d).uniform_(-2, 3, generator=g),
        lambda x: (x + 2) / 5,
    ),
    "exponential_": (
        lambda d, g: plugrad.zeros(N, dtype=d).exponential_(2, generator=g),
        lambda x: -math.expm1(-2 * x),
    ),
    "cauchy_": (
        lambda d, g: plugrad.zeros(N, dtype=d).cauchy_(1, 2, generator=g),
        lambda x: 0.5 + math.atan((x - 1) / 2) / math.pi,
    ),
    "log_normal_": (
        lambda d, g: plugrad.zeros(N, dtype=d).log_normal_(1, 0.5, generator=g),
        lambda x: phi((math.log(x) - 1) / 0.5),
    ),
}


@pytest.mark.parametrize("name", CONTINUOUS)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_continuous_distributions(name, dtype, seed):
    draw, distribution = CONTINUOUS[name]
    x = draw(dtype, generator(seed))
    assert x.dtype is dtype
    assert kolmogorov(x.tolist(), distribution) > 1e-3


def test_the_test_of_distributions_finds_a_small_bias():
    x = plugrad.rand(N, generator=generator())
    assert kolmogorov((x * 0.98).tolist(), lambda x: x) < 1e-3


@pytest.mark.parametrize("dtype", [plugrad.float16, plugrad.bfloat16], ids=str)
def test_half_precision(dtype):
    x = plugrad.rand(N, dtype=dtype, generator=generator())
    values, counts = np.unique(np.asarray(x.tolist()), return_counts=True)
    bits = 11 if dtype is plugrad.float16 else 8
    assert values.tolist() == [i / 2**bits for i in range(2**bits)]  # 1 is not among
    assert chi_square(counts, np.full(2**bits, N / 2**bits)) < 4


@pytest.mark.parametrize("n", [2, 7, 100])
@pytest.mark.parametrize("dtype", ["int64", "int32", "float32"])
def test_integers(n, dtype):
    d = getattr(plugrad, dtype)
    x = plugrad.randint(-3, n - 3, (N,), dtype=d, generator=generator())
    counts = np.bincount(np.asarray(x.tolist(), int) + 3, minlength=n)
    assert len(counts) == n
    assert chi_square(counts, np.full(n, N / n)) < 4


def test_wide_integers():
    x = plugrad.randint(-(2**62), 2**62, (N,), generator=generator())
    assert kolmogorov(x.tolist(), lambda v: (v + 2**62) / 2**63) > 1e-3
    low_bits = np.bincount(np.asarray(x.tolist()) & 15, minlength=16)
    assert chi_square(low_bits, np.full(16, N / 16)) < 4


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_bernoulli(p):
    g = generator()
    for x in (
        plugrad.bernoulli(plugrad.full((N,), p), generator=g),
        plugrad.zeros(N).bernoulli_(p, generator=g),
        plugrad.zeros(N, dtype=plugrad.bool).bernoulli_(p, generator=g),
    ):
        total = sum(x.tolist())
        assert abs(total - N * p) <= 4 * math.sqrt(N * p * (1 - p))


@pytest.mark.parametrize("dtype", [plugrad.float32, plugrad.int64], ids=str)
def test_geometric(dtype):
    p, n = 0.3, 20
    x = plugrad.zeros(N, dtype=dtype).geometric_(p, generator=generator())
    counts = np.bincount(np.asarray(x.tolist(), int), minlength=n)
    assert counts[0] == 0
    expected = N * p * (1 - p) ** np.arange(n - 1)
    counts = np.append(counts[1:n], counts[n:].sum())
    assert chi_square(counts, np.append(expected, N * (1 - p) ** (n - 1))) < 4


@pytest.mark.parametrize("rate", [0.5, 5.0, 30.0])
def test_poisson(rate):
    n = int(rate + 4 * math.sqrt(rate)) + 2
    x = plugrad.poisson(plugrad.full((20_000,), rate), generator())
    counts = np.bincount(np.minimum(np.asarray(x.tolist(), int), n), minlength=n + 1)
    p = [math.exp(-rate + i * math.log(rate) - math.lgamma(i + 1)) for i in range(n)]
    kept = np.array([*p, 1 - sum(p)]) * 20_000
    few = kept < 5
    counts = np.append(counts[~few], counts[few].sum() + 5)
    assert chi_square(counts, np.append(kept[~few], kept[few].sum() + 5)) < 4


WEIGHTS = [0.0, 1.0, 2.0, 0.0, 5.0]


def test_multinomial_with_replacement():
    g = generator()
    one = plugrad.multinomial(plugrad.tensor(WEIGHTS), N, True, generator=g)
    rows = plugrad.tensor([WEIGHTS, WEIGHTS[::-1]])
    two = plugrad.multinomial(rows, N, True, generator=g)
    for x, weights in ((one, WEIGHTS), (two[0], WEIGHTS), (two[1], WEIGHTS[::-1])):
        counts = np.bincount(np.asarray(x.tolist()), minlength=5)
        kept = np.array(weights) > 0
        assert counts[~kept].sum() == 0
        expected = np.array(weights)[kept] / sum(weights) * N
        assert chi_square(counts[kept], expected) < 4


def test_multinomial_without_replacement():
    rows = plugrad.tensor(WEIGHTS).expand(20_000, 5)
    x = np.asarray(plugrad.multinomial(rows, 2, generator=generator()).tolist())
    pairs = [(i, j) for i in (1, 2, 4) for j in (1, 2, 4) if i != j]
    assert {tuple(p) for p in x.tolist()} == set(pairs)
    found = [((x[:, 0] == i) & (x[:, 1] == j)).sum() for i, j in pairs]
    w = WEIGHTS
    expected = [w[i] / 8 * w[j] / (8 - w[i]) * len(x) for i, j in pairs]
    assert chi_square(found, expected) < 4
    one = plugrad.multinomial(rows, 1, generator=generator()).tolist()
    counts = np.bincount(np.asarray(one)[:, 0], minlength=5)
    assert chi_square(counts[[1, 2, 4]], np.array([1, 2, 5]) / 8 * len(x)) < 4


def test_permutations_are_even():
    g = generator()
    found = [tuple(plugrad.randperm(4, generator=g).tolist()) for _ in range(12_000)]
    counts = [found.count(p) for p in set(found)]
    assert len(counts) == 24
    assert chi_square(counts, [500] * 24) < 4


def test_normal_numbers_are_independent():
    x = np.asarray(plugrad.randn(N, generator=generator()).tolist())
    for lag in (1, 2, N // 2):
        r = (x[:-lag] * x[lag:]).mean() * math.sqrt(len(x) - lag)
        assert abs(r) < 4
    squares = ((x[: N // 2] ** 2 - 1) * (x[N // 2 :] ** 2 - 1)).mean() / 2
    assert abs(squares) * math.sqrt(N / 2) < 4


def test_complex_numbers():
    z = plugrad.randn(N, dtype=plugrad.complex64, generator=generator())
    z = np.asarray(z.tolist())
    for part in (z.real, z.imag):
        assert kolmogorov(part, lambda x: phi(x * math.sqrt(2))) > 1e-3


# --- Generators -----------------------------------------------------------------------


def test_a_seed_gives_the_same_numbers_again():
    plugrad.manual_seed(7)
    first = [plugrad.rand(5).tolist(), plugrad.randn(3).tolist()]
    first.append(plugrad.randint(9, (4,)).tolist())
    plugrad.manual_seed(7)
    assert first == [
        plugrad.rand(5).tolist(),
        plugrad.randn(3).tolist(),
        plugrad.randint(9, (4,)).tolist(),
    ]
    plugrad.manual_seed(8)
    assert first[0] != plugrad.rand(5).tolist()


def test_a_seed_gives_these_numbers_for_ever():
    # Philox by NumPy, put together here by hand.
    words = np.random.Philox(key=42).random_raw(4)
    halves = [int(w) >> s & 0xFFFFFFFF for w in words for s in (0, 32)]
    x = plugrad.rand(8, generator=generator(42))
    assert x.tolist() == [(h >> 8) / 2**24 for h in halves]
    y = plugrad.rand(4, dtype=plugrad.float64, generator=generator(42))
    assert y.tolist() == [(int(w) >> 11) / 2**53 for w in words]


def test_states():
    g = generator(3)
    plugrad.rand(10, generator=g)
    state = g.get_state()
    copies = [g.clone_state(), pickle.loads(pickle.dumps(g)), copy.deepcopy(g)]
    x = plugrad.rand(10, generator=g).tolist()
    for other in copies:
        assert plugrad.rand(10, generator=other).tolist() == x
        assert other.initial_seed() == 3
    h = plugrad.Generator()
    h.set_state(state)
    assert plugrad.rand(10, generator=h).tolist() == x
    assert h.initial_seed() == 3


def test_seed_is_new_each_time():
    g = plugrad.Generator()
    seeds = {g.seed() for _ in range(4)}
    assert len(seeds) == 4
    assert g.initial_seed() in seeds


def test_fork_rng():
    plugrad.manual_seed(0)
    with plugrad.random.fork_rng():
        x = plugrad.rand(3).tolist()
        plugrad.manual_seed(5)
    assert plugrad.rand(3).tolist() == x
    plugrad.manual_seed(0)
    with plugrad.random.fork_rng(enabled=False):
        plugrad.rand(3)
    assert plugrad.rand(3).tolist() != x


def test_draws_do_not_overlap():
    g = generator(1)
    parts = [plugrad.rand(n, dtype=plugrad.float64, generator=g) for n in (1, 4, 5)]
    whole = plugrad.rand(16, dtype=plugrad.float64, generator=generator(1)).tolist()
    assert parts[0].tolist() == whole[:1]
    assert parts[1].tolist() == whole[4:8]
    assert parts[2].tolist() == whole[8:13]


def run(threads):
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def test_threads_share_a_generator():
    g, drawn = generator(2), []

    def work():
        for _ in range(50):
            drawn.extend(plugrad.rand(4, dtype=plugrad.float64, generator=g).tolist())

    run([threading.Thread(target=work) for _ in range(8)])
    whole = plugrad.rand(1600, dtype=plugrad.float64, generator=generator(2))
    assert sorted(drawn) == sorted(whole.tolist())


def test_threads_with_generators_of_their_own_do_not_disturb_each_other():
    found = {}

    def work(seed):
        g = generator(seed)
        found[seed] = [plugrad.randn(5, generator=g).tolist() for _ in range(50)]

    run([threading.Thread(target=work, args=(seed,)) for seed in range(8)])
    together = dict(found)
    for seed in range(8):
        work(seed)
    assert found == together


def test_one_thread_with_two_generators():
    g, h = generator(1), generator(2)
    x = [plugrad.rand(3, generator=each).tolist() for each in (g, h, g, h)]
    g, h = generator(1), generator(2)
    first = [plugrad.rand(3, generator=g).tolist() for _ in range(2)]
    second = [plugrad.rand(3, generator=h).tolist() for _ in range(2)]
    assert x == [first[0], second[0], first[1], second[1]]


# --- Writes ---------------------------------------------------------------------------

FILLS = ["random_", "uniform_", "normal_", "bernoulli_", "exponential_", "cauchy_"]


@pytest.mark.parametrize("name", [*FILLS, "log_normal_"])
def test_filling_is_a_write(name):
    p, x = plugrad.ones(3, requires_grad=True), plugrad.ones(3)
    y = (p * x).sum()
    assert getattr(x, name)() is x
    with pytest.raises(RuntimeError, match="inplace"):
        y.backward()
    with pytest.raises(RuntimeError, match="leaf"):
        getattr(p, name)()
    with plugrad.no_grad():
        getattr(p, name)()


def test_filling_reaches_views_and_keeps_the_rest():
    x = plugrad.full((4, 3), 5.0)
    x[1:3].uniform_(generator=generator())
    found = np.asarray(x.tolist())
    assert (found[[0, 3]] == 5).all() and (found[1:3] < 1).all()
    t = plugrad.full((4, 3), 5.0).t()
    t.normal_(generator=generator())
    expected = plugrad.randn(3, 4, generator=generator())
    assert t.tolist() == expected.tolist()
