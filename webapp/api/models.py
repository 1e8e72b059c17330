"""Tables of the API: tokens of researchers, and the answers that repeats of a request get again."""

import uuid

from django.conf import settings
from django.db import models


class ApiToken(models.Model):
    """A key to the API that acts for its account. The key itself is shown once; of it only the SHA-256 and the first
    letters are kept, to tell it by. It is drawn from 256 bits, so a slow hash would protect nothing.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60, help_text="What it is for, such as the name of the script or the machine.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    beginning = models.CharField(max_length=16, editable=False, help_text="Its first letters, to tell it by.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="api_token_once_by_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.beginning}…)"


class KeptAnswer(models.Model):
    """What a POST with an Idempotency-Key was answered, kept for a day. Stored in the transaction of what the POST did:
    where one is, the other is.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    # Of method, address and body.
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="kept_answer_once_for_key")]
        indexes = [models.Index(fields=["created_at"], name="kept_answer_by_age")]

    def __str__(self) -> str:
        return f"{self.key} of {self.user}"
