"""Helpers for training modules: gradients, weights, sequences."""

from __future__ import annotations

from . import rnn

__all__ = ["rnn"]
