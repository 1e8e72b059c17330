"""The sound of a clip as raters hear it, for staff."""

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from listening_tests.byte_ranges import audio_response
from listening_tests.models import Clip
from webapp.dashboard.access import staff_only


@require_safe
@staff_only
def audio(request: HttpRequest, uuid: UUID) -> HttpResponseBase:
    """The clip's loudness-normalised file, whole or a range of it."""
    rendition = get_object_or_404(Clip, uuid=uuid).rendition
    return audio_response(request, rendition, etag=f'"{uuid.hex}"', cache_control="private, max-age=3600, no-transform")
