"""Who is let into a test: its places, its exclude list, what recruiters' links say, and who did not want to."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from listening_tests.exceptions import Refused
from listening_tests.models import Declined, ExcludedId, ListeningTest, RaterIdentity, RecruitedSitting, Session
from listening_tests.recruiters import Claim
from listening_tests.recruiters.recruiter import LONGEST_CLAIM
from listening_tests.recruitment import excluded_sentence, full_sentence, places_taken

MOST_EXCLUDED_IDS = 100_000


def place_take(*, test: ListeningTest, session: Session | None = None) -> None:
    """Holds the test's row until the transaction ends, so that raters who come at once are counted one by one.

    The place is taken by what the transaction goes on to lease. Raises Refused where there is none; `session` is the
    rater's own, where they come back to it. Tests that take any number of raters hold nothing.
    """
    if test.max_raters is None:
        return
    # Ratings refer to the row, and so lock its key alone: they do not wait.
    held = ListeningTest.objects.select_for_update(no_key=True).only("max_raters", "lease_minutes").get(pk=test.pk)
    if session is not None and places_taken(test=held).filter(pk=session.pk).exists():
        return
    sentence = full_sentence(test=held)
    if sentence is not None:
        raise Refused(sentence)


def refuse_if_excluded(*, test: ListeningTest, rater_uuid: UUID, claim: Claim) -> None:
    sentence = excluded_sentence(test=test, rater_uuid=rater_uuid, claim=claim)
    if sentence is not None:
        raise Refused(sentence)


def claim_keep(*, session: Session, claim: Claim) -> None:
    """Keeps what a link says of the rater of a new sitting, and of the sitting."""
    if not claim.claimed_id:
        return
    identity, _ = RaterIdentity.objects.get_or_create(
        rater_id=session.rater_id,
        defaults={"recruiter": claim.recruiter[:40], "claimed_id": claim.claimed_id[:LONGEST_CLAIM]},
    )
    if claim.study or claim.submission:
        RecruitedSitting.objects.create(
            session=session,
            identity=identity,
            study=claim.study[:LONGEST_CLAIM],
            submission=claim.submission[:LONGEST_CLAIM],
        )


def consent_decline(*, test: ListeningTest, form: UUID) -> None:
    """Counts somebody who does not want to take part, once for each consent page. Nothing else is kept."""
    Declined.objects.get_or_create(test=test, form=form)


def declined_forget(*, test: ListeningTest, form: UUID) -> None:
    """Of who agrees after all, on the same page."""
    Declined.objects.filter(test=test, form=form).delete()


def excluded_ids_read(text: str) -> list[str]:
    """The ids in a list, one a line, each once. Raises Refused for the whole of it, naming the line."""
    ids: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        claimed_id = line.strip().strip('",').strip()
        if not claimed_id:
            continue
        if len(claimed_id) > LONGEST_CLAIM or not claimed_id.isprintable() or "," in claimed_id:
            raise Refused(
                f"Line {number} is no id: one id stands on each line, of at most {LONGEST_CLAIM} characters and "
                "without a comma. Nothing was changed."
            )
        ids[claimed_id] = None
    if len(ids) > MOST_EXCLUDED_IDS:
        raise Refused(f"The list has {len(ids):,} ids, and a test takes {MOST_EXCLUDED_IDS:,}. Nothing was changed.")
    return list(ids)


@transaction.atomic
def excluded_ids_set(*, test: ListeningTest, claimed_ids: Iterable[str]) -> None:
    """Has these, and no others, as the ids that may not take part."""
    wanted = dict.fromkeys(claimed_ids)
    there = set(test.excluded_ids.values_list("claimed_id", flat=True))
    test.excluded_ids.filter(claimed_id__in=there - wanted.keys()).delete()
    new = [ExcludedId(test=test, claimed_id=claimed_id) for claimed_id in wanted if claimed_id not in there]
    ExcludedId.objects.bulk_create(new, ignore_conflicts=True)
