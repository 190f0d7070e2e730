"""Dask: arrays in chunks, computed when their values are asked for."""
