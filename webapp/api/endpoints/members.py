"""Who works on a test, and what they did with it: for its owners."""

from typing import Any

from django.contrib.auth import get_user_model
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from listening_tests.choices import AuditedAction, Role
from listening_tests.exceptions import Refused
from listening_tests.models import AuditEntry, Member
from listening_tests.roles import Action
from listening_tests.services.audit import audit_note
from listening_tests.services.members import member_put, member_remove
from webapp.api.access import TAKES, TestView, answers
from webapp.api.pagination import NewestFirst


class MemberSerializer(serializers.ModelSerializer[Member]):
    username = serializers.CharField(source="user.username", read_only=True)

    class Meta:
        model = Member
        fields = ("username", "role", "created_at")
        read_only_fields = ("created_at",)


class AuditSerializer(serializers.ModelSerializer[AuditEntry]):
    username = serializers.CharField(help_text="Empty where a command did it.")
    action = serializers.SerializerMethodField()

    class Meta:
        model = AuditEntry
        fields = ("uuid", "created_at", "username", "action", "detail")

    @extend_schema_field(serializers.CharField(help_text="Such as opened or exported."))
    def get_action(self, entry: AuditEntry) -> str:
        return entry.action


class Members(TestView):
    serializer_class = MemberSerializer
    needs = Action.MEMBERS

    @extend_schema(operation_id="members_list", responses=answers({200: MemberSerializer(many=True)}))
    def get(self, request: Request, slug: str) -> Response:
        """Who works on the test, in which role."""
        members = Member.objects.filter(test=self.test).select_related("user")
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(members), many=True).data)


class OneMember(TestView):
    serializer_class = MemberSerializer
    needs = Action.MEMBERS

    @extend_schema(
        operation_id="members_put",
        responses=answers({200: MemberSerializer, 201: MemberSerializer}, refuses=TAKES),
    )
    def put(self, request: Request, slug: str, username: str) -> Response:
        """Gives an account of staff a role in the test."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        user = None if "\0" in username else get_user_model().objects.filter(username=username).first()
        if user is None:
            raise Refused(f"There is no account {username}. Whoever looks after the accounts can make it.")
        member, is_new = member_put(test=self.test, user=user, role=Role(asked.validated_data["role"]))
        told = f"{username} is {'' if is_new else 'now '}{member.role}"
        audit_note(user=request.user, test=self.test, action=AuditedAction.MEMBERS, detail=told)
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self.get_serializer(member).data, status=code)

    @extend_schema(operation_id="members_delete", responses=answers({204: None}, refuses=(422,)))
    def delete(self, request: Request, slug: str, username: str) -> Response:
        """Takes an account off the test."""
        if "\0" in username:
            raise Http404
        member: Any = get_object_or_404(Member.objects.filter(test=self.test), user__username=username)
        member_remove(test=self.test, user=member.user)
        audit_note(user=request.user, test=self.test, action=AuditedAction.MEMBERS, detail=f"{username} is off it")
        return Response(status=status.HTTP_204_NO_CONTENT)


class Audit(TestView):
    serializer_class = AuditSerializer
    needs = Action.MEMBERS
    pagination_class = NewestFirst

    @extend_schema(operation_id="audit_list", responses=answers({200: AuditSerializer(many=True)}))
    def get(self, request: Request, slug: str) -> Response:
        """Who opened, screened, exported, trained; the newest first."""
        entries = AuditEntry.objects.filter(test=self.test)
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(entries), many=True).data)
