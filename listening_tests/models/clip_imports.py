"""Uploads of a manifest with its sounds, from the upload over the dry run to the pairs in the test."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from listening_tests.choices import (
    ACTIVE_CLIP_IMPORT_STATUSES,
    ENDED_CLIP_IMPORT_STATUSES,
    WAITING_CLIP_IMPORT_STATUSES,
    ClipImportStage,
    ClipImportStatus,
    FindingKind,
)
from listening_tests.models.listening_test import ListeningTest


class ClipImport(models.Model):
    """One upload. Its files lie in a folder of its own until it has ended.

    failed is ours to explain (`message` is a sentence for the researcher); errored is a crash (`traceback`). The
    numbers are those of the last look at its manifest.
    """

    # Given by the form that was sent, so that a repeat of it is known.
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="clip_imports")
    status = models.CharField(max_length=10, choices=ClipImportStatus, default=ClipImportStatus.QUEUED)
    stage = models.CharField(max_length=10, choices=ClipImportStage, default=ClipImportStage.CHECK)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    archive_name = models.CharField(max_length=255)
    manifest_name = models.CharField(max_length=255, blank=True, help_text="Empty where it is in the zip.")
    folder = models.CharField(
        max_length=2000, blank=True, help_text="Where the paths of the manifest begin, below the root of the zip."
    )
    allow_silent = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # While a process is at work the time of its last sign of life, afterwards that of the last change.
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    host = models.CharField(max_length=200, blank=True)
    n_restarts = models.PositiveSmallIntegerField(
        default=0, help_text="How often it went back to the queue because its process had died."
    )
    phase = models.CharField(max_length=40, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    n_rows = models.PositiveIntegerField(default=0)
    n_new = models.PositiveIntegerField("new sounds", default=0)
    n_stored = models.PositiveIntegerField("sounds stored before", default=0)
    n_repeated = models.PositiveIntegerField("rows whose sound another file of the upload holds too", default=0)
    n_failed = models.PositiveIntegerField("sounds that cannot be used", default=0)
    n_bad_rows = models.PositiveIntegerField("rows to mend", default=0)
    n_problems = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)
    traceback = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ClipImportStatus.values), name="clip_import_status_known"),
            models.CheckConstraint(condition=Q(stage__in=ClipImportStage.values), name="clip_import_stage_known"),
            models.CheckConstraint(
                condition=Q(
                    status__in=sorted(ACTIVE_CLIP_IMPORT_STATUSES | WAITING_CLIP_IMPORT_STATUSES),
                    finished_at__isnull=True,
                )
                | Q(status__in=sorted(ENDED_CLIP_IMPORT_STATUSES), finished_at__isnull=False),
                name="clip_import_finished_when_it_ended",
            ),
        ]
        indexes = [models.Index(fields=["status", "heartbeat_at"], name="clip_import_queue")]

    def __str__(self) -> str:
        return f"Import {str(self.uuid)[:8]} into {self.test}"

    @property
    def is_active(self) -> bool:
        """Whether a process is at work on it, or is to be."""
        return self.status in ACTIVE_CLIP_IMPORT_STATUSES

    @property
    def is_waiting(self) -> bool:
        """Whether a person is to decide what becomes of it."""
        return self.status in WAITING_CLIP_IMPORT_STATUSES


class ClipImportFinding(models.Model):
    """What the last look at a manifest says of one of its rows."""

    clip_import = models.ForeignKey(ClipImport, on_delete=models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=10, choices=FindingKind)
    line = models.PositiveIntegerField(help_text="Of the file, where the row begins; the header is line 1.")
    column = models.CharField(max_length=60, blank=True)
    reason = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=FindingKind.values), name="clip_import_finding_kind_known")
        ]
        indexes = [models.Index(fields=["clip_import", "kind", "line", "id"], name="clip_import_findings")]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
