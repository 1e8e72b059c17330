"""What an account of staff sees and changes in the admin: roles decide, test by test (roles.py), and Django's own
permissions of models count for accounts and groups alone. Superusers may do everything.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import BooleanField, Exists, ExpressionWrapper, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest

from listening_tests.models import ListeningTest
from listening_tests.roles import Action, actions_anywhere, may, visible_tests


def actions_of_request(request: HttpRequest) -> frozenset[Action]:
    """What the account may do with one test or another; asked of the database once a request."""
    found: frozenset[Action] | None = getattr(request, "_actions_anywhere", None)
    if found is None:
        found = actions_anywhere(request.user)
        request._actions_anywhere = found  # type: ignore[attr-defined]
    return found


def forget_actions(request: HttpRequest) -> None:
    """After a change of who works on what."""
    request.__dict__.pop("_actions_anywhere", None)


def sees_everything(request: HttpRequest) -> bool:
    return actions_anywhere(request.user, ask_members=False) == frozenset(Action)


def shared_by(model: type[Model], to_row: str, to_test: str = "test") -> Callable[[HttpRequest, Action], Q]:
    """For rows that tests share, such as clips: those that a row of `model` joins to a test of the account's."""

    def condition(request: HttpRequest, action: Action) -> Q:
        joining = model._default_manager.filter(
            **{to_row: OuterRef("pk"), f"{to_test}__in": visible_tests(request.user, action)}
        )
        return Q(Exists(joining))

    return condition


class ByRole:
    """Mixed into an admin, before it. `test_path` leads from a row to its test; rows that several tests share say by
    `joined` who sees them. `seeing` is what an account must be allowed to see the rows; what else it may do with them
    is `adding`, `changing` and `deleting`, nothing where they are None.
    """

    test_path = "test"
    joined: tuple[Callable[[HttpRequest, Action], Q], ...] = ()
    seeing: Action = Action.VIEW
    adding: Action | None = None
    changing: Action | None = None
    deleting: Action | None = None

    def rows_of(self, request: HttpRequest, rows: QuerySet[Any], action: Action) -> QuerySet[Any]:
        """Those of `rows` with whose test the account may do `action`."""
        if sees_everything(request):
            return rows
        if self.joined:
            condition = Q()
            for join in self.joined:
                condition |= join(request, action)
            return rows.filter(condition)
        return rows.filter(**{f"{self.test_path}__in" if self.test_path else "pk__in": self.tests_of(request, action)})

    def tests_of(self, request: HttpRequest, action: Action) -> QuerySet[Any]:
        return visible_tests(request.user, action).values("pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.rows_of(request, super().get_queryset(request), self.seeing)  # type: ignore[misc]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.seeing, obj)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return self._may(request, self.adding, None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.changing, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.deleting, obj)

    def _may(self, request: HttpRequest, action: Action | None, obj: Any) -> bool:
        if action is None or action not in actions_of_request(request):
            return False
        if obj is None or obj.pk is None or sees_everything(request):
            return True
        if self.joined:
            return self.rows_of(request, type(obj)._default_manager.filter(pk=obj.pk), action).exists()
        return may(request.user, action, self._test_of(obj))

    def _test_of(self, obj: Any) -> ListeningTest:
        for name in self.test_path.split("__") if self.test_path else ():
            obj = getattr(obj, name)
        test: ListeningTest = obj
        return test

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A test that is chosen on a page is one of the account's."""
        if db_field.related_model is ListeningTest and self.adding is not None:
            kwargs["queryset"] = visible_tests(request.user, self.adding)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class RowsOfRole(ByRole):
    """Mixed into an inline whose rows several tests share the page of: it shows those of the account's tests."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.seeing in actions_of_request(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TestFilter(admin.RelatedFieldListFilter):
    """By test: those of the account's alone are offered."""

    __test__ = False  # Not a test case, whatever pytest thinks of its name.

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        tests = visible_tests(request.user, model_admin.seeing)
        return [(test.pk, str(test)) for test in tests.only("title")]


def with_words(rows: QuerySet[Any], request: HttpRequest, test_path: str) -> QuerySet[Any]:
    """Rows with `may_read_words`: whether the account may read what raters wrote, which may say who they are."""
    known = Q(**{f"{test_path}__in": visible_tests(request.user, Action.PAY).values("pk")})
    return rows.annotate(may_read_words=ExpressionWrapper(known, output_field=BooleanField()))


HIDDEN_WORDS = "hidden: analysts see nothing that may say who a rater is"
