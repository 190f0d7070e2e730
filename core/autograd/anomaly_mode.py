"""Switches that make a thread look for mistakes in gradients, at a price in time."""

from __future__ import annotations

from .. import modes


class detect_anomaly(modes.Setting):
    """Raise where backward computes a NaN or fails, and name the forward line.

    >>> import plugrad
    >>> x = plugrad.tensor(0.0, requires_grad=True)
    >>> with plugrad.autograd.set_detect_anomaly(True):
    ...     (x.log() * 0).backward()  # 0 * inf
    Traceback (most recent call last):
        ...
    RuntimeError: Function 'LogBackward0' returned nan values in its 0th output.
    ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        from warnings import warn

        super().__init__(anomaly=True, check_nan=check_nan)
        warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime "
            "and should only be enabled for debugging.",
            stacklevel=2,
        )


class set_detect_anomaly(modes.SettingAtOnce):
    """Turn anomaly detection on or off, at once, and back at the end of a `with`.

    >>> import plugrad
    >>> with plugrad.autograd.set_detect_anomaly(True):
    ...     plugrad.autograd.is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__(anomaly=bool(mode), check_nan=check_nan)


class check_saved_tensors(modes.Setting):
    """Raise in backward if a saved array has changed at all, even where Plugrad could
    not see the write: through `t.numpy()`, or another library on the same memory.

    Calls recorded inside the `with` note a hash of what they save; backward, also
    inside, compares. PyTorch has no such check, and computes a wrong gradient.

    >>> import plugrad
    >>> x, w = plugrad.ones(2), plugrad.ones(2, requires_grad=True)
    >>> with plugrad.autograd.check_saved_tensors():
    ...     y = (x * w).sum()
    ...     x.numpy()[0] = 5
    ...     y.backward()
    Traceback (most recent call last):
        ...
    RuntimeError: one of the variables needed for gradient computation has been ...
    """

    def __init__(self) -> None:
        super().__init__(check_saved=True)


def is_anomaly_enabled() -> bool:
    """Whether this thread detects anomalies.

    >>> import plugrad
    >>> plugrad.autograd.is_anomaly_enabled()
    False
    """
    return modes.current().anomaly


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly detection looks for NaN.

    >>> import plugrad
    >>> with plugrad.autograd.set_detect_anomaly(True, check_nan=False):
    ...     plugrad.autograd.is_anomaly_check_nan_enabled()
    False
    """
    mode = modes.current()
    return mode.anomaly and mode.check_nan


__all__ = [
    "check_saved_tensors",
    "detect_anomaly",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "set_detect_anomaly",
]
