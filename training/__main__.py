"""`python -m training COMMAND ...`: see `python -m training --help`."""

import os
import sys
from importlib import import_module

from training import tasks
from training.errors import TrainingError

COMMANDS = {
    "vectors": "learn word vectors from plain text",
    "language_model": "learn a language model for a tagger or classifier to start from",
    "silver": "label sentences of an encyclopedia, for a tagger to learn from",
    "compare": "train the three recurrent cells and compare them; draw the pictures of docs/understand",
    "evaluate": "score a bundle on a file",
    "behaviour": "score a bundle on small sets, one for each phenomenon",
    "republish": "publish a translator again without training, with current options and notes",
    "search": "show what a wider beam costs and gains a translator",
}


def main(argv: list[str], program: str = "python -m training") -> int:
    """Gives the exit status. program: how help calls what was called."""
    trained = tasks.packages()
    if not argv or argv[0] not in {*trained, *COMMANDS}:
        lines = {task: f"train a model. {tasks.about(task)}" for task in trained} | COMMANDS
        width = max(map(len, lines))
        print(f"usage: {program} COMMAND ...  (COMMAND --help lists its options)\n")
        print("\n".join(f"  {name:{width}}  {about}" for name, about in lines.items()))
        return 0 if argv[:1] in (["-h"], ["--help"]) else 2
    try:
        if "TORCHELASTIC_RUN_ID" in os.environ:  # PyTorch is not imported for less
            if argv[0] not in {*trained, "language_model"}:
                raise TrainingError("torchrun is for trainings; start this by `python -m training`")
            import_module("training.nn.distributed").join()
        if argv[0] == "evaluate":
            evaluate = import_module("training.commands.evaluate")
            evaluate.main(argv[1:], program=f"{program} evaluate")
        elif argv[0] in COMMANDS:
            import_module(f"training.commands.{argv[0]}").main(argv[1:])
        else:
            import_module("training.commands.train").main(argv[0], argv[1:])
    except TrainingError as error:
        print(f"{program} {argv[0]}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command continues from the last checkpoint", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
