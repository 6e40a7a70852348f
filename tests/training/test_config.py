"""Options: each says what it does, and the shipped recipes are ones."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from training.commands import language_model, silver, train, vectors
from training.config import Options, parse, read_recipe
from training.tasks import packages, part

OTHERS: dict[str, Any] = {
    "language_model": language_model,
    "silver": silver,
    "vectors": vectors,
}
RECIPES = Path(__file__).parents[2] / "training" / "recipes"
COMMANDS: dict[str, tuple[type[Any], Callable[[list[str]], object]]] = {
    **{name: (command.Config, command.main) for name, command in OTHERS.items()},
    **{task: (part(task, "config").Config, partial(train.main, task)) for task in packages()},
}
# recipes of benchmarks and trials, whose weights are not shipped, and what trains them
BENCHMARKS = {
    "imdb": "sentiment",
    "multi30k": "translate",
    "ner-conll2003": "ner",
    "ner-names": "ner",
    "semeval": "sentiment",
    "sst2": "sentiment",
}


def task_of(recipe: Path) -> str:
    if recipe.stem.startswith("language-model"):
        return "language_model"
    return BENCHMARKS.get(recipe.stem) or recipe.stem.partition("-")[0]


def options_of(config: type[Options]) -> dict[str, str | None]:
    """Every option of a config and of its parts, with what it says."""
    found: dict[str, str | None] = {}
    for name, field in config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Options):
            found |= options_of(field.annotation)
        else:
            found[name] = field.description
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_what_it_does(command: str) -> None:
    config = COMMANDS[command][0]
    assert [name for name, about in options_of(config).items() if not about] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_option(command: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        COMMANDS[command][1](["--help"])
    shown = capsys.readouterr().out
    assert f"python -m training {command}" in shown
    assert "--recipe FILE.toml" in shown
    flags = [f"--{name.replace('_', '-')}" for name in options_of(COMMANDS[command][0])]
    assert [flag for flag in flags if flag not in shown] == []


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_a_shipped_recipe_is_read_by_its_task(path: Path) -> None:
    config = COMMANDS[task_of(path)][0]
    assert read_recipe(config, path) != config()


def test_there_is_a_recipe_for_every_shipped_bundle() -> None:
    bundles = {path.name for path in (RECIPES.parents[1] / "models").iterdir()}
    shipped = {path.stem for path in RECIPES.glob("*.toml")} - BENCHMARKS.keys()
    first = ("vectors", "language-model", "silver")
    assert bundles == {name for name in shipped if not name.startswith(first)}


def test_labels_on_the_command_line_replace_those_of_the_recipe(tmp_path: Path) -> None:
    config_of_ner = COMMANDS["ner"][0]
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('files.labels = { train = "T", person = "PER" }\n')
    config = parse(config_of_ner, ["--recipe", str(recipe)], "ner", "")
    assert config.files.labels == {"train": "T", "person": "PER"}
    config = parse(
        config_of_ner, ["--recipe", str(recipe), "--labels", "loc", "LOC", "misc", ""], "ner", ""
    )
    assert config.files.labels == {"loc": "LOC", "misc": ""}
    with pytest.raises(SystemExit):
        parse(config_of_ner, ["--labels", "loc"], "ner", "")
