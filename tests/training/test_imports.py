"""Who may import whom in `training/`: no cycle, and no package that knows what lies above it."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def module_name(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imports_of(folder: Path) -> dict[str, set[str]]:
    """Each module below `folder`, and the modules there that it imports, wherever the import stands."""
    paths = {module_name(path, folder.parent): path for path in folder.rglob("*.py")}
    graph: dict[str, set[str]] = {}
    for module, path in paths.items():
        names: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert not node.level, f"{path}: a relative import"
                names |= {str(node.module), *(f"{node.module}.{one.name}" for one in node.names)}
            elif isinstance(node, ast.Import):
                names |= {one.name for one in node.names}
        graph[module] = names & paths.keys()
    return graph


GRAPH = imports_of(ROOT / "training")
FILES_OF_A_TASK = ("config", "network", "train", "graph", "scores", "evaluate")


def test_no_import_leads_back_to_where_it_started() -> None:
    TopologicalSorter(GRAPH).prepare()


@pytest.mark.parametrize(
    "hidden",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pack.two import Two\n",
        "def late() -> None:\n    import pack.two\n",
    ],
)
def test_a_cycle_is_found_even_if_it_is_hidden(tmp_path: Path, hidden: str) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "one.py").write_text(hidden)
    (pack / "two.py").write_text("from pack import three\n")
    (pack / "three.py").write_text("import pack.one\n")
    with pytest.raises(CycleError):
        TopologicalSorter(imports_of(pack)).prepare()


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("nn", {"nn"}),
        ("data", {"data"}),
        ("evaluation", {"evaluation", "data"}),
        ("export", {"export", "evaluation", "data", "nn"}),
        ("pretraining", {"pretraining", "data", "nn"}),
        ("tasks", {"tasks", "pretraining", "export", "evaluation", "data", "nn"}),
        ("understand", {"understand", "tasks", "data", "nn"}),
        (
            "commands",
            {"understand", "tasks", "pretraining", "export", "evaluation", "data", "nn"},
        ),
    ],
)
def test_a_package_knows_only_packages_below_it(package: str, allowed: set[str]) -> None:
    modules = {module for module in GRAPH if module.startswith(f"training.{package}.")}
    assert modules
    packages = {name.split(".")[1] for module in modules for name in GRAPH[module]}
    assert packages <= allowed | {"config", "errors"}


@pytest.mark.parametrize("task", ["ner", "sentiment", "translate"])
def test_a_task_knows_no_other_task(task: str) -> None:
    modules = {module for module in GRAPH if module.startswith(f"training.tasks.{task}.")}
    tasks = {
        name.split(".")[2]
        for module in modules
        for name in GRAPH[module]
        if name.startswith("training.tasks.")
    }
    assert tasks == {task}
    assert {f"training.tasks.{task}.{name}" for name in FILES_OF_A_TASK} <= modules


def test_every_module_is_in_a_package_that_says_what_belongs_there() -> None:
    for path in sorted((ROOT / "training").rglob("*.py")):
        init = path.with_name("__init__.py")
        assert init.exists(), f"{path.parent} has no __init__.py"
        assert ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))), init
