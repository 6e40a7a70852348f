"""Named entities: requests and results (messages.py), the task (task.py), how a text is read (reading.py), and the
decoding of the CRF (crf.py).

Here belongs what only this task needs. Leaves out how it is trained (training/) and served (scheduling/, http/).
"""

import json
from pathlib import Path

from service.tasks.base import TaskSpec
from service.tasks.ner.messages import NerRequest, NerResult, check_labels
from service.tasks.ner.task import Ner

SPEC = TaskSpec(
    name="ner",
    summary="find names",
    description="Find names: people, places, organisations and what else the model knows.",
    about="Finds names in text: a bidirectional recurrent tagger with character features and a CRF.",
    request=NerRequest,
    result=NerResult,
    load=Ner,
    check=check_labels,
    examples={
        "one text": {"text": "Ada Lovelace lived in London."},
        "many texts, some labels": {
            "text": [
                "Ada Lovelace wrote to Charles Babbage.",
                "Angela Merkel met Emmanuel Macron in Berlin.",
            ],
            "labels": ["PER"],
            "min_score": 0.5,
            "offsets": "utf16",
        },
    },
    example_answer=json.loads(Path(__file__).with_name("example_answer.json").read_text("utf-8")),
)
