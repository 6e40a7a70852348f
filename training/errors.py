"""What stops a training before it starts: data or options that cannot be used."""


class TrainingError(Exception):
    """The message says what is wrong, where, and what would be right."""
