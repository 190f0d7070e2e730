"""What PyTorch has to say to be a backend.

- Its tensors are arrays here and nothing else: plugrad's graph does the
  differentiating, so a torch tensor that requires grad is refused at the door.
- Memory works as in NumPy: views share it, writes are seen through all of them, and
  strides, offsets and storages are torch's own.
- CPU tensors alone; what lies on another device is refused, not moved unseen.
"""

from __future__ import annotations

from typing import Any

import torch
from array_api_compat import torch as namespace

from plugrad import Backend, BackendError, hookimpl

from . import kernels

__all__ = ["TorchBackend", "plugrad_backend"]

# The ops that are called as the standard's functions of the same names are; all others
# are ops even where torch has such a function, which may want other arguments.
STANDARD = frozenset(
    (
        "abs acos acosh add all any argmax argmin asin asinh atan atan2 atanh "
        "bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor "
        "ceil conj copysign cos cosh count_nonzero exp expm1 flip floor floor_divide "
        "hypot imag isfinite isin isinf isnan log log10 log1p log2 logaddexp "
        "logical_and logical_not logical_or logical_xor matmul max maximum mean min "
        "minimum nonzero positive pow prod real reciprocal remainder repeat reshape "
        "roll round sign signbit sin sinh sort sqrt square squeeze stack std sum "
        "take tan tanh tril triu trunc var where"
    ).split()
)

# What torch does not compute with unsigned integers of more than 8 bits.
UNSIGNED = (
    "abs addcmul amax amin argmax argmin axpby bitwise_left_shift bitwise_right_shift "
    "clamp clamp_max clamp_min col2im combine_flat convolution convolution_weight "
    "cummax cummin distinct div_floor div_trunc floor_divide fmax fmin fmod ge gt "
    "heaviside le linear logical_and logical_not logical_or logical_xor lt matmul max "
    "max_pool max_pool_put max_pool_with_indices maximum median min minimum mode "
    "nanmedian pow recur relu remainder repeat_pad repeat_pad_back rfloor_divide "
    "rlshift rpow rremainder rrshift scatter_reduce sgn sign threshold"
).split()
WIDE = ("erfcx", "log_ndtr", "ndtri")  # that torch has for 32 and 64 bits


def left_out() -> dict[str, str]:
    """The ops that torch cannot do in some dtypes, with the reason."""
    found = {
        f"{name}[bool]": "torch's matmul takes no booleans; cast with .float()"
        for name in ("linear", "matmul")
    }
    for name in UNSIGNED:
        for bits in (16, 32, 64):
            found[f"{name}[uint{bits}]"] = (
                "torch does not compute with unsigned integers of more than 8 bits; "
                "cast with .to(plugrad.int64)"
            )
    for name in WIDE:
        for dtype in ("float16", "bfloat16"):
            found[f"{name}[{dtype}]"] = (
                "torch computes it in 32 and 64 bits only; cast with .float()"
            )
    return found


class TorchBackend(Backend):
    """PyTorch's tensors, on the CPU."""

    name = "torch"
    array_type = torch.Tensor
    namespace = namespace
    kernels = kernels
    leaves_out = left_out()
    tolerances = {"float16": (4e-3, 4e-3), "bfloat16": (3.2e-2, 3.2e-2)}

    conj = staticmethod(kernels.conj)
    take = staticmethod(kernels.taken)

    def find_kernel(self, name: str) -> Any:
        if name.endswith("_") and name[:-1] in kernels.INPLACE:
            return kernels.by_bits(getattr(torch.Tensor, name))
        return super().find_kernel(name)

    def __getattr__(self, name: str) -> Any:
        if name in self.ops and name not in STANDARD:
            found = self.kernel(name)
            setattr(self, name, found)
            return found
        return super().__getattr__(name)

    # --- arrays in and out ------------------------------------------------------------

    def wrap(self, value: Any) -> Any:
        return torch.as_tensor(value)

    def from_data(self, data: Any, dtype: Any, copy: bool | None = None) -> Any:
        if not hasattr(data, "dtype"):
            return from_numbers(data, dtype)
        if isinstance(data, torch.Tensor):
            return self.from_array(data).to(dtype or data.dtype, copy=bool(copy))
        return shared(data, dtype, copy)

    def from_array(self, value: Any) -> Any:
        if value.requires_grad:
            raise BackendError(
                "a torch tensor that requires grad would lose its history here: "
                "plugrad records its own. Give x.detach(), and ask for the gradient "
                "with plugrad's requires_grad_()"
            )
        if value.device.type != "cpu":
            raise BackendError(
                f"backend 'torch' serves cpu, not a torch tensor on {value.device}; "
                "give x.cpu()"
            )
        if value.layout is not torch.strided:
            raise BackendError(
                f"backend 'torch' takes strided tensors, not {value.layout}; give "
                "x.to_dense()"
            )
        value = value.resolve_conj().resolve_neg()
        if type(value) is not torch.Tensor:  # a Parameter, say: a plain one beside it
            value = value.as_subclass(torch.Tensor)
        return value

    def from_buffer(self, data: memoryview, dtype: Any) -> Any:
        if data.readonly:  # torch would warn, and write to it all the same
            return torch.frombuffer(bytearray(data), dtype=dtype)
        return torch.frombuffer(data, dtype=dtype)

    def from_dlpack(self, value: Any) -> Any:
        """An array on the memory of another library's."""
        return self.from_array(torch.from_dlpack(value))

    def to_numpy(self, array: Any) -> Any:
        if array.dtype is torch.bfloat16:  # which torch has no NumPy name for
            import numpy

            import plugrad

            native = plugrad.get_backend("numpy").native(plugrad.bfloat16)
            return array.view(torch.int16).numpy().view(numpy.dtype(native))
        return array.numpy()

    def to_list(self, array: Any) -> Any:
        return array.tolist()

    def item(self, array: Any) -> Any:
        return array.item()

    def make_scalar(self, value: Any, each: Any) -> Any:
        if each.kind in "iu":
            return super().make_scalar(value, each)
        return torch.tensor(value, dtype=self.native(each))

    # --- memory -----------------------------------------------------------------------

    def copy(self, array: Any) -> Any:
        return array.clone(memory_format=torch.contiguous_format)

    def write(self, array: Any, values: Any) -> Any:
        if values is not array and self.aliases(values, array):
            values = values.clone()  # torch reads what it has written already
        array.copy_(values)
        return array

    def aliases(self, view: Any, array: Any) -> bool:
        return view.untyped_storage().data_ptr() == array.untyped_storage().data_ptr()

    def strides(self, array: Any) -> tuple[int, ...]:
        return array.stride()

    def is_dense(self, array: Any) -> bool:
        return array.is_contiguous()

    def address(self, array: Any) -> int:
        return array.data_ptr()

    def extent(self, array: Any) -> tuple[int, int]:
        storage = array.untyped_storage()
        return storage.data_ptr(), storage.nbytes()

    def whole(self, array: Any) -> Any:
        n = array.untyped_storage().nbytes() // array.element_size()
        return array.as_strided((n,), (1,), 0)


def from_numbers(data: Any, dtype: Any) -> Any:
    """A tensor from nested lists of Python numbers. Of unsigned integers, torch takes
    no more than int64 holds: the others are shifted there and back."""
    if dtype is torch.uint64 and data.__class__ is not bool:
        return torch.tensor(as_signed(data), dtype=torch.int64).view(torch.uint64)
    return torch.tensor(data, dtype=dtype)


def as_signed(data: Any) -> Any:
    """Integers of 64 bits, read as signed ones."""
    if isinstance(data, (list, tuple)):
        return [as_signed(each) for each in data]
    value = int(data)
    if not 0 <= value < 2**64:
        raise OverflowError(f"{data!r} is not an integer of 64 bits")
    return value - 2**64 if value >= 2**63 else value


def shared(data: Any, dtype: Any, copy: bool | None) -> Any:
    """A tensor on another library's memory, or a copy where that cannot be."""
    if getattr(getattr(data, "dtype", None), "name", None) == "bfloat16":
        found = torch.from_numpy(data.view("int16")).view(torch.bfloat16)
    else:
        import numpy

        array = numpy.asarray(data)
        if any(step < 0 for step in array.strides) or not array.flags.writeable:
            array, copy = array.copy(), False  # torch takes neither
        found = torch.from_numpy(array)
    return found.to(dtype or found.dtype, copy=bool(copy))


@hookimpl
def plugrad_backend(name: str) -> TorchBackend | None:
    """The backend, for plugrad's plugin manager."""
    return TorchBackend() if name == "torch" else None
