"""Tools for those who work on Plugrad; nothing here is installed."""
