"""Where raters of a test come from, who of them is let in, and what they get: its part of the test's page."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from listening_tests.models import ListeningTest
from listening_tests.recruiters import recruiter_named
from listening_tests.recruitment_form import EXCLUDED_FIELDS
from listening_tests.roles import Action, may, visible_tests
from listening_tests.services.locks import CODES
from listening_tests.services.recruitment import excluded_ids_set

RECRUITMENT = (
    "Recruitment",
    {
        "fields": (
            *("recruiter", "study_url", *CODES, "max_raters", "reward", "screened_out_reward", "currency"),
            *("excluded_tests", *EXCLUDED_FIELDS),
        ),
    },
)


class RecruitmentAdmin:
    """What the admin of tests does for the fields of RECRUITMENT."""

    readonly_fields = ("study_url",)
    autocomplete_fields = ("excluded_tests",)

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> ListeningTest | None:
        test: ListeningTest | None = super().get_object(request, *args, **kwargs)  # type: ignore[misc]
        if test is not None:
            # For study_url, which is given no request.
            address = reverse("listening_tests:welcome", args=[test.slug])
            test.address = request.build_absolute_uri(address)  # type: ignore[attr-defined]
        return test

    def get_form(
        self, request: HttpRequest, obj: ListeningTest | None = None, change: bool = False, **kwargs: Any
    ) -> type:
        """Whose work it is not to know who raters say they are does not see the exclude list, nor can they send one."""
        form: type = super().get_form(request, obj, change, **kwargs)  # type: ignore[misc]
        if not self._may_exclude(request, obj):
            for name in EXCLUDED_FIELDS:
                form.base_fields.pop(name, None)  # type: ignore[attr-defined]
        return form

    def get_fieldsets(self, request: HttpRequest, obj: ListeningTest | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if self._may_exclude(request, obj):
            return fieldsets
        return [
            (name, options | {"fields": tuple(each for each in options["fields"] if each not in EXCLUDED_FIELDS)})
            for name, options in fieldsets
        ]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Tests of others' are not offered; those that are chosen stay, whoever saves the page."""
        if db_field.name == "excluded_tests":
            match = request.resolver_match
            this: str | None = match.kwargs.get("object_id") if match else None
            mine = Q(pk__in=visible_tests(request.user).values("pk"))
            offered = ListeningTest.objects.filter(mine | Q(excluding_tests=this) if this else mine)
            kwargs["queryset"] = (offered.exclude(pk=this) if this else offered).distinct()
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        excluded = form.cleaned_data.get("excluded_ids")
        if excluded is not None:
            excluded_ids_set(test=form.instance, claimed_ids=excluded)

    @display(description="study's address")
    def study_url(self, test: ListeningTest) -> str:
        if test.pk is None:
            return "Shown once the test is saved."
        url = recruiter_named(test.recruiter).study_url(getattr(test, "address", ""))
        return format_html('<code style="user-select: all; overflow-wrap: anywhere">{}</code>', url)

    def _may_exclude(self, request: HttpRequest, test: ListeningTest | None) -> bool:
        """Who may only look has no fields at all."""
        if test is None:
            return True
        return self.has_change_permission(request, test) and may(request.user, Action.PAY, test)  # type: ignore[attr-defined]
