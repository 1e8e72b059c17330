"""Problems that raters report in their own words."""

from datetime import timedelta
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import ngettext

from listening_tests.choices import ProblemKind, SessionStatus
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, ProblemReport, Session
from listening_tests.services.sessions import session_lock
from listening_tests.services.skips import LONGEST_BROWSER, LONGEST_TEXT

MOST_OF_A_SESSION = 20
MOST_OF_STRANGERS_A_DAY = 200


@transaction.atomic
def problem_report(
    *,
    test: ListeningTest,
    session: Session | None,
    client_uuid: UUID,
    text: str,
    browser: str = "",
    assignment_uuid: UUID | None = None,
) -> ProblemReport:
    """Files a report; a repeat, known by its client uuid and its words, finds the one that is there. Other words under
    the same client uuid, as from a form that the back button brought again, are another report.

    Of who has withdrawn it names neither the sitting nor the browser, for nothing may say who they are.
    `assignment_uuid` names the pair that it is about, and is left out where the pair is not the session's own. Raises
    Refused past the limits that keep a script from filling the researcher's page.
    """
    key = uuid5(client_uuid, text)
    known = ProblemReport.objects.filter(client_uuid=key).first()
    if known is not None:
        return known
    if session is not None and session_lock(session_id=session.pk).status == SessionStatus.WITHDRAWN:
        session, browser = None, ""
    _refuse_too_many(test, session)
    own = session.assignments.filter(uuid=assignment_uuid).first() if session and assignment_uuid else None
    report, _ = ProblemReport.objects.get_or_create(
        client_uuid=key,
        defaults={
            "test": test,
            "session": session,
            "assignment": own,
            "pair_id": own.pair_id if own else None,
            "kind": ProblemKind.OTHER,
            "text": text[:LONGEST_TEXT],
            "browser": browser[:LONGEST_BROWSER],
        },
    )
    return report


def _refuse_too_many(test: ListeningTest, session: Session | None) -> None:
    reports: QuerySet[ProblemReport] = ProblemReport.objects.filter(test=test, session=session, kind=ProblemKind.OTHER)
    if session is not None:
        if reports.count() >= MOST_OF_A_SESSION:
            raise Refused(_too_many_of_yours(MOST_OF_A_SESSION))
    elif reports.filter(created_at__gt=timezone.now() - timedelta(days=1)).count() >= MOST_OF_STRANGERS_A_DAY:
        raise Refused(_too_many_today(MOST_OF_STRANGERS_A_DAY))


def _too_many_of_yours(most: int) -> str:
    sentence = ngettext(
        "You have sent %(most)s report from this test, which is as many as it takes. It has arrived; write to the "
        "contact address for more.",
        "You have sent %(most)s reports from this test, which is as many as it takes. They have arrived; write to the "
        "contact address for more.",
        most,
    )
    return sentence % {"most": most}


def _too_many_today(most: int) -> str:
    sentence = ngettext(
        "This test has had %(most)s report today from people who are not in a sitting, which is as many as it takes "
        "in a day. Write to the contact address, or try again tomorrow.",
        "This test has had %(most)s reports today from people who are not in a sitting, which is as many as it takes "
        "in a day. Write to the contact address, or try again tomorrow.",
        most,
    )
    return sentence % {"most": most}
