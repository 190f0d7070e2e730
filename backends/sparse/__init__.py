"""Sparse tensors on SciPy's and CuPy's sparse matrices."""
