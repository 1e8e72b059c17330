"""What owners of a test were told of by e-mail, each thing once."""

from django.db import models
from django.db.models import Q

from listening_tests.choices import NoticeKind
from listening_tests.models.listening_test import ListeningTest


class Notice(models.Model):
    """That something is to be told, and when it was. `episode` says which time it is: another one is told again.

    Until `sent_at` is set it is tried again; `tried_at` keeps two processes from sending it at once.
    """

    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=NoticeKind)
    episode = models.CharField(max_length=100)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, db_index=True)
    n_recipients = models.PositiveIntegerField(default=0, help_text="0 where no owner had an address and wanted it.")
    failure = models.CharField(max_length=300, blank=True, help_text="Why the last try failed; empty once it was sent.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=NoticeKind.values), name="notice_kind_known"),
            models.UniqueConstraint(fields=["test", "kind", "episode"], name="notice_once_for_episode"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.test}"
