"""Tests of the plugins in plugins/."""
