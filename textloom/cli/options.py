"""The commands of the tasks: which there are, and their options, from the schema of each task's request.

It is in the task's TaskSpec, or with `--url` in what the server says of itself. Leaves out options that belong to
no task (__init__.py).
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textloom.cli.errors import Stop
from textloom.client import Client, TextLoomError

FLAGS = {("translate", "source"): "--from", ("translate", "target"): "--to"}
"""Fields whose option has a shorter name."""
DEFAULTS = {("translate", "source"): "auto"}
"""Of fields that a request must have and a command need not."""
COMMON = {"text", "inputs", "model"}
"""Fields that are no option of one task."""
PREFIX = "option_"
"""Before the names of a task's options among all that were given."""


@dataclass(frozen=True)
class TaskCommand:
    """What a task says of itself."""

    name: str
    summary: str
    schema: Mapping[str, Any]
    """Of its request, as JSON Schema."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options that the task has beside those of every task."""
        for name, field in self.schema["properties"].items():
            if name not in COMMON:
                self._add(parser, name, field)

    def _add(self, parser: argparse.ArgumentParser, name: str, field: Mapping[str, Any]) -> None:
        flag = FLAGS.get((self.name, name), f"--{name.replace('_', '-')}")
        if flag in parser._option_string_actions:
            flag = f"--{self.name}-{flag[2:]}"
        kinds = [kind for kind in field.get("anyOf", [field]) if kind.get("type") != "null"]
        kind, default = kinds[0], DEFAULTS.get((self.name, name))
        given: dict[str, Any] = {"dest": PREFIX + name, "default": default}
        given["help"] = str(field.get("description", "")).replace("%", "%%")
        if kind.get("type") == "boolean":
            parser.add_argument(flag, action="store_true", **given | {"default": None})
            return
        parser.add_argument(
            flag,
            required=default is None and name in self.schema.get("required", ()),
            type=_type(kind),
            choices=kind.get("enum"),
            metavar=None if "enum" in kind else flag[2:].upper().replace("-", "_"),
            **given,
        )


def task_commands(argv: Sequence[str]) -> dict[str, TaskCommand]:
    """The tasks that a command line may name: those of the server that it asks, or those that run here."""
    url = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    url.add_argument("--url")
    server = url.parse_known_args(list(argv))[0].url
    return _served(server) if server else _found()


def chosen(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of a request, but for its text, that the arguments say."""
    fields = {
        name.removeprefix(PREFIX): value
        for name, value in vars(arguments).items()
        if name.startswith(PREFIX) and value is not None
    }
    return fields | ({"model": arguments.model} if arguments.model else {})


def _found() -> dict[str, TaskCommand]:
    from service.tasks import specs

    return {
        spec.name: TaskCommand(spec.name, spec.summary, spec.request.model_json_schema())
        for spec in specs().values()
    }


def _served(url: str) -> dict[str, TaskCommand]:
    try:
        with Client(url, retries=1) as client:  # a wrong address shall not be tried for long
            document = client.description()
    except TextLoomError as error:
        raise Stop(str(error)) from error
    found = {}
    for path, methods in document["paths"].items():
        described = methods.get("post", {})
        if "tasks" in described.get("tags", ()):
            body = described["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            schema = document["components"]["schemas"][body.rpartition("/")[2]]
            name = path.strip("/")
            found[name] = TaskCommand(name, described["summary"].lower(), schema)
    return found


def _type(kind: Mapping[str, Any]) -> Callable[[str], Any]:
    match kind.get("type"):
        case "array":
            return _list
        case "integer":
            return int
        case "number":
            return float
    return str


def _list(given: str) -> list[str]:
    return given.split(",")
