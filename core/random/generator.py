"""Generators of random numbers: all draw from one stream, on any backend.

- The stream is Philox4x64-10, a function of a key and a counter: the same seed gives
  the same numbers on every backend, bit for bit but for the functions (log, cos) of the
  array library that normals go through.
- A generator is a seed and the counter of the next block (4 words of 64 bits). A draw
  takes whole blocks, so that nothing is left over between draws.
- Where block i is what NumPy calls counter i + 1, its `numpy.random.Philox(key=seed)`
  gives the same words.
- Threads may share a generator; each draw then gets blocks of its own. What a thread
  draws from a generator of its own does not depend on other threads.

The functions that draw stand in `distributions.py` beside this file, how words become
numbers in `plugrad.ops.draws`.
"""

from __future__ import annotations

from _thread import allocate_lock

from ..computing import TRACING, tracing
from ..devices import as_device
from ..errors import UnsupportedOpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..devices import device
    from ..tensor import Tensor

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]

DEFAULT_SEED = 67280421310721  # PyTorch's
STATE_SIZE = 16  # bytes: the seed and the counter, little-endian


class Generator:
    """A source of random numbers, to be given to functions as `generator=`.

    >>> import plugrad
    >>> g = plugrad.Generator().manual_seed(0)
    >>> h = g.clone_state()
    >>> plugrad.rand(2, generator=g).equal(plugrad.rand(2, generator=h))
    True
    """

    __slots__ = ("device", "_seed", "_counter", "_lock")

    def __init__(self, device: Any = "cpu") -> None:
        self.device: device = as_device(device)
        self._seed = DEFAULT_SEED
        self._counter = 0
        self._lock = allocate_lock()

    def take(self, blocks: int) -> tuple[int, int]:
        """The key, and the counter of the first of so many blocks, now used up."""
        if TRACING and tracing():
            raise UnsupportedOpError(
                "compile: random numbers would be the same in every call of a compiled "
                "function; draw them before, and pass them as arguments"
            )
        with self._lock:
            counter = self._counter
            self._counter = counter + blocks
            return self._seed, counter

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of a seed from its beginning; a negative one counts from
        2**64 down."""
        if isinstance(seed, float) or not hasattr(seed, "__index__"):
            raise RuntimeError(
                f"manual_seed expected a long, but got {type(seed).__name__}"
            )
        seed = seed.__index__()
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"Overflow when unpacking long long: seed {seed}")
        with self._lock:
            self._seed = seed % 2**64
            self._counter = 0
        return self

    def seed(self) -> int:
        """Start from a seed that the operating system finds, and return it."""
        from os import urandom

        seed = int.from_bytes(urandom(8), "little")
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed that the stream was started from."""
        return self._seed

    def get_state(self) -> Tensor:
        """Seed and counter, as a tensor of bytes."""
        from ..creation.data import frombuffer
        from ..dtypes import uint8

        with self._lock:
            numbers = self._seed, self._counter
        state = b"".join(n.to_bytes(8, "little") for n in numbers)
        return frombuffer(bytearray(state), dtype=uint8)

    def set_state(self, new_state: Tensor) -> None:
        """Go to where another generator was when it gave its state."""
        from ..dtypes import uint8
        from ..tensor import Tensor

        if not isinstance(new_state, Tensor):
            raise TypeError(
                f"expected a plugrad.ByteTensor, but got {type(new_state).__name__}"
            )
        if new_state.dtype is not uint8:
            raise TypeError("RNG state must be a plugrad.ByteTensor")
        state = bytes(new_state.reshape(-1).tolist())
        if len(state) != STATE_SIZE:
            raise RuntimeError(
                f"a generator's state has {STATE_SIZE} bytes, not {len(state)}"
            )
        with self._lock:
            self._seed = int.from_bytes(state[:8], "little")
            self._counter = int.from_bytes(state[8:], "little")

    def clone_state(self) -> Generator:
        """Another generator that goes on from the same place."""
        made = Generator(self.device)
        with self._lock:
            made._seed, made._counter = self._seed, self._counter
        return made

    def __reduce__(self) -> Any:
        with self._lock:
            return _restore, (str(self.device), self._seed, self._counter)


def _restore(device: str, seed: int, counter: int) -> Generator:
    """A generator out of a pickle."""
    made = Generator(device)
    made._seed, made._counter = seed, counter
    return made


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Start the default generator from a seed; floats and strings are read as integers.

    >>> import plugrad
    >>> _ = plugrad.manual_seed(0)
    >>> x = plugrad.rand(3)
    >>> _ = plugrad.manual_seed(0)
    >>> x.equal(plugrad.rand(3))
    True
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the default generator from a seed that nobody knows, and return it.

    >>> import plugrad
    >>> plugrad.seed() == plugrad.initial_seed()
    True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator was started from.

    >>> import plugrad
    >>> g = plugrad.manual_seed(7)
    >>> plugrad.initial_seed()
    7
    """
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default generator, as a tensor of bytes.

    >>> import plugrad
    >>> state = plugrad.get_rng_state()
    >>> x = plugrad.rand(3)
    >>> plugrad.set_rng_state(state)
    >>> plugrad.rand(3).equal(x)
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Put the default generator where it was when it gave `new_state`.

    >>> import plugrad
    >>> state = plugrad.get_rng_state()
    >>> x = plugrad.rand(3)
    >>> plugrad.set_rng_state(state)
    >>> x.equal(plugrad.rand(3))
    True
    """
    default_generator.set_state(new_state)


class fork_rng:
    """Inside `with fork_rng():` draws leave the default generator as it was outside.

    All devices share the one generator, so `devices` changes nothing.

    >>> import plugrad
    >>> _ = plugrad.manual_seed(0)
    >>> with plugrad.random.fork_rng():
    ...     x = plugrad.rand(3)
    >>> x.equal(plugrad.rand(3))
    True
    """

    def __init__(
        self, devices: Iterable[Any] | None = None, enabled: bool = True
    ) -> None:
        self._enabled = enabled
        self._states: list[Tensor] = []

    def __enter__(self) -> None:
        if self._enabled:
            self._states.append(get_rng_state())

    def __exit__(self, *exc_info: object) -> None:
        if self._enabled:
            set_rng_state(self._states.pop())
