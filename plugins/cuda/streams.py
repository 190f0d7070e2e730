"""Streams, which queue work, and events, which mark places in them."""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad.backends.cupy import cupy_library

from .devices import index_of

__all__ = [
    "Event",
    "ExternalStream",
    "Stream",
    "StreamContext",
    "current_stream",
    "default_stream",
    "set_stream",
    "stream",
]


class Stream:
    """A queue of work on a device; streams of a device run side by side.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     s = plugrad.cuda.Stream()
    ...     with plugrad.cuda.stream(s):
    ...         x = plugrad.ones(2, device="cuda")
    ...     s.synchronize()
    """

    def __init__(self, device: Any = None, priority: int = 0) -> None:
        index = index_of(device)
        cuda = cupy_library().cuda
        with cuda.Device(index):
            made = cuda.Stream(non_blocking=True, priority=priority)
        self._keep(made, index)

    def _keep(self, cupy_stream: Any, index: int) -> None:
        self.cupy_stream = cupy_stream
        self.device_index = index

    @property
    def device(self) -> plugrad.device:
        """The device that the work is done on."""
        return plugrad.device("cuda", self.device_index)

    @property
    def cuda_stream(self) -> int:
        """CUDA's handle."""
        return self.cupy_stream.ptr

    @property
    def priority(self) -> int:
        """The lower the number, the sooner its work is done."""
        return self.cupy_stream.priority

    def query(self) -> bool:
        """Whether all work queued so far is done."""
        return self.cupy_stream.done

    def synchronize(self) -> None:
        """Wait until all work queued so far is done."""
        self.cupy_stream.synchronize()

    def record_event(self, event: Event | None = None) -> Event:
        """Mark the place that the queue has reached."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Let work queued from now on wait for an event."""
        event.wait(self)

    def wait_stream(self, stream: Stream) -> None:
        """Let work queued from now on wait for all that another stream holds now."""
        self.wait_event(stream.record_event())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Stream):
            return NotImplemented
        same = self.device_index == other.device_index
        return same and self.cuda_stream == other.cuda_stream

    def __hash__(self) -> int:
        return hash((self.cuda_stream, self.device_index))

    def __repr__(self) -> str:
        return (
            f"<plugrad.cuda.Stream device=cuda:{self.device_index} "
            f"cuda_stream={self.cuda_stream:#x}>"
        )


def of_cupy(cupy_stream: Any, index: int) -> Stream:
    """The Stream around one of CuPy's."""
    made = object.__new__(Stream)
    made._keep(cupy_stream, index)
    return made


class ExternalStream(Stream):
    """A stream that another library made, by CUDA's handle of it.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     s = plugrad.cuda.ExternalStream(plugrad.cuda.Stream().cuda_stream)
    """

    def __init__(self, stream_ptr: int, device: Any = None) -> None:
        index = index_of(device)
        cuda = cupy_library().cuda
        if hasattr(cuda.Stream, "from_external"):  # CuPy 14 takes the protocol instead
            made = cuda.Stream.from_external(Handle(stream_ptr))
        else:
            made = cuda.ExternalStream(stream_ptr, index)
        self._keep(made, index)


class Handle:
    """A CUDA stream by the protocol that libraries share streams by."""

    def __init__(self, stream_ptr: int) -> None:
        self.stream_ptr = stream_ptr

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.stream_ptr


class Event:
    """A place in a stream, to wait for or to take the time at.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     start, end = (plugrad.cuda.Event(enable_timing=True) for _ in range(2))
    ...     start.record()
    ...     end.record()
    ...     end.synchronize()
    ...     assert start.elapsed_time(end) >= 0
    """

    def __init__(
        self,
        enable_timing: bool = False,
        blocking: bool = False,
        interprocess: bool = False,
    ) -> None:
        cupy_library()
        self._options = blocking, not enable_timing, interprocess
        self._cupy_event: Any = None  # made on the device of the first stream
        self._timed = enable_timing

    @property
    def cuda_event(self) -> int:
        """CUDA's handle; 0 before the first record."""
        return 0 if self._cupy_event is None else self._cupy_event.ptr

    def record(self, stream: Stream | None = None) -> None:
        """Mark the place that a stream, or the current one, has reached."""
        stream = current_stream() if stream is None else stream
        cuda = cupy_library().cuda
        with cuda.Device(stream.device_index):
            if self._cupy_event is None:
                self._cupy_event = cuda.Event(*self._options)
            self._cupy_event.record(stream.cupy_stream)

    def wait(self, stream: Stream | None = None) -> None:
        """Let a stream's work from now on wait until this place is reached."""
        stream = current_stream() if stream is None else stream
        if self._cupy_event is not None:
            stream.cupy_stream.wait_event(self._cupy_event)

    def query(self) -> bool:
        """Whether the work before this place is done."""
        return self._cupy_event is None or self._cupy_event.done

    def synchronize(self) -> None:
        """Wait until the work before this place is done."""
        if self._cupy_event is not None:
            self._cupy_event.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds between this event and a later one."""
        if not (self._timed and end_event._timed):
            raise ValueError(
                "Both events must be created with argument 'enable_timing=True'."
            )
        both = self._cupy_event, end_event._cupy_event
        if None in both:
            raise ValueError(
                "Both events must be recorded before calculating elapsed time."
            )
        return cupy_library().cuda.get_elapsed_time(*both)


class StreamContext:
    """Inside `with`, the given stream is the current one, and its device the current
    device; None changes nothing.

    >>> import plugrad
    >>> with plugrad.cuda.StreamContext(None):
    ...     pass
    """

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream
        self._inside: list[Any] = []

    def __enter__(self) -> None:
        if self.stream is not None:
            cuda = cupy_library().cuda
            self._inside += [cuda.Device(self.stream.device_index)]
            self._inside[-1].__enter__()
            self.stream.cupy_stream.__enter__()

    def __exit__(self, *exc_info: object) -> None:
        if self.stream is not None:
            self.stream.cupy_stream.__exit__(*exc_info)
            self._inside.pop().__exit__(*exc_info)


def stream(stream: Stream | None) -> StreamContext:
    """`with plugrad.cuda.stream(s):` queues work in that stream.

    >>> import plugrad
    >>> with plugrad.cuda.stream(None):
    ...     pass
    """
    return StreamContext(stream)


def set_stream(stream: Stream | None) -> None:
    """Queue work in a stream from now on.

    >>> import plugrad
    >>> plugrad.cuda.set_stream(None)
    """
    if stream is not None:
        cupy_library().cuda.Device(stream.device_index).use()
        stream.cupy_stream.use()


def current_stream(device: Any = None) -> Stream:
    """The stream that work is queued in.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     assert plugrad.cuda.current_stream() == plugrad.cuda.default_stream()
    """
    index = index_of(device)
    return of_cupy(cupy_library().cuda.get_current_stream(index), index)


def default_stream(device: Any = None) -> Stream:
    """The stream that work is queued in where none was chosen.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     assert plugrad.cuda.default_stream().cuda_stream == 0
    """
    return of_cupy(cupy_library().cuda.Stream.null, index_of(device))
