"""What ends the command with a message instead of a traceback."""

from __future__ import annotations


class Failure(Exception):
    """Something that the user can mend: the message says how."""
