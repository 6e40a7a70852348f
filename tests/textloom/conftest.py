"""The servers that tests/service has."""

from tests.service.conftest import shipped_client, tiny_client, tiny_models

__all__ = ["shipped_client", "tiny_client", "tiny_models"]
