"""The models that TextLoom ships, as data: `textloom.load` finds them here.

Built by `make wheel` from models/, as it is then. Holds no code but the name of the folder.
"""

from pathlib import Path

MODELS = Path(__file__).with_name("models")
