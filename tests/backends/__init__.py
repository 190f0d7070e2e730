"""Backends that exist for the tests, and the ops on them."""
