"""Plugins: how they are found, asked for their hooks, listed, and mounted."""
