"""Writes 300 sentences with codes, for a tagger of your own: diagnoses as ICD-10 has them, and invoice numbers.

`python docs/examples/codes.py FOLDER` writes train.conll (240), dev.conll and test.conll (30 each). What merely
looks like a code stands in them too, unlabelled: dates, telephone numbers, rooms, amounts.
"""

import random
import sys
from collections.abc import Callable
from pathlib import Path

SENTENCES = """
The patient was admitted with {ICD} and discharged on {date} .
Diagnosis : {ICD} , {ICD} .
Please code this visit as {ICD} , not {ICD} .
{ICD} was confirmed by Dr. {name} in room {room} .
History of {ICD} since {year} , no sign of {ICD} .
Dr. {name} saw her on {date} ; call {phone} for the results .
Secondary diagnosis {ICD} ( see the report of {date} ) .
Invoice {INVOICE} over {amount} is due on {date} .
We have not received {INVOICE} yet .
Please pay {amount} by {date} and quote {INVOICE} .
{INVOICE} replaces {INVOICE} of {date} .
The invoice for {ICD} is {INVOICE} , {amount} in all .
Mrs. {name} asked about invoice no. {INVOICE} by telephone ( {phone} ) .
Room {room} is free from {date} .
Your appointment with Dr. {name} is in room {room} .
{amount} was refunded to Mr. {name} in {year} .
"""
NAMES = ["Okafor", "Lindqvist", "Moreau", "Tanaka", "Alvarez", "Novak", "Haddad", "Brandt", "Kaya"]


def digits(count: int) -> str:
    return "".join(random.choices("0123456789", k=count))


def diagnosis() -> str:
    """`J45`, `M54.5` or `S52.501A`."""
    code = random.choice("ABCDEFGHIJKLMNOPQRSTVZ") + digits(2)
    if random.random() < 0.8:
        code += "." + digits(random.randint(1, 3))
    return code + random.choice("ADS") if len(code) == 7 and code[0] in "ST" else code


def invoice() -> str:
    """`INV-2025-00417`, `RE-4711/25` or `F20250417`."""
    year = random.randint(2018, 2026)
    return random.choice(
        [f"INV-{year}-{digits(5)}", f"RE-{digits(4)}/{year % 100}", f"F{year}{digits(4)}"]
    )


MAKE: dict[str, Callable[[], str]] = {
    "ICD": diagnosis,
    "INVOICE": invoice,
    "date": lambda: f"{random.randint(1, 28)} May {random.randint(2018, 2026)}",
    "year": lambda: str(random.randint(1990, 2026)),
    "phone": lambda: f"0{digits(2)} {digits(7)}",
    "room": lambda: random.choice("ABC") + digits(random.randint(2, 3)),
    "amount": lambda: f"{random.randint(5, 9_000):,}.{digits(2)} EUR",
    "name": lambda: random.choice(NAMES),
}


def sentence() -> str:
    """One in two columns: a word, a tab and its tag on each line, and a blank line."""
    lines = []
    for part in random.choice(SENTENCES.strip().splitlines()).split():
        kind = part.strip("{}")
        words = MAKE[kind]().split() if part.startswith("{") else [part]
        tag = f"B-{kind}" if kind.isupper() and part.startswith("{") else "O"
        lines += [f"{word}\t{tag}\n" for word in words]
    return "".join([*lines, "\n"])


def main(folder: Path) -> None:
    random.seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in (("train", 240), ("dev", 30), ("test", 30)):
        written = "".join(sentence() for _ in range(count))
        (folder / f"{split}.conll").write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
