"""The wheels, installed into environments that hold what they ask for, and nothing else."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import service
import textloom

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def built(project: Path, into: Path) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(into), str(project)]
    subprocess.run(command, check=True)
    (wheel,) = into.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the checkout, without what git ignores."""
    folder = tmp_path_factory.mktemp("code")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("textloom", "service", "training"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return built(folder, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def models_wheel(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make wheel` makes it, with the tiny models in the place of those that are shipped."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(ROOT / "wheels" / "models", folder / "wheels" / "models")
    (folder / "models").symlink_to(tiny_models)
    return built(folder / "wheels" / "models", tmp_path_factory.mktemp("models-wheel"))


def needed(requirements: list[str], extra: str = "") -> dict[str, Distribution]:
    """What these ask for, and what that asks for, as it is installed here."""
    found: dict[str, Distribution] = {}
    for line in requirements:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        if name == PROJECT["name"]:
            for each in requirement.extras:
                found |= needed(PROJECT["optional-dependencies"][each])
            continue
        found[name] = distribution(name)
        found = needed(found[name].requires or []) | found
    return found


def environment(folder: Path, distributions: dict[str, Distribution], *wheels: Path) -> Path:
    """An environment with links to these distributions; gives its folder of commands."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    for each in distributions.values():
        tops = {
            file.parts[0] for file in each.files or [] if file.parts[0] not in ("..", "__pycache__")
        }
        for top in tops:
            target = packages / top
            if not target.exists():
                target.symlink_to(Path(str(each.locate_file(top))))
    command = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"]
    command += ["--quiet", "--no-index", "--no-deps", *map(str, wheels)]
    subprocess.run(command, check=True)
    return folder / "bin"


@pytest.fixture(scope="module")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment into which the wheel was installed without an extra."""
    return environment(
        tmp_path_factory.mktemp("plain") / "venv", needed(PROJECT["dependencies"]), wheel
    )


def ran(command: list[object], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(each) for each in command], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )  # fmt: skip


def test_the_version_is_the_same_everywhere() -> None:
    models = tomllib.loads((ROOT / "wheels" / "models" / "pyproject.toml").read_text())
    assert textloom.__version__ == service.__version__ == PROJECT["version"]
    assert models["project"]["version"] == PROJECT["version"]
    assert (
        models["build-system"]
        == tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]
    )


def test_the_wheel_is_typed_and_holds_code_with_its_data(wheel: Path) -> None:
    assert wheel.name.startswith("textloom_service-")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "textloom/py.typed",
        "textloom/cli/documents/po.py",
        "service/playground/page.html",
        "training/recipes/ner.toml",
    } <= names
    assert {name.split("/")[0].partition("-")[0] for name in names} == {
        "textloom", "service", "training", "textloom_service",
    }  # fmt: skip


def test_a_plain_install_has_client_and_command_line(
    plain: Path, tmp_path: Path, tiny_client: httpx.Client
) -> None:
    url = str(tiny_client.base_url)
    assert ran([plain / "textloom", "--version"], tmp_path).stdout == (
        f"textloom, version {textloom.__version__}\n"
    )
    shown = ran([plain / "textloom"], tmp_path)
    assert shown.returncode == 0
    assert "translate" in shown.stdout
    (tmp_path / "lines.txt").write_text("Ada Lovelace\n")
    asked = ran([plain / "textloom", "ner", "lines.txt", "--redact"], tmp_path, TEXTLOOM_URL=url)
    assert asked.stdout == "[PER]\n", asked.stderr
    asked = ran([plain / "textloom", "models", "--url", url], tmp_path)
    assert asked.stdout.splitlines()[1].split()[:3] == ["ner", "ner", "1"]
    code = f"import textloom; print(textloom.Client({url!r}).ner('London').entities[0].label)"
    assert ran([plain / "python", "-c", code], tmp_path).stdout == "LOC\n"


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (["textloom", "ner", "London is big"], "cli"),
        (["textloom", "models"], "local"),
        (["textloom", "serve"], "server"),
        (["textloom", "evaluate"], "train"),
        (["python", "-c", "import textloom; textloom.load('ner')"], "local"),
    ],
)
def test_a_plain_install_says_what_else_is_needed(
    plain: Path, tmp_path: Path, command: list[str], extra: str
) -> None:
    done = ran([plain / command[0], *command[1:]], tmp_path, TEXTLOOM_MODELS=str(tmp_path))
    assert done.returncode == 1
    assert f"install textloom-service[{extra}]" in done.stderr


def test_with_the_models_wheel_models_run_in_process(
    wheel: Path, models_wheel: Path, tmp_path: Path
) -> None:
    requirements = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["cli"]
    commands = environment(tmp_path / "venv", needed(requirements), wheel, models_wheel)
    code = "import textloom; print(textloom.load('ner')('London').entities[0].label)"
    loaded = ran([commands / "python", "-W", "error", "-c", code], tmp_path)
    assert loaded.stdout == "LOC\n", loaded.stderr
    listed = ran([commands / "textloom", "models"], tmp_path).stdout
    assert len(listed.splitlines()) == 5
    (tmp_path / "a.md").write_text("# table\n")
    done = ran([commands / "textloom", "translate", "a.md", "--from", "en", "--to", "fr"], tmp_path)
    assert done.stdout == "# TABLE\n", done.stderr


def test_a_server_starts_from_the_wheels(wheel: Path, models_wheel: Path, tmp_path: Path) -> None:
    requirements = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["server"]
    commands = environment(tmp_path / "venv", needed(requirements), wheel, models_wheel)
    shown = ran([commands / "textloom", "serve", "--help"], tmp_path).stdout
    assert "usage: textloom serve" in shown
    assert "python -m service" not in shown
    code = "from service.app import create_app; from service.settings import Settings; import textloom.repository"
    code += "; print([*create_app(Settings(models=textloom.repository.find())).registry.entries])"
    assert "'translate-fr-en'" in ran([commands / "python", "-c", code], tmp_path).stdout


def test_what_the_extras_ask_for_is_what_is_tested() -> None:
    pins = {}
    for file in (ROOT / "requirements").glob("*.txt"):
        for name, version in re.findall(
            r"^([\w.-]+)(?:\[\w+\])?==([\w.!]+)", file.read_text(), re.MULTILINE
        ):
            pins[canonicalize_name(name)] = version
    extras = PROJECT["optional-dependencies"]
    for line in [*PROJECT["dependencies"], *(line for lines in extras.values() for line in lines)]:
        requirement = Requirement(line)
        if requirement.name == PROJECT["name"]:
            assert requirement.extras <= extras.keys()
        else:
            assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), line
