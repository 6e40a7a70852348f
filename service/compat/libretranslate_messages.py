"""What requests and answers of LibreTranslate's API hold."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel

FILE_KINDS: Mapping[str, str] = {
    ".txt": "text", ".html": "html", ".htm": "html", ".srt": "srt", ".vtt": "srt",
    ".md": "md", ".markdown": "md",
}  # fmt: skip
"""The endings of the files that are translated, and which of the readers in service.documents reads each."""


class Message(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


def _number(given: object) -> object:
    """As a form has it, or left out in one of the ways that clients do."""
    if given is None or given == "":
        return 0
    return int(given) if isinstance(given, str) and given.isdecimal() else given


class TranslateQuery(Message):
    q: str | Annotated[list[str], Field(min_length=1)]
    source: str
    target: str
    format: Literal["text", "html", ""] | None = None
    alternatives: Annotated[int, BeforeValidator(_number)] = 0


class DetectQuery(Message):
    q: str


class Detected(Message):
    confidence: float
    """From 0 to 100."""
    language: str


class Translated(Message):
    """Of one text; for a list of texts each field is a list."""

    translatedText: str | list[str]
    alternatives: list[str] | list[list[str]] | None = None
    detectedLanguage: Detected | list[Detected] | None = None


class Language(Message):
    code: str
    name: str
    targets: list[str]


class Languages(RootModel[list[Language]]):
    pass


class Health(Message):
    status: Literal["ok"]


class Ranking(RootModel[list[Detected]]):
    pass


class Named(Message):
    code: str
    name: str


class Chosen(Message):
    source: Named
    target: Named


class FrontendSettings(Message):
    apiKeys: bool
    charLimit: int
    filesTranslation: bool = True
    frontendTimeout: int = 500
    keyRequired: bool
    language: Chosen
    suggestions: bool = False
    supportedFilesFormat: list[str] = [*FILE_KINDS]


class FileQuery(Message):
    source: str
    target: str


class FileForm(FileQuery):
    file: Annotated[str, Field(json_schema_extra={"format": "binary"})]


class TranslatedFile(Message):
    translatedFileUrl: str
    """Where the translated file can be fetched for ten minutes."""
