"""PyTorch's `torch.cuda`, on the CuPy backend."""
