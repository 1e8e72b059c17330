"""What a test gives out: pairs of a clip and a caption, and the clips themselves."""

from pathlib import PurePath
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.db.models import Exists, OuterRef, QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from listening_tests.byte_ranges import AUDIO_TYPES, audio_response
from listening_tests.choices import PairRole
from listening_tests.models import Caption, Clip, Pair
from listening_tests.roles import Action
from listening_tests.services.clip_imports import refuse_upload_of
from webapp.api.access import TAKES, TestView, answers
from webapp.api.endpoints.uploads import ClipImportSerializer
from webapp.api.idempotency import KEY_PARAMETER, idempotent
from webapp.api.negotiation import FileView
from worker.clip_imports import clip_import_upload

_SOUNDS = ("rendition", "original")


class CaptionSerializer(serializers.ModelSerializer[Caption]):
    class Meta:
        model = Caption
        fields = ("uuid", "text", "language")


class ClipSerializer(serializers.ModelSerializer[Clip]):
    audio = serializers.SerializerMethodField()

    class Meta:
        model = Clip
        fields = (
            *("uuid", "name", "sha256", "duration_s", "sample_rate_hz", "channels", "loudness_lufs"),
            *("true_peak_dbtp", "gain_db", "is_silent", "created_at", "audio"),
        )

    @extend_schema_field(
        serializers.URLField(allow_null=True, help_text="What raters hear; null where the sound is not here.")
    )
    def get_audio(self, clip: Clip) -> str | None:
        if not clip.rendition:
            return None
        slug, request = self.context["view"].test.slug, self.context["request"]
        return reverse("api:audio", args=[slug, clip.uuid], request=request)


class PairSerializer(serializers.ModelSerializer[Pair]):
    caption = CaptionSerializer()
    clip = ClipSerializer()
    load = serializers.IntegerField(help_text="Ratings and open leases.")

    class Meta:
        model = Pair
        fields = (
            *("uuid", "role", "system", "source_id", "expected_min", "expected_max", "own_split", "load"),
            *("caption", "clip"),
        )


class PairFilters(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=PairRole.choices, required=False)
    system = serializers.CharField(required=False, max_length=120)


class UploadSerializer(serializers.Serializer[Any]):
    archive = serializers.FileField(help_text="A zip of sounds, with manifest.csv in it or beside it.")
    manifest = serializers.FileField(required=False, help_text="The manifest, where it is not in the zip.")
    allow_silent = serializers.BooleanField(default=False, help_text="Take silent clips too.")


class SoundFilters(serializers.Serializer[Any]):
    sound = serializers.ChoiceField(
        choices=_SOUNDS, default="rendition", help_text="rendition: what raters hear. original: what models hear."
    )


class Pairs(TestView):
    serializer_class = PairSerializer

    @extend_schema(
        operation_id="pairs_list", parameters=[PairFilters], responses=answers({200: PairSerializer(many=True)})
    )
    def get(self, request: Request, slug: str) -> Response:
        """The pairs of a test."""
        filters = PairFilters(data=request.query_params)
        filters.is_valid(raise_exception=True)
        pairs = Pair.objects.filter(test=self.test, **filters.validated_data).select_related("clip", "caption")
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(pairs), many=True).data)


class Clips(TestView):
    serializer_class = ClipSerializer
    needs_by_method: ClassVar[dict[str, Action]] = {"POST": Action.SET_UP}
    parser_classes = (MultiPartParser,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """What is too large is refused before it is read."""
        super().initial(request, *args, **kwargs)
        if request.method == "POST":
            refuse_upload_of(n_bytes=int(request.META.get("CONTENT_LENGTH") or 0))

    def clips(self) -> QuerySet[Clip]:
        return Clip.objects.filter(Exists(Pair.objects.filter(test=self.test, clip=OuterRef("pk"))))

    @extend_schema(operation_id="clips_list", responses=answers({200: ClipSerializer(many=True)}))
    def get(self, request: Request, slug: str) -> Response:
        """The clips of a test, as they were measured."""
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(self.clips()), many=True).data)

    @extend_schema(
        operation_id="clips_upload",
        parameters=[KEY_PARAMETER],
        request={"multipart/form-data": UploadSerializer},
        responses=answers({202: ClipImportSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Keeps a zip of sounds and its manifest, and queues a look at every row; nothing comes in yet. Watch it, and
        take it in, as one of `uploads/`.
        """
        asked = UploadSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made, _ = clip_import_upload(test=self.test, uuid=uuid4(), requested_by=request.user, **asked.validated_data)
        return Response(ClipImportSerializer(made).data, status=status.HTTP_202_ACCEPTED)


class Audio(FileView):
    @extend_schema(
        operation_id="clips_audio",
        parameters=[
            SoundFilters,
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="Such as bytes=0-65535."),
        ],
        responses=answers(
            {
                (code, content_type): OpenApiTypes.BINARY
                for code in (200, 206, 416)
                for content_type in AUDIO_TYPES.values()
            }
        ),
    )
    def get(self, request: Request, slug: str, uuid: UUID) -> HttpResponseBase:
        """The sound of a clip, whole or a range of it."""
        filters = SoundFilters(data=request.query_params)
        filters.is_valid(raise_exception=True)
        sound = filters.validated_data["sound"]
        here = Exists(Pair.objects.filter(test=self.test, clip=OuterRef("pk")))
        clip = get_object_or_404(Clip.objects.filter(here), uuid=uuid)
        file, etag = getattr(clip, sound), f'"{clip.sha256}-{sound}"'
        response = audio_response(request._request, file, etag=etag, cache_control="private, max-age=3600")
        ending = PurePath(file.name).suffix
        response.headers["Content-Disposition"] = f'attachment; filename="{clip.uuid}{ending}"'
        return response
