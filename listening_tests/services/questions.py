"""What a test asks: ready-made questions, and the words on a scale."""

from collections.abc import Iterable, Sequence

from django.db import transaction

from listening_tests.models import ListeningTest, Question, ScaleLabel
from listening_tests.standard_questions import USUAL_QUESTION, StandardQuestion


def question_from(*, test: ListeningTest, standard: StandardQuestion) -> Question:
    """A ready-made question of the test, worded for its kind, not yet saved and without the words in between."""
    return Question(
        test=test,
        name=standard.name,
        prompt=standard.prompt_for(test.kind),
        scale_min=standard.scale_min,
        scale_max=standard.scale_max,
        scale_step=standard.scale_step,
        min_label=standard.min_label,
        max_label=standard.max_label,
    )


@transaction.atomic
def questions_create(
    *, test: ListeningTest, standards: Sequence[StandardQuestion] = (USUAL_QUESTION,)
) -> list[Question]:
    """Asks ready-made questions in a test, in this order."""
    made = []
    for standard in standards:
        question = question_from(test=test, standard=standard)
        question.save()
        scale_labels_set(question=question, labels=standard.labels)
        made.append(question)
    return made


@transaction.atomic
def scale_labels_set(*, question: Question, labels: Iterable[tuple[float, str]]) -> None:
    """Puts these words, by value, on the scale in place of those that are there."""
    question.labels.all().delete()
    ScaleLabel.objects.bulk_create([ScaleLabel(question=question, value=value, text=text) for value, text in labels])
