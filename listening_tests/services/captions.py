"""Captions: texts kept letter by letter, once for each language."""

from listening_tests.models import Caption
from listening_tests.services.batches import BATCH, batches


def captions_store(*, keys: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The ids of captions by (text, language), those made that were not there."""
    captions = [Caption(text=text, language=language, text_sha256=Caption.digest(text)) for text, language in keys]
    captions.sort(key=lambda caption: (caption.text_sha256, caption.language))
    Caption.objects.bulk_create(captions, batch_size=BATCH, ignore_conflicts=True)
    ids: dict[tuple[str, str], int] = {}
    for batch in batches([caption.text_sha256 for caption in captions]):
        found = Caption.objects.filter(text_sha256__in=batch).values_list("pk", "text", "language")
        ids |= {(text, language): pk for pk, text, language in found}
    return ids
