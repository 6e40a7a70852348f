"""TextLoom from Python: a client of its server, which needs only httpx and pydantic.

    from textloom import Client

    with Client("http://127.0.0.1:8000") as client:
        print(client.ner("Ada Lovelace lived in London.").entities)

Leaves out the server (service/) and the trainings (training/). The command line lies beside, in `textloom.cli`; it
is not imported here, because it needs more.
"""

from textloom.answers import (
    Alternative,
    AnyResult,
    Entity,
    ModelInfo,
    NerResult,
    Sentence,
    SentimentResult,
    TranslateResult,
)
from textloom.client import AsyncClient, Client, Refused, TextLoomError, Unreachable

__all__ = [
    "Alternative",
    "AnyResult",
    "AsyncClient",
    "Client",
    "Entity",
    "ModelInfo",
    "NerResult",
    "Refused",
    "Sentence",
    "SentimentResult",
    "TextLoomError",
    "TranslateResult",
    "Unreachable",
]
