"""CuPy: arrays on NVIDIA's GPUs."""
