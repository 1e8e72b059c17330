"""The sound of a clip as raters hear it, for staff."""

from pathlib import PurePath
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from listening_tests.byte_ranges import AUDIO_TYPES, file_response
from listening_tests.models import Clip
from webapp.dashboard.access import staff_only


@require_safe
@staff_only
def audio(request: HttpRequest, uuid: UUID) -> HttpResponseBase:
    """The clip's loudness-normalised file, whole or a range of it."""
    rendition = get_object_or_404(Clip, uuid=uuid).rendition
    if not rendition:
        raise Http404("This clip came in without its sound.")
    try:
        file = rendition.open("rb")
    except FileNotFoundError as error:
        raise Http404("The clip's file is missing.") from error
    return file_response(
        request,
        file,
        content_type=AUDIO_TYPES.get(PurePath(rendition.name or "").suffix, "application/octet-stream"),
        etag=f'"{uuid.hex}"',
        cache_control="private, max-age=3600, no-transform",
    )
