"""Options of a training: from a recipe file (TOML), overridden on the command line.

Each task's `Config` is made of the parts below and an `Architecture` of its own. Every option is a field here or
there, so `--help`, the recipe and the manifest cannot differ.
"""

import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import tyro
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from tyro.constructors import PrimitiveConstructorSpec

from service.registry.bundle import Corpus
from training.errors import TrainingError


class Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _pairs(words: list[str]) -> dict[str, str]:
    if len(words) % 2:
        raise ValueError("give names and values by turns")
    return dict(zip(words[::2], words[1::2], strict=True))


Pairs = Annotated[
    dict[str, str],
    # by default tyro makes an option of each key that the recipe holds
    PrimitiveConstructorSpec(
        nargs="*",
        metavar="[NAME VALUE ...]",
        instance_from_str=_pairs,
        is_instance=lambda value: isinstance(value, dict),
        str_from_instance=lambda pairs: [word for pair in pairs.items() for word in pair],
    ),
]


class Files(Options):
    train: tuple[str, ...] = ()
    """Files to train on: PATH, PATH#5000 (so many examples of it) or PATH#2x (read twice); .xz too."""
    dev: Annotated[
        tuple[str, ...], BeforeValidator(lambda dev: (dev,) if isinstance(dev, str) else dev)
    ] = ()
    """Files that choose the best weights; a recipe may name a single one without a list."""
    test: tuple[str, ...] = ()
    """Files to score the finished bundle on."""
    data: Path | None = None
    """Folder in which relative file names are looked up, after the current one."""
    labels: Pairs = {}
    """Renames labels, as `person PER`; renamed to "" one is dropped."""
    licences: Pairs = {}
    """Licence of each corpus, by a part of its path; written into the manifest."""
    out: Path = Path("models/unnamed")
    """REPOSITORY/NAME of the bundle; the next free version is published there."""
    runs: Path = Path("runs")
    """Folder for checkpoints and logs of trainings under way."""


class Fit(Options):
    epochs: int = Field(default=10, ge=1)
    """Most passes over the training files."""
    batch_tokens: int = Field(default=2048, ge=1)
    """Padded tokens in a step."""
    optimizer: Literal["adamw", "muon"] = "adamw"
    """muon: orthogonalised momentum for matrices (Jordan et al. 2024), AdamW for everything else."""
    learning_rate: float = 2e-3
    """Highest rate."""
    schedule: Literal["cosine", "constant", "decay"] = "cosine"
    """After its rise the rate falls to zero in a half cosine, stays, or falls to zero in a line."""
    warmup: float = 0.05
    """Share of all steps in which the learning rate rises."""
    warmup_steps: int = Field(default=0, ge=0)
    """Steps in which the learning rate rises, in place of a share of them."""
    weight_decay: float = 0.01
    """Decoupled weight decay of AdamW."""
    clip: float = 1.0
    """Largest norm of the gradient of a step."""
    average: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Decay per step of a running mean of the weights, which is then what is validated and kept; 0: none."""
    validations: int = Field(default=1, ge=1)
    """Validations in an epoch."""
    patience: int = 5
    """Stops after so many validations in a row without a better score."""
    seed: int = 1
    """The same seed, files and machine give the same bundle."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto: CUDA in bf16 where there is one, else the CPU."""
    bfloat16: bool = False
    """Multiply in bfloat16 on a CPU that has instructions for it, as it is always done with CUDA."""
    threads: int = 0
    """CPU threads of PyTorch; 0 leaves its own choice."""
    checkpoint_seconds: float = 60.0
    """Time between checkpoints, beside the one at every validation."""


AFTERWARDS = {"precision", "notes", "behaviour", "length_penalties"}
"""Options that affect the bundle, but not the training before it."""

Precision = Literal["float32", "int8"]
"""Of the products in a graph; int8 is made in a form in which an answer depends on no neighbour."""

Config = TypeVar("Config", bound=Options)


def parse(config: type[Config], argv: Sequence[str], command: str, description: str) -> Config:
    """The options in `argv`; `--recipe FILE` gives the defaults. Raises TrainingError for a bad recipe.

    `--help`, or an option that does not parse, ends the program as usual for a command line.
    """
    arguments = list(argv)
    default = config()
    if "--recipe" in arguments:
        at = arguments.index("--recipe")
        if at + 1 == len(arguments):
            raise TrainingError("--recipe needs a file")
        default = read_recipe(config, Path(arguments[at + 1]))
        del arguments[at : at + 2]
    return tyro.cli(
        config,
        args=arguments,
        default=default,
        prog=f"python -m training {command}",
        description=description + "\n\n--recipe FILE.toml gives the defaults of all options below.",
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagConversionOff),
    )


def read_recipe(config: type[Config], path: Path) -> Config:
    """A recipe file as options. Raises TrainingError that names the wrong key."""
    try:
        return config.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise TrainingError(f"{path}: cannot read this recipe: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TrainingError(f"{path}: {where}: {first['msg']}") from error


def run_folder(files: Files, config: Options, corpora: Sequence[Corpus]) -> Path:
    return training_folder(
        files.runs, files.out.name, config, [corpus.sha256 for corpus in corpora]
    )


def training_folder(runs: Path, name: str, config: Options, digests: Sequence[str]) -> Path:
    """Where a training keeps its checkpoint and log; other options or other data get another folder."""
    parts = [config.model_dump_json(exclude=AFTERWARDS), *digests]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]
    return runs / f"{name}-{digest}"
