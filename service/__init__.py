"""The online half: answers HTTP from ONNX Runtime. Never imports torch or training."""

__version__ = "0.1.0"
