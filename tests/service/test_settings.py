"""Settings: from the command line, the environment, or the defaults, and explained."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from service import settings
from service.settings import PREFIX, Settings, cores


@pytest.fixture(autouse=True)
def somewhere_with_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        settings.read(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_help_lists_every_setting_with_its_default_and_variable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        settings.read(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for name, field in Settings.model_fields.items():
        assert "--" + name.replace("_", "-") in text
        default = "none" if field.default in ({}, (), "", None) else field.default
        assert f"default {default}, variable {PREFIX}{name.upper()}" in text


def test_python_m_service_help_works() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "service", "--help"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "TEXTLOOM_QUEUE_TOKENS" in done.stdout


def test_flags_override_variables_and_variables_override_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert settings.read([]).port == 8000
    monkeypatch.setenv("TEXTLOOM_PORT", "9000")
    monkeypatch.setenv("TEXTLOOM_MAX_TEXTS", "7")
    assert settings.read([]).port == 9000
    read = settings.read(["--port", "9100"])
    assert (read.port, read.max_texts) == (9100, 7)
    monkeypatch.setenv("TEXTLOOM_PINS", "ner=2,translate-en-fr=13")
    assert settings.read([]).pins == {"ner": 2, "translate-en-fr": 13}
    monkeypatch.setenv("TEXTLOOM_CORS_ORIGINS", "https://a.example, http://localhost:5173")
    assert settings.read([]).cors_origins == ("https://a.example", "http://localhost:5173")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "many"], "--port: Input should be a valid integer"),
        (["--port", "70000"], "--port: Input should be less than or equal to 65535"),
        (["--queue-tokens", "0"], "--queue-tokens: Input should be greater than or equal to 1"),
        (["--log-level", "loud"], "--log-level: Input should be 'debug', 'info'"),
        (
            ["--pins", "ner"],
            "--pins: Value error, Input should be names and versions, such as ner=2",
        ),
        (["--pins", "ner=0"], "--pins: Input should be greater than or equal to 1"),
        (["--admin", "8001"], "--admin: Value error, Input should be a host and a port, such as"),
        (["--admin", "here:80000"], "--admin: Value error, Input should be a host and a port"),
        (
            ["--cors-origins", "https://a.example/page"],
            "--cors-origins: Value error, Input should be origins without",
        ),
        (
            ["--cors-origins", "a.example"],
            "--cors-origins: Value error, Input should be origins without",
        ),
        (
            ["--root-path", "/nlp/"],
            "--root-path: Value error, Input should be a path without a final slash",
        ),
        (["--grpc", "8002"], "--grpc: Value error, Input should be a host and a port, such as"),
        (["--keys", "nowhere"], "--keys: Value error, [Errno 2] No such file"),
        (["--models", "nowhere"], "--models: Path does not point to a directory, not 'nowhere'"),
        (["--prot", "1"], "unrecognized arguments: --prot 1"),
    ],
)
def test_a_wrong_flag_ends_with_one_line_that_says_what_is_right(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says in refused(arguments, capsys)


def test_a_wrong_variable_is_named_as_the_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEXTLOOM_TIMEOUT_MS", "soon")
    assert "TEXTLOOM_TIMEOUT_MS: Input should be a valid integer" in refused([], capsys)


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, float("inf")),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, float("inf")),
        ({}, float("inf")),
    ],
)
def test_a_containers_quota_is_read_from_either_version_of_control_groups(
    files: dict[str, str], expected: float, tmp_path: Path
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert settings._quota(tmp_path) == expected


def test_cores_are_those_of_the_affinity_within_the_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3})
    for quota, expected in ((float("inf"), 4), (1.5, 2), (0.5, 1), (8.0, 4)):
        monkeypatch.setattr(settings, "_quota", lambda quota=quota: quota)
        assert cores() == expected
