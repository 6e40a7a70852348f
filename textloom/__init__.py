"""TextLoom from Python: a client of its server, and its models in this process.

    from textloom import Client

    with Client("http://127.0.0.1:8000") as client:
        print(client.ner("Ada Lovelace lived in London.").entities)

The client needs only httpx and pydantic; `load` also needs what textloom-service[local] installs. Leaves out the
server (service/) and the trainings (training/). The command line lies beside, in `textloom.cli`.
"""

from textloom.answers import (
    Alternative,
    AnyResult,
    Entity,
    ModelInfo,
    NerResult,
    Replacement,
    Sentence,
    SentimentResult,
    TranslateResult,
)
from textloom.async_client import AsyncClient
from textloom.client import Client
from textloom.errors import LoadError, Refused, TextLoomError, Unreachable
from textloom.loading import Model, Ner, Sentiment, Translate, load

__version__ = "0.1.0"

__all__ = [
    "Alternative",
    "AnyResult",
    "AsyncClient",
    "Client",
    "Entity",
    "LoadError",
    "Model",
    "ModelInfo",
    "Ner",
    "NerResult",
    "Refused",
    "Replacement",
    "Sentence",
    "Sentiment",
    "SentimentResult",
    "TextLoomError",
    "Translate",
    "TranslateResult",
    "Unreachable",
    "__version__",
    "load",
]
