"""The sound of a clip as raters hear it, and a picture of it, for staff who see a test that it is in."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from listening_tests.audio.waveform import waveform_svg
from listening_tests.byte_ranges import audio_response
from listening_tests.clip_lists import visible_clip
from listening_tests.models import Clip
from webapp.dashboard.access import staff_only

# The file of a rendition never changes.
_KEPT = "private, max-age=86400"


@require_safe
@staff_only
def audio(request: HttpRequest, uuid: UUID) -> HttpResponseBase:
    """The clip's loudness-normalised file, whole or a range of it: of a clip in a test of the account's."""
    rendition = _clip_or_404(request, uuid).rendition
    return audio_response(request, rendition, etag=f'"{uuid.hex}"', cache_control="private, max-age=3600, no-transform")


@require_safe
@staff_only
def waveform(request: HttpRequest, uuid: UUID) -> HttpResponseBase:
    """The clip's waveform as an SVG picture, drawn from what raters hear when it is asked for, and kept by browsers."""
    rendition = _clip_or_404(request, uuid).rendition
    if not rendition:
        raise Http404
    kept = {"ETag": f'"{uuid.hex}-waveform"', "Cache-Control": _KEPT}
    known = get_conditional_response(request, etag=kept["ETag"])
    if known is not None:
        return known
    try:
        with rendition.open() as file:
            picture = waveform_svg(file.read())
    except (OSError, ValueError) as error:
        raise Http404 from error
    return HttpResponse(picture, content_type="image/svg+xml", headers=kept)


def _clip_or_404(request: HttpRequest, uuid: UUID) -> Clip:
    try:
        return visible_clip(user=request.user, uuid=uuid)
    except Clip.DoesNotExist as error:
        raise Http404 from error
