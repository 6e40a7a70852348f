"""The commands of the tasks: which there are, and their options, from the schema of each task's request.

It is in the task's TaskSpec, or with `--url` in what the server says of itself. Leaves out options that belong to
no task (commands.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from textloom.cli.errors import Stop
from textloom.client import Client
from textloom.errors import LoadError, TextLoomError

FLAGS = {("translate", "source"): "--from", ("translate", "target"): "--to"}
"""Fields whose option has a shorter name."""
DEFAULTS = {("translate", "source"): "auto"}
"""Of fields that a request must have and a command need not."""
COMMON = {"text", "inputs", "model"}
"""Fields that are no option of one task."""
PREFIX = "option_"
"""Before the names of a task's options among all that were given."""


class Listed(click.ParamType[list[str]]):
    """`PER,LOC` as a list."""

    name = "list"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[str]:
        return str(value).split(",")


@dataclass(frozen=True)
class TaskCommand:
    """What a task says of itself."""

    name: str
    summary: str
    schema: Mapping[str, Any]
    """Of its request, as JSON Schema."""

    def options(self, taken: Iterable[click.Parameter]) -> list[click.Option]:
        """The options that the task has beside those of every task, `taken`."""
        flags = {flag for parameter in taken for flag in parameter.opts}
        return [
            self._option(name, field, flags)
            for name, field in self.schema.get("properties", {}).items()
            if name not in COMMON
        ]

    def _option(self, name: str, field: Mapping[str, Any], taken: set[str]) -> click.Option:
        flag = FLAGS.get((self.name, name), f"--{name.replace('_', '-')}")
        if flag in taken:
            flag = f"--{self.name}-{flag[2:]}"
        kinds = [kind for kind in field.get("anyOf", [field]) if kind.get("type") != "null"]
        about = str(field.get("description", ""))
        names = [flag, PREFIX + name]
        if kinds[0].get("type") == "boolean":
            return click.Option(names, is_flag=True, help=about)
        if kinds[0].get("type") == "array":
            about += " Separate several by commas."
        # a default of None would count as one
        given: dict[str, Any] = {}
        if (self.name, name) in DEFAULTS:
            given["default"] = DEFAULTS[self.name, name]
        return click.Option(
            names,
            required=not given and name in self.schema.get("required", ()),
            type=_type(kinds[0]),
            metavar=None if "enum" in kinds[0] else flag[2:].upper().replace("-", "_"),
            help=about,
            **given,
        )


KNOWN = {
    name: TaskCommand(name, summary, {})
    for name, summary in (
        ("ner", "find names"),
        ("sentiment", "judge sentiment"),
        ("translate", "translate"),
    )
}
"""What is always there, for help where neither a server nor the models are."""


def task_commands(url: str | None) -> dict[str, TaskCommand]:
    """The tasks of a server, or those that run here. Raises Stop, LoadError."""
    return _served(url) if url else _found()


def chosen(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a request, but for its text, that were given."""
    fields = {
        name.removeprefix(PREFIX): value
        for name, value in given.items()
        if name.startswith(PREFIX) and value is not None and value is not False
    }
    return fields | ({"model": given["model"]} if given["model"] else {})


def _found() -> dict[str, TaskCommand]:
    try:
        from service.tasks import specs

        found = specs().values()
    except ModuleNotFoundError as error:
        raise LoadError(
            f"without --url, this needs {error.name}: install textloom-service[cli]"
        ) from error
    return {
        spec.name: TaskCommand(spec.name, spec.summary, spec.request.model_json_schema())
        for spec in found
    }


def _served(url: str) -> dict[str, TaskCommand]:
    try:
        with Client(url, retries=1) as client:  # a wrong address shall not be tried for long
            document = client.description()
    except (TextLoomError, ValueError) as error:
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


def _type(kind: Mapping[str, Any]) -> click.ParamType[Any]:
    choices: Sequence[str] | None = kind.get("enum")
    if choices:
        return click.Choice(choices)
    match kind.get("type"):
        case "array":
            return Listed()
        case "integer":
            return click.INT
        case "number":
            return click.FLOAT
    return click.STRING
