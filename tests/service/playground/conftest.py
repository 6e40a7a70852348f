"""A browser for all tests of the playground. Skipped where Chromium is not installed; CI installs it."""

from collections.abc import Iterator

import httpx
import pytest
from selenium import webdriver

from .browser import MISSING, Page, chrome


@pytest.fixture(scope="session")
def driver() -> Iterator[webdriver.Chrome]:
    if MISSING:
        pytest.skip(MISSING)
    with chrome() as driver:
        yield driver


@pytest.fixture
def page(driver: webdriver.Chrome, tiny_client: httpx.Client) -> Page:
    """With the tiny bundles, so that every name, score and translation is known."""
    return Page(driver, str(tiny_client.base_url))
