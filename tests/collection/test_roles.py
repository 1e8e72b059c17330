"""What each role may do with a test, and that who has none may do nothing."""

import pytest
from django.contrib.auth.models import AnonymousUser, User

from listening_tests.choices import AuditedAction, Role
from listening_tests.models import AuditEntry, Member
from listening_tests.roles import Action, actions_of, may, visible_tests
from listening_tests.services.audit import audit_note
from tests.factories import make_test

pytestmark = pytest.mark.django_db


def make_account(**fields: object) -> User:
    return User.objects.create_user("somebody", **({"is_staff": True} | fields))


@pytest.mark.parametrize(
    ("role", "cannot"),
    [
        (Role.OWNER, set()),
        (Role.ANALYST, {Action.SET_UP, Action.LAUNCH, Action.PAY, Action.MEMBERS}),
        (Role.ASSISTANT, {Action.SCREEN, Action.EXPORT, Action.TRAIN, Action.MEMBERS}),
    ],
)
def test_it_works(role: Role, cannot: set[Action]) -> None:
    test, user = make_test(), make_account()
    Member.objects.create(test=test, user=user, role=role)
    assert actions_of(user, test) == set(Action) - cannot
    assert all((test in visible_tests(user, action)) is (action not in cannot) for action in Action)


def test_a_superuser_may_do_everything() -> None:
    test, user = make_test(), make_account(is_superuser=True)
    assert actions_of(user, test) == set(Action)
    assert test in visible_tests(user, Action.PAY)


def test_the_members_of_another_test_may_do_nothing() -> None:
    test, user = make_test(), make_account()
    Member.objects.create(test=make_test(), user=user, role=Role.OWNER)
    assert not may(user, Action.VIEW, test)
    assert test not in visible_tests(user)


@pytest.mark.parametrize(
    "fields", [{"is_staff": False}, {"is_active": False}, {"is_staff": False, "is_superuser": True}]
)
def test_who_is_no_active_staff_may_do_nothing(fields: dict[str, bool]) -> None:
    test, user = make_test(), make_account(**fields)
    Member.objects.create(test=test, user=user, role=Role.OWNER)
    assert actions_of(user, test) == frozenset()
    assert not visible_tests(user).exists()
    assert actions_of(AnonymousUser(), test) == frozenset()
    assert not visible_tests(AnonymousUser()).exists()


def test_what_was_done_stays_known_when_the_account_and_the_test_go() -> None:
    test, user = make_test(slug="rain"), make_account()
    entry = audit_note(user=user, test=test, action=AuditedAction.EXPORTED, detail="x" * 600)
    user.delete()
    test.delete()
    entry = AuditEntry.objects.get(pk=entry.pk)
    assert (entry.username, entry.test_slug, entry.user, entry.test) == ("somebody", "rain", None, None)
    assert len(entry.detail) == 500


def test_a_command_has_no_account() -> None:
    entry = audit_note(user=None, test=make_test(), action=AuditedAction.OPENED)
    assert (entry.user, entry.username) == (None, "")
