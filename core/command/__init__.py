"""What the command `plugrad` does, and the skeleton that it writes."""
