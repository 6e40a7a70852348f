"""Until tests/tasks imports from `training.data.tokenization`, where this module is now."""

from training.data.tokenization import subword_tokenizer

__all__ = ["subword_tokenizer"]
