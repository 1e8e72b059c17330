"""What an account of staff may do with a test. Pages, the admin and the API all ask here."""

from enum import Enum

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet

from listening_tests.choices import Role
from listening_tests.models import ListeningTest, Member

Account = AbstractBaseUser | AnonymousUser


class Action(Enum):
    """VIEW: pages, progress, results under pseudonyms. SET_UP: texts, questions, clips, pilots. LAUNCH: open, pause,
    close. PAY: who raters say they are, and who is to be paid. MEMBERS: who else works on the test.
    """

    VIEW = "view"
    SET_UP = "set_up"
    LAUNCH = "launch"
    PAY = "pay"
    SCREEN = "screen"
    EXPORT = "export"
    TRAIN = "train"
    MEMBERS = "members"


_MAY = {
    Role.OWNER: frozenset(Action),
    Role.ANALYST: frozenset({Action.VIEW, Action.SCREEN, Action.EXPORT, Action.TRAIN}),
    Role.ASSISTANT: frozenset({Action.VIEW, Action.SET_UP, Action.LAUNCH, Action.PAY}),
}


def actions_of(user: Account, test: ListeningTest) -> frozenset[Action]:
    """Everything that `user` may do with `test`; nothing for who is no member of it."""
    if not (user.is_active and getattr(user, "is_staff", False)):
        return frozenset()
    if getattr(user, "is_superuser", False):
        return frozenset(Action)
    role = Member.objects.filter(test=test, user_id=user.pk).values_list("role", flat=True).first()
    return _MAY[Role(role)] if role else frozenset()


def actions_anywhere(user: Account, *, ask_members: bool = True) -> frozenset[Action]:
    """What `user` may do with one test or another; without `ask_members` what holds for every test."""
    if not (user.is_active and getattr(user, "is_staff", False)):
        return frozenset()
    if getattr(user, "is_superuser", False):
        return frozenset(Action)
    if not ask_members:
        return frozenset()
    roles = Member.objects.filter(user_id=user.pk).order_by().values_list("role", flat=True).distinct()
    return frozenset[Action]().union(*(_MAY[Role(role)] for role in roles))


def may(user: Account, action: Action, test: ListeningTest) -> bool:
    return action in actions_of(user, test)


def visible_tests(user: Account, action: Action = Action.VIEW) -> QuerySet[ListeningTest]:
    """The tests with which `user` may do `action`."""
    if not (user.is_active and getattr(user, "is_staff", False)):
        return ListeningTest.objects.none()
    if getattr(user, "is_superuser", False):
        return ListeningTest.objects.all()
    roles = [role for role, actions in _MAY.items() if action in actions]
    return ListeningTest.objects.filter(pk__in=Member.objects.filter(user_id=user.pk, role__in=roles).values("test"))
