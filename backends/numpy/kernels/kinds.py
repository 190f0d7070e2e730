"""What kinds of dtypes there are, for NumPy's own and ml_dtypes'."""

from __future__ import annotations

from typing import Any

_KINDS = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "fV",  # ml_dtypes' bfloat16 calls itself V
    "complex floating": "c",
    "numeric": "iufVc",
}


def isdtype(dtype: Any, kind: Any) -> bool:
    """The standard's isdtype, which in NumPy does not know bfloat16."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, each) for each in kind)
    return dtype.kind in _KINDS[kind] if isinstance(kind, str) else dtype == kind
