"""A POST that carries an Idempotency-Key is carried out once: its repeat, within a day, gets the answer of the first.

The answer is stored in the transaction of what the POST does. Who repeats while the first is under way waits at the
database for it. What was refused changed nothing and is not kept: its repeat is judged anew.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.errors import UnprocessableError
from webapp.api.models import KeptAnswer

KEPT_FOR = timedelta(days=1)
LONGEST_KEY = 200
KEY_PARAMETER = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Any text of up to 200 letters, made anew for each thing to be done. A repeat with the same key gets "
    "the answer of the first, within a day; with another body it is refused.",
)
Post = Callable[..., Response]


def idempotent(post: Post) -> Post:
    """Around a view's `post`."""

    @wraps(post)
    def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return post(view, request, *args, **kwargs)
        if not (0 < len(key) <= LONGEST_KEY and key.isprintable()):
            raise ValidationError({"Idempotency-Key": f"A key has 1 to {LONGEST_KEY} letters that can be printed."})
        KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
        with transaction.atomic():
            kept, is_new = _taken(request, key)
            if not is_new:
                return _again(kept, request)
            response = post(view, request, *args, **kwargs)
            kept.status, kept.body = response.status_code, JSONRenderer().render(response.data)
            kept.save(update_fields=["status", "body"])
        return response

    return once


def _taken(request: Request, key: str) -> tuple[KeptAnswer, bool]:
    """The row of this key, and whether it was made now. Waits where another request makes it at this moment."""
    try:
        with transaction.atomic():
            values = {"user_id": request.user.pk, "key": key, "request_sha256": _digest(request)}
            return KeptAnswer.objects.create(**values), True
    except IntegrityError:
        return KeptAnswer.objects.get(user_id=cast(int, request.user.pk), key=key), False


def _again(kept: KeptAnswer, request: Request) -> Response:
    if kept.request_sha256 != _digest(request):
        raise UnprocessableError(
            "This Idempotency-Key was used for another request. Make a new key for each thing that you want done."
        )
    return Response(
        json.loads(bytes(kept.body) or b"null"), status=kept.status, headers={"Idempotency-Replayed": "true"}
    )


def _digest(request: Request) -> str:
    """Of method, address and what was sent; files by their content."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    data = request.data
    if not isinstance(data, MultiValueDict):
        digest.update(json.dumps(data, sort_keys=True, default=str).encode())
        return digest.hexdigest()
    for name in sorted(data):
        for value in data.getlist(name):
            digest.update(f"\n{name}=".encode())
            for chunk in _chunks(value):
                digest.update(chunk)
    return digest.hexdigest()


def _chunks(value: Any) -> Any:
    if isinstance(value, UploadedFile):
        yield from value.chunks()
        value.seek(0)
    else:
        yield str(value).encode()
