"""Products of sparse matrices, by SciPy on NumPy arrays and by cupyx on CuPy's.

- Rows are shared out among threads: SciPy computes on one, and leaves Python to others
  meanwhile. 20,000 x 20,000 at density 1e-3 times 64 columns of float32 took SciPy
  3.8 ms, and two threads 2.2 ms in blocks of 8 (blocks small enough for the cache are
  put together without a second trip to memory).
- The gradient to the values needs rows of two matrices for each value. They are fetched
  into two blocks that stay in the cache: `take` into memory that is there and `vecdot`
  took 9 ms where indexing and `einsum` took 17 to 31.
"""

from __future__ import annotations

from typing import Any

from plugrad import BackendError, UnsupportedOpError, in_threads

from .patterns import Pattern, SparseArray

Array = Any

FLOPS = 1 << 20  # below so many multiplications, threads cost more than they gain
PARTS = 16  # of a gradient, for threads that are not equally busy
BLOCK_BYTES = 1 << 20  # of results at a time
FETCHED_BYTES = 1 << 17  # of rows of one matrix at a time


def scipy_sparse(xp: Any) -> Any:
    """The module that multiplies: scipy.sparse, or CuPy's."""
    try:
        if xp.__name__ == "cupy":
            from cupyx.scipy import sparse
        else:
            from scipy import sparse
    except ImportError as error:
        raise BackendError(
            f"products of sparse tensors need SciPy, which failed to import ({error}); "
            "pip install 'plugrad[sparse]'"
        ) from error
    return sparse


def check_dtype(values: Array) -> None:
    """Raise for what SciPy does not multiply."""
    if values.dtype.kind not in "iufc" or values.dtype.itemsize < 4:
        if values.dtype.kind not in "iu":
            raise UnsupportedOpError(
                f"matmul: sparse matrices of {values.dtype.name} are not multiplied "
                "here; cast with .float(), or use .to_dense()"
            )


def by_rows(pattern: Pattern, values: Array) -> tuple[Array, Array, Array]:
    """Where rows begin, columns, and values in that order, indices in 32 bits where
    they fit: a third less to read."""
    _, order = pattern.as_compressed("csr")
    starts, columns = pattern.keep("32", lambda: narrow(pattern))
    return starts, columns, values if order is None else values[order]


def narrow(pattern: Pattern) -> tuple[Array, Array]:
    """The indices of a pattern by rows, in 32 bits if they fit."""
    xp = pattern.xp
    rows, _ = pattern.as_compressed("csr")
    fits = max(*pattern.shape[:2], pattern.nnz) < 2**31
    kind = xp.int32 if fits else xp.int64
    return rows.compressed.astype(kind), rows.plain.astype(kind)


def matrix(pattern: Pattern, values: Array) -> Any:
    """A whole matrix of SciPy's."""
    sparse = scipy_sparse(pattern.xp)
    starts, columns, values = by_rows(pattern, values)
    kind = getattr(sparse, "csr_array", None) or sparse.csr_matrix
    return kind((values, columns, starts), shape=pattern.shape)


def product(values: Array, b: Array, pattern: Pattern) -> Array:
    """The sparse matrix times a dense one."""
    check_dtype(values)
    xp = pattern.xp
    rows, width = pattern.shape[0], b.shape[1]
    if pattern.nnz * width < FLOPS or xp.__name__ == "cupy":
        return matrix(pattern, values) @ b
    sparse = scipy_sparse(xp)
    starts, columns, values = by_rows(pattern, values)
    b = xp.ascontiguousarray(b)  # SciPy would copy it for each block
    y = xp.empty((rows, width), xp.result_type(values, b))
    block = max(256, min(-(-rows // 8), BLOCK_BYTES // max(width * y.itemsize, 1)))

    def part(i: int) -> Any:
        def compute() -> None:
            first, last = starts[i], starts[min(i + block, rows)]
            begin = starts[i : i + block + 1] - first
            a = sparse.csr_array(
                (values[first:last], columns[first:last], begin),
                shape=(begin.shape[0] - 1, pattern.shape[1]),
            )
            y[i : i + block] = a @ b

        return compute

    in_threads([part(i) for i in range(0, rows, block)])
    return y


def sampled(a: Array, b: Array, pattern: Pattern) -> Array:
    """a @ b.T where the pattern has a value, and nowhere else."""
    xp = pattern.xp
    rows, columns = pattern.coordinates()
    kind, width, n = xp.result_type(a, b), a.shape[1], pattern.nnz
    if xp.__name__ == "cupy" or kind.kind == "c":
        return in_blocks(xp, a, b, rows, columns, kind)
    a, b = xp.ascontiguousarray(a), xp.ascontiguousarray(b)  # or `take` copies them
    y = xp.empty((n,), kind)
    block = max(64, FETCHED_BYTES // max(width * kind.itemsize, 1))
    each = max(block, -(-n // PARTS))

    def part(start: int) -> Any:
        def compute() -> None:
            left, right = xp.empty((2, block, width), kind)
            end = min(start + each, n)
            for i in range(start, end, block):
                m = min(block, end - i)
                a.take(rows[i : i + m], 0, left[:m], "clip")
                b.take(columns[i : i + m], 0, right[:m], "clip")
                xp.vecdot(left[:m], right[:m], out=y[i : i + m])

        return compute

    jobs = [part(start) for start in range(0, n, each)]
    if n * width < FLOPS:
        for job in jobs:
            job()
    else:
        in_threads(jobs)
    return y


def in_blocks(
    xp: Any, a: Array, b: Array, rows: Array, columns: Array, kind: Any
) -> Array:
    """What `sampled` gives, by functions that CuPy has and that do not conjugate."""
    block = max(64, (1 << 27) // max(a.shape[1] * kind.itemsize, 1))
    found = [
        xp.einsum("ij,ij->i", a[rows[i : i + block]], b[columns[i : i + block]])
        for i in range(0, rows.shape[0], block)
    ]
    return xp.concatenate(found) if found else xp.empty((0,), kind)


def sparse_product(a: SparseArray, b: SparseArray) -> SparseArray:
    """The product of two sparse matrices: in coordinates if the first is, else by
    rows."""
    for each in (a, b):
        check_dtype(each.values)
    found = matrix(a.pattern, a.values) @ matrix(b.pattern, b.values)
    found.sort_indices()
    xp = a.pattern.xp
    pattern = Pattern(
        xp,
        "csr",
        tuple(found.shape),
        compressed=found.indptr.astype(xp.int64),
        plain=found.indices.astype(xp.int64),
    )
    values = found.data
    if a.layout == "coo":
        pattern, _ = pattern.as_coo()
    return SparseArray(pattern, values)
