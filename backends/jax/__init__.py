"""JAX: arrays that are never written in place."""
