"""Listening tests: listed, made, changed while they are drafts, opened, paused and closed."""

from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Q, QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from listening_tests.choices import AuditedAction
from listening_tests.models import ListeningTest, Question
from listening_tests.roles import Action, actions_of, visible_tests
from listening_tests.services.audit import audit_note
from listening_tests.services.checklist import Need, Place, checklist
from listening_tests.services.drafts import draft_create
from listening_tests.services.locks import CODES, locked_fields, test_change
from listening_tests.services.test_status import test_close, test_open, test_pause, test_shortcomings
from listening_tests.standard_questions import STANDARD_QUESTIONS
from webapp.api.access import TAKES, TestView, answers
from webapp.api.idempotency import KEY_PARAMETER, idempotent

_SET_UP = (
    *("slug", "title", "kind", "instructions", "consent_text", "consent_version", "withdrawn_ratings"),
    *("contact_email", "ratings_per_pair", "pairs_per_session", "lease_minutes", "break_after_minutes"),
    *("headphone_check", "headphones_required", "repeats_per_session", "opens_at", "opens_forced", "closes_at"),
    *("recruiter", *CODES, "max_raters", "reward", "screened_out_reward", "currency", "excluded_tests"),
)
_READ = ("uuid", "status", "is_simulated", "created_at", "opened_at")
# What PostgreSQL's integers hold; the admin's fields know it by themselves.
_NUMBERS = {
    name: {"max_value": 2_147_483_647}
    for name in ("consent_version", "lease_minutes", "break_after_minutes", "max_raters")
}


class QuestionSerializer(serializers.ModelSerializer[Question]):
    class Meta:
        model = Question
        fields = ("name", "prompt", "scale_min", "scale_max", "scale_step", "min_label", "max_label")
        read_only_fields = fields


class ExcludedTestsField(serializers.SlugRelatedField[ListeningTest]):
    """Tests of others' cannot be chosen; those that are chosen stay."""

    def to_internal_value(self, data: Any) -> ListeningTest:
        if "\0" in str(data):
            # PostgreSQL takes no such text, and so no test is called so.
            self.fail("does_not_exist", slug_name=self.slug_field, value=str(data))
        return super().to_internal_value(data)

    def get_queryset(self) -> QuerySet[ListeningTest]:
        mine = visible_tests(self.context["request"].user)
        this = getattr(self.root, "instance", None)
        if not isinstance(this, ListeningTest):
            return mine
        offered = Q(pk__in=mine.values("pk")) | Q(pk__in=this.excluded_tests.values("pk"))
        return ListeningTest.objects.filter(offered).exclude(pk=this.pk)


class TestSerializer(serializers.ModelSerializer[ListeningTest]):
    __test__ = False  # Not a test case, whatever pytest thinks of its name.

    questions = QuestionSerializer(many=True, read_only=True)
    excluded_tests = ExcludedTestsField(
        slug_field="slug",
        queryset=ListeningTest.objects.none(),
        many=True,
        required=False,
        help_text="Tests, by their addresses, whose raters cannot begin.",
    )
    raters_address = serializers.SerializerMethodField()

    class Meta:
        model = ListeningTest
        fields: tuple[str, ...] = (*_SET_UP, *_READ, "questions", "raters_address")
        read_only_fields = _READ
        extra_kwargs = _NUMBERS

    @extend_schema_field(serializers.URLField(help_text="Where raters go."))
    def get_raters_address(self, test: ListeningTest) -> str:
        address = reverse("listening_tests:welcome", args=[test.slug])
        request = self.context.get("request")
        return request.build_absolute_uri(address) if request else address


class NewTestSerializer(TestSerializer):
    standard_questions = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(STANDARD_QUESTIONS)),
        required=False,
        max_length=10,
        write_only=True,
        help_text="Ready-made questions by their names; relevance where none is given. "
        "Others are written in the admin.",
    )

    class Meta(TestSerializer.Meta):
        fields = (*TestSerializer.Meta.fields, "standard_questions")

    def validate_standard_questions(self, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise serializers.ValidationError("A question is asked once. Name each one once.")
        return names


class OpenSerializer(serializers.Serializer[Any]):
    force = serializers.BooleanField(default=False, help_text="Open it although something advised is missing.")


class EmptySerializer(serializers.Serializer[Any]):
    """Nothing is sent."""


class ShortcomingSerializer(serializers.Serializer[Any]):
    sentence = serializers.CharField()
    essential = serializers.BooleanField(help_text="Nothing opens the test without it.")


class ChecklistItemSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    sentence = serializers.CharField(help_text="What is there, or what is missing and what to do.")
    is_done = serializers.BooleanField()
    need = serializers.ChoiceField(
        source="need.value",
        choices=[need.value for need in Need],
        help_text="Nothing opens the test without what is essential; force passes what is advised.",
    )
    place = serializers.ChoiceField(source="place.value", choices=[place.value for place in Place])


class LockSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    reason = serializers.CharField()


class ChecklistSerializer(serializers.Serializer[Any]):
    shortcomings = ShortcomingSerializer(many=True)
    items = ChecklistItemSerializer(many=True, help_text="Also what only makes a study better or safer.")
    locked = LockSerializer(many=True, help_text="What of the test stays as it is, and why.")
    allowed = serializers.ListField(
        child=serializers.ChoiceField(choices=[action.value for action in Action]),
        help_text="What your role allows you to do with the test.",
    )


class Tests(ListAPIView[ListeningTest]):
    serializer_class = TestSerializer

    def get_queryset(self) -> QuerySet[ListeningTest]:
        return visible_tests(self.request.user).prefetch_related("questions", "excluded_tests")

    @extend_schema(operation_id="tests_list", responses=answers({200: TestSerializer(many=True)}))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The tests that you work on."""
        return self.list(request, *args, **kwargs)

    @extend_schema(
        operation_id="tests_create",
        parameters=[KEY_PARAMETER],
        request=NewTestSerializer,
        responses=answers({201: TestSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Makes a draft, whose owner you are."""
        asked = NewTestSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        fields = dict(asked.validated_data)
        questions = fields.pop("standard_questions", [])
        excluded = fields.pop("excluded_tests", [])
        owner = cast(AbstractBaseUser, request.user)
        test = draft_create(owner=owner, fields=fields, questions=questions, excluded_tests=excluded)
        audit_note(user=request.user, test=test, action=AuditedAction.CREATED, detail="Through the API")
        return Response(self.get_serializer(test).data, status=status.HTTP_201_CREATED)


class OneTest(TestView):
    serializer_class = TestSerializer
    needs_by_method: ClassVar[dict[str, Action]] = {"PATCH": Action.SET_UP}

    @extend_schema(operation_id="tests_read", responses=answers({200: TestSerializer}))
    def get(self, request: Request, slug: str) -> Response:
        """A test with its questions."""
        return Response(self.get_serializer(self.test).data)

    @extend_schema(operation_id="tests_change", responses=answers({200: TestSerializer}, refuses=TAKES))
    def patch(self, request: Request, slug: str) -> Response:
        """Changes what nothing locks; `locked` of the checklist says what stays, and why."""
        asked = self.get_serializer(self.test, data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        changes = dict(asked.validated_data)
        excluded = changes.pop("excluded_tests", None)
        test = test_change(test=self.test, changes=changes, excluded_tests=excluded)
        told = f"Through the API: {', '.join(asked.validated_data) or 'nothing'}"
        audit_note(user=request.user, test=test, action=AuditedAction.CHANGED, detail=told)
        return Response(self.get_serializer(test).data)


class Checklist(TestView):
    serializer_class = ChecklistSerializer

    @extend_schema(operation_id="tests_checklist", responses=answers({200: ChecklistSerializer}))
    def get(self, request: Request, slug: str) -> Response:
        """What the test lacks before it opens, and what you may do with it."""
        allowed = sorted(action.value for action in actions_of(request.user, self.test))
        told = {
            "shortcomings": test_shortcomings(test=self.test),
            "items": checklist(test=self.test),
            "locked": [{"field": name, "reason": reason} for name, reason in locked_fields(self.test).items()],
            "allowed": allowed,
        }
        return Response(self.get_serializer(told).data)


class _StatusView(TestView):
    """Opens, pauses or closes a test; a repeat changes nothing more."""

    needs = Action.LAUNCH
    audited: ClassVar[AuditedAction]

    def change(self, request: Request, service: Callable[..., ListeningTest], **options: Any) -> Response:
        before = self.test.status
        test = service(test=self.test, **options)
        if test.status != before:
            audit_note(user=request.user, test=test, action=self.audited, detail="Through the API")
        return Response(TestSerializer(test, context=self.get_serializer_context()).data)


class Open(_StatusView):
    serializer_class = OpenSerializer
    audited = AuditedAction.OPENED

    @extend_schema(
        operation_id="tests_open",
        parameters=[KEY_PARAMETER],
        responses=answers({200: TestSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Lets raters in, past the checklist."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return self.change(request, test_open, force=asked.validated_data["force"])


class Pause(_StatusView):
    serializer_class = EmptySerializer
    audited = AuditedAction.PAUSED

    @extend_schema(
        operation_id="tests_pause",
        parameters=[KEY_PARAMETER],
        request=None,
        responses=answers({200: TestSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Gives out no more pairs until the test is opened again. What raters send is still stored."""
        return self.change(request, test_pause)


class Close(_StatusView):
    serializer_class = EmptySerializer
    audited = AuditedAction.CLOSED

    @extend_schema(
        operation_id="tests_close",
        parameters=[KEY_PARAMETER],
        request=None,
        responses=answers({200: TestSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Ends the test for good. Its ratings stay."""
        return self.change(request, test_close)
