"""Save and load: `plugrad.save`, `plugrad.load`."""
