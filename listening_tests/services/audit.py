"""The audit log: who opened, screened, exported or trained what."""

from listening_tests.choices import AuditedAction
from listening_tests.models import AuditEntry, ListeningTest
from listening_tests.roles import Account


def audit_note(*, user: Account | None, test: ListeningTest, action: AuditedAction, detail: str = "") -> AuditEntry:
    """Adds an entry. `user` is None where a command of the installation did it. `detail` is cut to its column."""
    account = user if user is not None and user.is_authenticated else None
    return AuditEntry.objects.create(
        test=test,
        test_slug=test.slug,
        user_id=account.pk if account else None,
        username=account.get_username() if account else "",
        action=action,
        detail=detail[:500],
    )
