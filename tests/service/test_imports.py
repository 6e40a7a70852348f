"""Which package may import which."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "service").rglob("*.py")
)

PACKAGES = {name for name in MODULES if ROOT.joinpath(*name.split(".")).is_dir()}

BLOCKED = """
import importlib, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "training", "onnx", "gensim", "sklearn", "fastapi", "starlette"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocker())
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def tree(module: str) -> ast.Module:
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def imported(module: str) -> set[str]:
    """The modules of ours that a module names in its imports."""
    names: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            # of a package that is named for its modules, nothing else is needed
            names |= parts if parts <= set(MODULES) else {node.module, *parts}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def guarded(module: str) -> list[int]:
    """The lines of a module's guards `if TYPE_CHECKING`."""
    return [
        node.lineno
        for node in ast.walk(tree(module))
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """A way through the graph that comes back to where it began, [] if there is none.

    >>> cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}})
    ['b', 'c', 'b']
    """
    done: set[str] = set()

    def search(path: list[str]) -> list[str]:
        for following in sorted(graph[path[-1]] - done):
            if following in path:
                return [*path[path.index(following) :], following]
            if found := search([*path, following]):
                return found
        done.add(path[-1])
        return []

    return next((found for start in sorted(graph) if (found := search([start]))), [])


def test_no_module_of_the_service_imports_itself_by_way_of_others() -> None:
    """Imports inside functions count; that a package's __init__.py runs before its modules does not."""
    graph = {module: (imported(module) & set(MODULES)) - {module} for module in MODULES}
    assert graph["service.http.handler"]
    assert cycle(graph) == []
    assert cycle(graph | {"service.errors": {"service.http.handler"}}) != []


@pytest.mark.parametrize("module", MODULES)
def test_no_import_is_hidden_from_the_interpreter(module: str) -> None:
    assert not guarded(module)


@pytest.mark.parametrize("module", MODULES)
def test_only_http_knows_the_server(module: str) -> None:
    roots = {name.partition(".")[0] for name in imported(module)}
    if roots & {"uvicorn", "httptools"}:
        assert module.split(".")[1] == "http"


def test_no_module_needs_the_fast_adapter_and_no_other_one_knows_what_it_stands_on() -> None:
    """The server looks whether it is there."""
    assert not [name for name in MODULES if "service.http.protocol" in imported(name)]
    knowing = {name for name in MODULES if {"httptools", "uvicorn.server"} & imported(name)}
    assert knowing == {"service.http.protocol"}


def test_every_module_of_the_service_imports_without_torch_training_and_a_web_framework() -> None:
    subprocess.run([sys.executable, "-c", BLOCKED, *MODULES], cwd=ROOT, check=True)


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("service.tasks.")])
def test_a_task_knows_neither_http_nor_the_batcher_nor_another_task(module: str) -> None:
    names = imported(module)
    assert not {name for name in names if name.startswith(("fastapi", "starlette", "asyncio"))}
    own = ".".join(module.split(".")[:3])
    shared = {f"service.tasks.{name}" for name in ("base", "graph_check", "session", "text")}
    allowed = {"service.registry.bundle", "service.errors", "service.scheduling.batch", *shared}
    ours = {name for name in names if name in MODULES} - PACKAGES
    assert {name for name in ours if not name.startswith(f"{own}.")} <= allowed


@pytest.mark.parametrize("module", [name for name in MODULES if "scheduling." in name])
def test_scheduling_knows_the_standard_library_errors_and_metrics_only(module: str) -> None:
    names = imported(module)
    ours = {name for name in names if name in MODULES} - PACKAGES
    others = {name for name in ours if not name.startswith("service.scheduling.")}
    assert others <= {"service.errors", "service.telemetry.metrics"}
    roots = {name.partition(".")[0] for name in names}
    assert roots <= sys.stdlib_module_names | {"service"}


def test_documents_are_read_without_the_rest_of_the_service() -> None:
    """The command line reads them where nothing of the service is installed."""
    roots = {name.partition(".")[0] for name in imported("service.documents")}
    assert roots - sys.stdlib_module_names == {"markdown_it"}


def test_only_the_session_knows_onnx_runtime() -> None:
    assert [module for module in MODULES if "onnxruntime" in imported(module)] == [
        "service.tasks.session"
    ]


def test_onnx_runtime_reports_to_nobody(tmp_path: Path) -> None:
    """It would keep a device id and a queue of events in the home folder as soon as it is imported."""
    home = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command = [sys.executable, "-c", "import service.tasks.session"]
    subprocess.run(command, cwd=ROOT, env=home, check=True)
    assert not list(tmp_path.iterdir())
