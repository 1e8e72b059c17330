"""A stored file over HTTP, whole or in part (RFC 9110, section 14): players seek by it, and Safari may refuse without.

One range a request; several are answered with the whole file, as the standard allows.
"""

import logging
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import cast

from django.core.files import File
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

logger = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024
_SINGLE_RANGE = re.compile(r"bytes=\s*(\d{0,100})-(\d{0,100})\s*", re.ASCII | re.IGNORECASE)


class RangeNotSatisfiable(Exception):
    """The range begins behind the end of the file."""


# By the ending of the file, whatever the machine thinks of it.
AUDIO_TYPES = {
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
}


class FileSlice:
    """Some bytes of an open file, in chunks. Closes the file when the response is closed.

    With `fileno` and `read` it is also a file that begins where it stands, which a server can let the system send.
    """

    def __init__(self, file: "File[bytes]", *, start: int, length: int) -> None:
        self._file = file
        self._left = length
        file.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(CHUNK_BYTES):
            yield chunk

    def read(self, size: int) -> bytes:
        chunk: bytes = self._file.read(min(size, self._left))
        self._left -= len(chunk)
        return chunk

    def fileno(self) -> int:
        number: int = self._file.fileno()
        return number

    def close(self) -> None:
        self._file.close()


def range_read(header: str, *, size: int) -> range | None:
    """The bytes that a Range header asks for, or None where it must be ignored: malformed, several, or another unit.

    Raises RangeNotSatisfiable where the file of `size` bytes has none of them.
    """
    match = _SINGLE_RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= stop:
        raise RangeNotSatisfiable
    return range(start, stop)


def audio_response(request: HttpRequest, stored: FieldFile, *, etag: str, cache_control: str) -> HttpResponseBase:
    """Answers GET or HEAD with the sound of a row.

    Raises Http404 where the row has none (ratings can be imported without audio), or where the file has gone, which is
    logged.
    """
    if not stored:
        raise Http404("There is no such sound.")
    try:
        file = stored.open("rb")
    except FileNotFoundError as error:
        row = stored.instance
        logger.error("The file %s of %s %s is missing.", stored.name, type(row).__name__, row.pk)
        raise Http404("The sound's file is missing.") from error
    content_type = AUDIO_TYPES.get(PurePath(stored.name or "").suffix, "application/octet-stream")
    return file_response(request, file, content_type=content_type, etag=etag, cache_control=cache_control)


def file_response(
    request: HttpRequest, file: "File[bytes]", *, content_type: str, etag: str, cache_control: str
) -> HttpResponseBase:
    """Answers GET or HEAD with `file`, which is streamed and closed; `etag` comes with its quotes.

    200, 206, 304 or 416, never compressed on its way.
    """
    response = _file_or_part(request, file, content_type=content_type, etag=etag)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = cache_control
    response.headers["ETag"] = etag
    conditional = get_conditional_response(request, etag=etag, response=cast(HttpResponse, response))
    if conditional is not response:
        response.close()
    return conditional or response


def _file_or_part(request: HttpRequest, file: "File[bytes]", *, content_type: str, etag: str) -> HttpResponseBase:
    size = file.size
    try:
        asked = _range_of(request, size=size, etag=etag)
    except RangeNotSatisfiable:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"}, content_type=content_type)
    part = asked or range(size)
    response = _body(request, file, part, content_type=content_type)
    response.headers["Content-Length"] = str(len(part))
    if asked is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {asked.start}-{asked.stop - 1}/{size}"
    return response


def _range_of(request: HttpRequest, *, size: int, etag: str) -> range | None:
    # A part is of use only to who holds the other parts of this very file.
    is_same_file = request.headers.get("If-Range", etag) == etag
    header = request.headers.get("Range")
    # The standard defines ranges for GET alone.
    return range_read(header, size=size) if header and is_same_file and request.method == "GET" else None


def _body(request: HttpRequest, file: "File[bytes]", part: range, *, content_type: str) -> HttpResponseBase:
    if request.method == "HEAD":
        file.close()
        return HttpResponse(content_type=content_type)
    content = FileSlice(file, start=part.start, length=len(part))
    response = StreamingHttpResponse(content, content_type=content_type)
    # By these names Django's handler finds what to hand to the server's wsgi.file_wrapper.
    response.file_to_stream = content  # type: ignore[attr-defined]
    response.block_size = CHUNK_BYTES  # type: ignore[attr-defined]
    return response
