"""Plugrad beside PyTorch: values, dtypes, shapes, exception types. Needs torch."""
