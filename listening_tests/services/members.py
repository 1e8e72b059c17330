"""Who works on a test."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from listening_tests.choices import Role
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Member

NEEDS_AN_OWNER = (
    "A test needs an owner, who alone can say who works on it. "
    "Make another account its owner first, then change this one."
)


@transaction.atomic
def member_put(*, test: ListeningTest, user: AbstractBaseUser, role: Role) -> tuple[Member, bool]:
    """Gives an account this role in a test, and says whether it had none before.

    Raises Refused for an account that is no active staff, and where the test would be left without an owner.
    """
    _lock(test)
    if not (user.is_active and getattr(user, "is_staff", False)):
        raise Refused(
            f"The account {user.get_username()} is no active staff, so it can work on no test. "
            "Whoever looks after the accounts can make it staff."
        )
    member = Member.objects.filter(test=test, user_id=user.pk).first()
    if member is None:
        return Member.objects.create(test=test, user_id=user.pk, role=role), True
    if role != Role.OWNER:
        _refuse_last_owner(test, member)
    member.role = role
    member.save(update_fields=["role"])
    return member, False


@transaction.atomic
def member_remove(*, test: ListeningTest, user: AbstractBaseUser) -> bool:
    """Takes an account off a test; False where it did not work on it. Raises Refused for the last owner."""
    _lock(test)
    member = Member.objects.filter(test=test, user_id=user.pk).first()
    if member is None:
        return False
    _refuse_last_owner(test, member)
    member.delete()
    return True


def _lock(test: ListeningTest) -> None:
    """Two owners who take each other off wait for one another."""
    ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)


def _refuse_last_owner(test: ListeningTest, member: Member) -> None:
    others = Member.objects.filter(test=test, role=Role.OWNER).exclude(pk=member.pk)
    if member.role == Role.OWNER and not others.exists():
        raise Refused(NEEDS_AN_OWNER)
