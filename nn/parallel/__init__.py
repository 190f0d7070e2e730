"""Modules that run on several devices."""
