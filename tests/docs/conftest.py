"""The server with the shipped bundles that tests/service has."""

from tests.service.conftest import shipped_client

__all__ = ["shipped_client"]
