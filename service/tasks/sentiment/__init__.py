"""Sentiment, and whatever else a text is sorted by (task.py), with its requests and results (messages.py).

Here belongs what only this task needs. Leaves out how it is trained (training/) and served (scheduling/, http/).
"""

import json
from pathlib import Path

from service.tasks.base import TaskSpec
from service.tasks.sentiment.messages import SentimentRequest, SentimentResult
from service.tasks.sentiment.task import Sentiment

SPEC = TaskSpec(
    name="sentiment",
    summary="judge whether texts are negative, neutral or positive",
    description="Judge whether a text, and optionally each of its sentences, is negative, neutral or positive.\n\n"
    "A model with other labels classifies texts by those.",
    about="Judges the sentiment of a text: a recurrent classifier with pooling over time.",
    request=SentimentRequest,
    result=SentimentResult,
    load=Sentiment,
    examples={
        "one text": {"text": "I love this place, the staff is wonderful!"},
        "by sentence": {"text": "The food was great. The service was awful.", "sentences": True},
    },
    example_answer=json.loads(Path(__file__).with_name("example_answer.json").read_text("utf-8")),
)
