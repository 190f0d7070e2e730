"""The backends that come with plugrad; each is a plugin like anybody's."""
