"""The words on a scale as staff write them: one a line, a value and its word, such as `3 = Fair`."""

import math
from collections.abc import Iterable

from listening_tests.models import Question

MOST_LABELS = 21
LONGEST_LABEL = 80


def labels_written(labels: Iterable[tuple[float, str]]) -> list[str]:
    return [f"{value:g} = {text}" for value, text in labels]


def labels_read(text: str) -> tuple[list[tuple[float, str]], list[str]]:
    """The labels by ascending value, and a sentence for all that is wrong with them."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    labels: dict[float, str] = {}
    faults: list[str] = []
    for line in lines:
        value, word = _read_line(line)
        if value is None or not word:
            faults.append(f"The line “{line}” is no label. Write a value and its word, such as 3 = Fair.")
        elif len(word) > LONGEST_LABEL:
            faults.append(f"The label of {value:g} has {len(word)} characters; the limit is {LONGEST_LABEL}.")
        elif value in labels:
            faults.append(f"{value:g} has two labels. Keep one of them.")
        else:
            labels[value] = word
    if len(lines) > MOST_LABELS:
        faults.append(f"A scale has at most {MOST_LABELS} labels in between. Leave some out.")
    return sorted(labels.items()), faults


def off_scale_sentence(scale: Question, value: float) -> str:
    """That a label stands at no value of the scale."""
    ends = f"from {scale.scale_min:g} to {scale.scale_max:g}"
    steps = "" if scale.is_continuous else f" in steps of {scale.scale_step:g}"
    return f"The label at {value:g} is not on the scale {ends}{steps}."


def _read_line(line: str) -> tuple[float | None, str]:
    number, _, word = line.partition("=")
    try:
        value = float(number)
    except ValueError:
        return None, ""
    return (value if math.isfinite(value) else None), word.strip()
