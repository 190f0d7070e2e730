"""pytest's way in: options and fixtures of the conformance suite."""
