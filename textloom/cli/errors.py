"""What ends a command with a sentence."""


class Stop(Exception):
    """Raised with what is wrong and what would be right."""
