"""PyTorch's own tensors as arrays: an oracle among the backends."""
