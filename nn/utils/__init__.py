"""Helpers for training modules: gradients, weights, sequences."""
