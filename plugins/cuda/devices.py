"""Which devices there are, which is the current one, and what they can do."""

from __future__ import annotations

from typing import Any, NamedTuple

import plugrad
from plugrad.backends.cupy import cupy_library, why_not

__all__ = [
    "can_device_access_peer",
    "current_device",
    "device",
    "device_count",
    "device_of",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "init",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "ipc_collect",
    "set_device",
    "synchronize",
]


def is_available() -> bool:
    """Whether there is a GPU that CuPy can use; never an error.

    >>> import plugrad
    >>> plugrad.cuda.is_available() == (plugrad.cuda.device_count() > 0)
    True
    """
    return why_not() is None


def device_count() -> int:
    """The number of GPUs; 0 where none can be used.

    >>> import plugrad
    >>> plugrad.cuda.device_count() >= 0
    True
    """
    return cupy_library().cuda.runtime.getDeviceCount() if is_available() else 0


def init() -> None:
    """Load the CuPy backend now, rather than when it is first used.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     plugrad.cuda.init()
    """
    cupy_library()
    plugrad.get_backend("cupy")


def is_initialized() -> bool:
    """Whether the CuPy backend can be used here: it needs no step before its use.

    >>> import plugrad
    >>> plugrad.cuda.is_initialized() == plugrad.cuda.is_available()
    True
    """
    return is_available()


def index_of(device: Any = None, optional: bool = True) -> int:
    """The index of the device meant by an int, a string or a device; the current one
    where that has none."""
    cp = cupy_library()
    if device is None and optional:
        return cp.cuda.runtime.getDevice()
    if isinstance(device, bool) or not isinstance(device, int):
        where = plugrad.device(device)
        if where.type != "cuda":
            raise ValueError(f"Expected a cuda device, but got: {where}")
        if where.index is None:
            return cp.cuda.runtime.getDevice()
        device = where.index
    count = cp.cuda.runtime.getDeviceCount()
    if not 0 <= device < count:
        raise plugrad.BackendError(
            f"there is no device 'cuda:{device}'; the last one is 'cuda:{count - 1}'"
        )
    return device


def current_device() -> int:
    """The index of the device that this thread works on.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     assert plugrad.cuda.current_device() == 0
    """
    return index_of()


def set_device(device: Any) -> None:
    """Work on a device from now on, in this thread; a negative index changes nothing.

    >>> import plugrad
    >>> plugrad.cuda.set_device(-1)
    """
    if not isinstance(device, int) or device >= 0:
        cupy_library().cuda.Device(index_of(device)).use()


class device:
    """Inside `with plugrad.cuda.device(i):`, work on that device.

    Tensors of several devices need this around what is computed with them, backward
    included: CuPy computes on the current device, wherever its operands are.

    >>> import plugrad
    >>> with plugrad.cuda.device(-1):
    ...     pass
    """

    def __init__(self, device: Any) -> None:
        absent = device is None or (isinstance(device, int) and device < 0)
        self.idx = -1 if absent else index_of(device)
        self._before: list[int] = []

    def __enter__(self) -> device:
        if self.idx >= 0:
            cuda = cupy_library().cuda
            self._before.append(cuda.runtime.getDevice())
            cuda.runtime.setDevice(self.idx)
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._before:
            cupy_library().cuda.runtime.setDevice(self._before.pop())


class device_of(device):
    """`device`, of the one that holds a tensor; of a tensor on the CPU, nothing.

    >>> import plugrad
    >>> with plugrad.cuda.device_of(plugrad.zeros(1)):
    ...     pass
    """

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device())


def synchronize(device: Any = None) -> None:
    """Wait until all work queued on a device is done.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     plugrad.cuda.synchronize()
    """
    cupy_library().cuda.Device(index_of(device)).synchronize()


class DeviceProperties(NamedTuple):
    """What a GPU is."""

    name: str
    major: int
    minor: int
    total_memory: int
    multi_processor_count: int
    max_threads_per_multi_processor: int
    warp_size: int
    L2_cache_size: int


def get_device_properties(device: Any = None) -> DeviceProperties:
    """Name, memory and size of a device.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     assert plugrad.cuda.get_device_properties(0).total_memory > 0
    """
    found = cupy_library().cuda.runtime.getDeviceProperties(index_of(device))
    name = found["name"]
    return DeviceProperties(
        name.decode() if isinstance(name, bytes) else name,
        found["major"],
        found["minor"],
        found["totalGlobalMem"],
        found["multiProcessorCount"],
        found["maxThreadsPerMultiProcessor"],
        found["warpSize"],
        found["l2CacheSize"],
    )


def get_device_name(device: Any = None) -> str:
    """The name of a device.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     assert plugrad.cuda.get_device_name()
    """
    return get_device_properties(device).name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability of a device: major and minor number.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     assert plugrad.cuda.get_device_capability() >= (3, 0)
    """
    found = get_device_properties(device)
    return found.major, found.minor


def get_arch_list() -> list[str]:
    """The architectures that kernels are compiled for: those of the devices here.

    >>> import plugrad
    >>> len(plugrad.cuda.get_arch_list()) <= plugrad.cuda.device_count()
    True
    """
    found = (get_device_capability(i) for i in range(device_count()))
    return sorted({f"sm_{major}{minor}" for major, minor in found})


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether tensors can be bfloat16: CuPy 14 and ml_dtypes make that so.

    >>> import plugrad
    >>> if not plugrad.cuda.is_available():
    ...     assert not plugrad.cuda.is_bf16_supported()
    """
    if not is_available():
        return False
    k = plugrad.get_backend("cupy")
    if not including_emulation and get_device_capability() < (8, 0):
        return False
    return any(each is plugrad.bfloat16 for each in k.by_dtype)


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Whether a device can read the memory of another.

    >>> import plugrad
    >>> if plugrad.cuda.device_count() > 1:
    ...     assert plugrad.cuda.can_device_access_peer(0, 1) in (True, False)
    """
    one, other = index_of(device), index_of(peer_device)
    return bool(cupy_library().cuda.runtime.deviceCanAccessPeer(one, other))


def ipc_collect() -> None:
    """Nothing: no memory is shared between processes.

    >>> import plugrad
    >>> plugrad.cuda.ipc_collect()
    """
