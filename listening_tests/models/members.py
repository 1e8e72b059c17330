"""Who of the staff works on a test, in which role, and what they did with it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from listening_tests.choices import AuditedAction, Role
from listening_tests.models.listening_test import ListeningTest


class Member(models.Model):
    """That an account of staff works on a test. Superusers need no row: they may do everything."""

    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    wants_notices = models.BooleanField(
        "gets notices", default=True, db_default=True, help_text="By e-mail, as an owner with an address."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["test", "user"], name="member_once_in_test"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="member_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display().lower()}"


class AuditEntry(models.Model):
    """That an account did something with a test that others may ask about later. Rows are only added.

    `username` stays when the account goes, `test_slug` when the test goes.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(
        ListeningTest, on_delete=models.SET_NULL, related_name="audit_entries", null=True, blank=True
    )
    test_slug = models.CharField(max_length=80)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="audit_entries", null=True, blank=True
    )
    username = models.CharField(max_length=150, blank=True, help_text="Empty where a command did it.")
    action = models.CharField(max_length=20, choices=AuditedAction)
    detail = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit log"
        constraints = [
            models.CheckConstraint(condition=Q(action__in=AuditedAction.values), name="audit_action_known"),
        ]
        indexes = [models.Index(fields=["test", "-id"], name="audit_by_test")]

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.test_slug}"
