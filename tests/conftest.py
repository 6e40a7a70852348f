"""Fixtures for tests of more than one folder: tiny corpora, and bundles trained on them once for all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from service import tasks
from service.tasks.ner.task import Ner
from service.tasks.sentiment.task import Sentiment
from service.tasks.translate.task import Translate

# Tiny steps are far slower when two threads wait for each other on busy cores. Set before torch is
# imported, and inherited by the trainings that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No example has a time limit, for the machine may stall at any of them; and a verdict can be repeated.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny corpora: `ner`, `sentiment` and `translate`, each train, dev and test."""
    from tests.training import tiny

    return tiny.write_corpora(tmp_path_factory.mktemp("corpora"))


@pytest.fixture(scope="session")
def ner_path(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger with the usual options; windows of 12 words, so that a long text has several."""
    from tests.training import tiny

    return tiny.train("ner", corpora, tmp_path_factory.mktemp("ner"), "--max-tokens", "12")


@pytest.fixture(scope="session")
def sentiment_path(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier with the usual options; windows of 12 words."""
    from tests.training import tiny

    return tiny.train(
        "sentiment", corpora, tmp_path_factory.mktemp("sentiment"), "--max-tokens", "12"
    )


@pytest.fixture(scope="session")
def translate_path(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A translator from English into French; sentences of at most 24 subwords."""
    from tests.training import tiny

    return tiny.train(
        "translate", corpora, tmp_path_factory.mktemp("translate"), "--max-tokens", "24"
    )


@pytest.fixture(scope="session")
def ner(ner_path: Path) -> Ner:
    task = tasks.load(ner_path)
    assert isinstance(task, Ner)
    return task


@pytest.fixture(scope="session")
def sentiment(sentiment_path: Path) -> Sentiment:
    task = tasks.load(sentiment_path)
    assert isinstance(task, Sentiment)
    return task


@pytest.fixture(scope="session")
def translate(translate_path: Path) -> Translate:
    task = tasks.load(translate_path)
    assert isinstance(task, Translate)
    return task
