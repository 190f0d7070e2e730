"""Plugins that go wrong in every way that a plugin can, as installed distributions."""
