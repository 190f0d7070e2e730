"""Layers, losses and functions of nn beside torch's."""
