"""What is known about one name of the repository, and how much of it a caller may know.

Leaves out how a model is loaded (registry.py) and which versions are stored (repository.py).
"""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from service.registry import bundle, canary
from service.registry.loaded_model import LoadedModel
from service.registry.repository import StoredModel
from service.telemetry.call import Call

Status = Literal["loading", "ready", "failed"]


class Refused(BaseModel):
    """A version that should serve and cannot, while another one goes on."""

    version: int
    reason: str


class CanaryInfo(BaseModel):
    """A second version, which answers a share of the requests."""

    version: int
    percent: float
    status: Status


class ModelInfo(BaseModel):
    """What a caller may know about a model of the repository."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    status: Status
    reason: str | None = None
    """Why it failed."""
    version: int
    """The one that serves, or should."""
    versions: list[int]
    """All that the repository holds."""
    pinned: int | None = None
    """The one that should serve; without it, the highest."""
    refused: Refused | None = None
    """The one that should serve and cannot, while an older one does."""
    canary: CanaryInfo | None = None
    task: str | None = None
    """Also the path of the route that it answers, beside the task's other models."""
    languages: list[str] | None = None
    labels: list[str] | None = None
    limits: bundle.Limits | None = None
    scores: dict[str, dict[str, float | str]] | None = None
    """By test set."""
    licences: list[str] | None = None
    """Of the data that it was trained on."""
    sha256: str | None = None
    """Of the whole bundle."""


@dataclass
class ModelEntry:
    """What is known about one name of the repository."""

    name: str
    stored: StoredModel
    model: LoadedModel[Any, Any] | None = None
    failure: Refused | None = None
    """Why the version that should serve does not."""
    tried: StoredModel | None = None
    """What was stored when it failed; it is tried again only when that has changed."""
    canary: LoadedModel[Any, Any] | None = None
    canary_failed: StoredModel | None = None
    """What was stored when it could not be loaded."""

    def model_for(self, call: Call) -> LoadedModel[Any, Any] | None:
        """The version that answers a request."""
        stored = self.stored.canary
        if self.canary and stored:
            wanted = call.canary
            if wanted if wanted is not None else canary.answers(stored, call.request_id):
                return self.canary
        return self.model

    @property
    def status(self) -> Status:
        return "ready" if self.model else "failed" if self.failure else "loading"

    @property
    def reason(self) -> str | None:
        return self.failure.reason if self.failure else None

    @property
    def info(self) -> ModelInfo:
        about: dict[str, Any] = {
            "name": self.name,
            "status": self.status,
            "version": self.stored.wanted,
            "versions": self.stored.versions,
            "pinned": self.stored.pinned,
            "reason": self.reason,
            "task": self.stored.task,
            "languages": list(self.stored.languages) or None,
        }
        if self.stored.canary:
            failed = "failed" if self.canary_failed else "loading"
            about["canary"] = CanaryInfo(
                **self.stored.canary._asdict(), status="ready" if self.canary else failed
            )
        if self.model is not None:
            manifest = self.model.manifest
            about |= {
                "version": manifest.version,
                "reason": None,
                "refused": self.failure,
                "task": manifest.task,
                "languages": manifest.languages,
                "labels": manifest.labels,
                "limits": manifest.limits,
                "scores": manifest.scores,
                "licences": sorted({corpus.licence for corpus in manifest.training.corpora} - {""}),
                "sha256": self.model.sha256,
            }
        return ModelInfo(**about)
