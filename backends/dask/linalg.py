"""Linear algebra on stacks of matrices: each matrix in one chunk, the stack in any.

The names are those of the standard's `linalg`. A singular matrix is found when values
are computed, not before.
"""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np

__all__ = [
    "cholesky",
    "det",
    "diagonal",
    "eigh",
    "inv",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
]


def each(function: Any, signature: str, *arrays: Any, **options: Any) -> Any:
    """NumPy's function on each matrix; `signature` names the sizes, as gufuncs do."""
    if any(0 in a.shape for a in arrays):  # no values, which Dask cannot cut up
        empty = (np.zeros(a.shape, a.dtype) for a in arrays)
        found = function(*empty, **options.get("given", {}))
        if isinstance(found, tuple):
            return tuple(da.from_array(np.asarray(y), name=False) for y in found)
        return da.from_array(np.asarray(found), name=False)
    kinds = [np.eye(1, dtype=a.dtype) for a in arrays]
    sample = function(*kinds, **options.get("given", {}))
    found = sample if isinstance(sample, tuple) else (sample,)
    dtypes = [np.asarray(each).dtype for each in found]
    return da.apply_gufunc(
        function,
        signature,
        *arrays,
        output_dtypes=dtypes if len(dtypes) > 1 else dtypes[0],
        output_sizes=options.get("sizes"),
        allow_rechunk=True,
        **options.get("given", {}),
    )


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonals."""
    return da.diagonal(x, offset, -2, -1)


def inv(x: Any) -> Any:
    """The inverses."""
    return each(np.linalg.inv, "(i,j)->(i,j)", x)


def det(x: Any) -> Any:
    """The determinants."""
    return each(np.linalg.det, "(i,j)->()", x)


def slogdet(x: Any) -> Any:
    """The signs of the determinants, and the logarithms of their sizes."""
    return each(as_tuple(np.linalg.slogdet), "(i,j)->(),()", x)


def solve(a: Any, b: Any) -> Any:
    """x with a @ x = b, for matrices b."""
    return each(np.linalg.solve, "(i,i),(i,n)->(i,n)", a, b)


def pinv(x: Any, *, rtol: Any = None) -> Any:
    """The pseudoinverses."""
    return each(np.linalg.pinv, "(i,j)->(j,i)", x, given={"rtol": rtol})


def cholesky(x: Any) -> Any:
    """Lower triangular y with y @ y.mH = x."""
    return each(np.linalg.cholesky, "(i,j)->(i,j)", x)


def eigh(x: Any) -> Any:
    """Eigenvalues and eigenvectors of Hermitian matrices."""
    return each(as_tuple(np.linalg.eigh), "(i,j)->(i),(i,j)", x)


def svd(x: Any, full_matrices: bool = True) -> Any:
    """U, S, Vh with x = U @ diag(S) @ Vh."""
    m, n = x.shape[-2:]
    least = min(m, n)
    sizes = {"k": least, "p": m if full_matrices else least}
    sizes["q"] = n if full_matrices else least
    given = {"full_matrices": full_matrices}
    signature = "(i,j)->(i,p),(k),(q,j)"
    return each(as_tuple(np.linalg.svd), signature, x, sizes=sizes, given=given)


def qr(x: Any, *, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and triangular R with Q @ R = x."""
    m, n = x.shape[-2:]
    sizes = {"k": m if mode == "complete" else min(m, n)}
    signature = "(i,j)->(i,k),(k,j)"
    given = {"mode": mode}
    return each(as_tuple(np.linalg.qr), signature, x, sizes=sizes, given=given)


def as_tuple(function: Any) -> Any:
    """`function`, whose results NumPy gives as a named tuple."""

    def run(*args: Any, **options: Any) -> Any:
        return tuple(function(*args, **options))

    return run
