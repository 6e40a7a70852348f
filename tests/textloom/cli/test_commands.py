"""The command itself: help, version, completion, variables, and what it hands on."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.shell_completion import BashComplete

import textloom
from textloom.cli import main
from textloom.cli.commands import COMPLETE, cli

from .conftest import Run

ROOT = Path(__file__).parents[3]


def test_a_bare_call_is_help(run: Run) -> None:
    assert run().out == run("--help").out
    for name in ("ner", "sentiment", "translate", "models", "serve", "evaluate", "completion"):
        assert f"\n  {name} " in run().out


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").out == f"textloom, version {textloom.__version__}\n"


def test_help_of_a_task_has_its_own_options(run: Run) -> None:
    shown = run("ner", "--help").out
    assert "--min-score" in shown
    assert "--shard" in shown
    assert "--to" in run("translate", "--help").out
    assert "--translate-format" in run("translate", "--help").out
    assert "--min-score" not in run("translate", "--help").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["translate", "the cat"], "Missing option '--to'"),
        (["ner", "a b", "--min-score", "x"], "'x' is not a valid float"),
        (["ner", "a b", "--nonsense"], "No such option"),
        (["nonsense"], "No such command 'nonsense'"),
        (["ner", "a b", "--format", "xml"], "is not one of"),
    ],
)
def test_a_wrong_command_is_explained(run: Run, arguments: list[str], said: str) -> None:
    done = run(*arguments, status=2)
    assert said in done.err
    assert done.err.startswith("Usage: textloom")


def test_variables_may_lie_in_a_file(
    run: Run, tmp_path: Path, tiny_client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ, "TEXTLOOM_MODELS": "nowhere"})
    (tmp_path / ".env").write_text(
        f"# for this folder\nTEXTLOOM_URL={tiny_client.base_url}\nOTHER=1\nTEXTLOOM_MODELS=no\n"
    )
    assert '"PER"' in run("ner", "Ada Lovelace", "--format", "jsonl").out
    assert os.environ["TEXTLOOM_MODELS"] == "nowhere"
    assert "OTHER" not in os.environ
    assert "no model" in run("ner", "Ada Lovelace", "--url", "", status=1).err


def test_a_folder_of_models_that_is_named_goes_before_a_server_that_is_not(
    run: Run, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTLOOM_URL", "http://127.0.0.1:9")
    assert "refused" in run("models", status=1).err
    assert "refused" in run("ner", "Ada Lovelace", status=1).err
    assert len(run("models", "--models", tiny_models).out.splitlines()) == 5
    assert "translate" in run("--help").out


def test_an_address_without_a_scheme_is_told(run: Run) -> None:
    for command in (["ner", "Ada Lovelace"], ["models"]):
        done = run(*command, "--url", "127.0.0.1:8000", status=1)
        assert "write it as http://127.0.0.1:8000" in done.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(run: Run, shell: str) -> None:
    assert "_TEXTLOOM_COMPLETE" in run("completion", shell).out


@pytest.mark.parametrize(
    ("words", "typed", "found"),
    [
        ([], "tr", ["translate"]),
        ([], "mo", ["models"]),
        (["ner"], "--min", ["--min-score"]),
        (["translate"], "--to", ["--to"]),
        (["ner", "--format"], "js", ["jsonl"]),
    ],
)
def test_what_is_typed_is_completed(
    run: Run, words: list[str], typed: str, found: list[str]
) -> None:
    shell = BashComplete(cli, {}, "textloom", COMPLETE)
    assert [each.value for each in shell.get_completions(words, typed)] == found


def test_completion_where_no_server_answers_knows_the_usual_tasks(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTLOOM_URL", "http://127.0.0.1:9")
    shell = BashComplete(cli, {}, "textloom", COMPLETE)
    assert [each.value for each in shell.get_completions([], "s")] == ["sentiment", "serve"]
    assert "--column" in [each.value for each in shell.get_completions(["ner"], "--c")]


def test_the_shell_gets_its_completions() -> None:
    asked = {COMPLETE: "bash_complete", "COMP_WORDS": "textloom completion z", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "textloom"],
        cwd=ROOT, env={**os.environ, **asked}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "plain,zsh\n", done.stderr


def test_serve_and_evaluate_show_help_under_their_own_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for command, shown in (
        (["serve", "--help"], "usage: textloom serve"),
        (["serve", "models", "--help"], "usage: textloom serve models"),
        (["serve", "keys", "--help"], "usage: textloom serve keys"),
        (["evaluate", "--help"], "usage: textloom evaluate"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 0
        out = capsys.readouterr().out
        assert shown in out
        assert "python -m" not in out


def test_models_are_one_a_line_also_on_a_narrow_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(run("models").out.splitlines()) == 5
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    lines = run("models").out.splitlines()
    assert len(lines) == 5
    assert max(map(len, lines)) == 40
    assert lines[1].endswith("…")


def test_without_ray_its_engine_says_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "textloom.cli.cluster", raising=False)
    said = run("ner", "texts.jsonl", "-o", "out", "--engine", "ray", status=1).err
    assert "this needs ray: install textloom-service[ray]" in said
