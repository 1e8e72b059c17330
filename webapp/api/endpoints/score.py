"""The score of a sound and captions, by the model in use of a test or by a model that is named."""

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Question
from listening_tests.roles import visible_tests
from webapp.api.access import answers
from webapp.api.errors import AwayError, BusyError
from webapp.api.questions import name_chosen, question_named
from worker.scoring.client import ScorerAway, ScorerBusy, ask
from worker.scoring.messages import LARGEST_SOUND_BYTES, Answered, Asked, seconds_to_answer
from worker.scoring.models_in_use import ModelInUse, model_of_asked, model_of_version
from worker.scoring.quick_reads import AskedClip, asked_clip, asked_test
from worker.scoring.selectors import version_of_tests

MOST_CAPTIONS, LONGEST_CAPTION = 100, 2_000
TOO_LARGE = (
    f"What was sent is larger than {LARGEST_SOUND_BYTES // 1024**2} MB. Send one sound of at most 60 s; for many, send "
    "a list of pairs (scorings/)."
)
CLIP = "Name a clip of a test that you work on (clip), or send a sound (audio): one of the two."
NO_QUESTION = "The test {slug} asks raters no question yet. Add one on its page in the admin."
MODEL = "Name a test, whose model in use is to answer, or a model by its uuid."


class AskSerializer(serializers.Serializer[Any]):
    test = serializers.SlugField(required=False, help_text="Its model in use answers.")
    question = serializers.SlugField(default="", allow_blank=True, max_length=40, help_text="Empty: the first one.")
    model = serializers.UUIDField(required=False, help_text="A model of a run, in place of the one in use.")
    clip = serializers.UUIDField(required=False, help_text="A clip of a test that you work on.")
    captions = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_CAPTION, trim_whitespace=False),
        min_length=1,
        max_length=MOST_CAPTIONS,
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("clip" in attrs) == ("audio" in attrs):
            raise serializers.ValidationError(CLIP)
        if "test" not in attrs and "model" not in attrs:
            raise serializers.ValidationError(MODEL)
        return attrs


class AskWithSoundSerializer(AskSerializer):
    audio = serializers.FileField(required=False, help_text="A sound of 0.1 to 60 s: wav, flac, ogg, mp3 or m4a.")


# One for all requests, for it keeps nothing of one: to make its fields takes longer than to read what was sent.
_READER = AskWithSoundSerializer()


class ModelSerializer(serializers.Serializer[Any]):
    uuid = serializers.UUIDField(allow_null=True, help_text="Null for an untuned model.")
    name = serializers.CharField()
    is_tuned = serializers.BooleanField()
    note = serializers.CharField(help_text="What a reader must know: that another model stood in, say. Or empty.")


class ScoreSerializer(serializers.Serializer[Any]):
    caption = serializers.CharField()
    cosine = serializers.FloatField(help_text="-1 to 1.")
    score = serializers.FloatField(help_text="0 to 10.")
    score_sd = serializers.FloatField(
        allow_null=True, help_text="How far people lie around the score; null for an untuned model."
    )


class ScoresSerializer(serializers.Serializer[Any]):
    model = ModelSerializer()
    scores = ScoreSerializer(many=True)


class Score(GenericAPIView[Any]):
    # What the browsable page offers to send.
    serializer_class = AskSerializer
    parser_classes = (MultiPartParser, JSONParser)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """What is too large is refused before it is read."""
        super().initial(request, *args, **kwargs)
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_SOUND_BYTES + 1024**2:
            raise Refused(TOO_LARGE)

    @extend_schema(
        operation_id="score",
        request={"application/json": AskSerializer, "multipart/form-data": AskWithSoundSerializer},
        responses=answers({200: ScoresSerializer}, refuses=(413, 415, 422, 503)),
    )
    def post(self, request: Request) -> Response:
        """Scores a sound with each caption, in their order. Nothing is stored, and a repeat gives the same numbers
        while the same model is in use. Without a tuned model the untuned one answers, and says so.
        """
        asked = _READER.run_validation(request.data or {})
        model = self._model(**{name: asked.get(name) for name in ("test", "question", "model")})
        answered = _ask(self._question(model, asked))
        rows = zip(asked["captions"], answered.scores, strict=True)
        told = {
            "model": _told(model, answered),
            "scores": [{"caption": caption, **vars(score)} for caption, score in rows],
        }
        return Response(told)

    def _model(self, *, test: str | None, question: str, model: UUID | None) -> ModelInUse:
        found = asked_test(user=self.request.user, slug=test) if test else None
        if test and found is None:
            raise Http404
        if model is not None:
            tests = visible_tests(self.request.user)
            version = version_of_tests(tests=tests.filter(pk=found.pk) if found else tests, uuid=model)
            if version is None:
                raise Http404
            return model_of_version(version=version)
        assert found is not None  # noqa: S101 -- the serializer saw to it
        name = name_chosen(list(found.champions), question, slug=found.slug)
        if name is None:
            raise Refused(NO_QUESTION.format(slug=found.slug))
        return model_of_asked(test=found, question=name)

    def _question(self, model: ModelInUse, asked: dict[str, Any]) -> Asked:
        told: dict[str, Any] = {
            "model": model.model,
            "is_stored": model.version is not None,
            "captions": tuple(asked["captions"]),
            "within_s": seconds_to_answer(),
        }
        if "audio" in asked:
            sound = asked["audio"]
            if sound.size > LARGEST_SOUND_BYTES:
                raise Refused(TOO_LARGE)
            return Asked(name=sound.name, content=sound.read(), **told)
        clip = asked_clip(user=self.request.user, uuid=asked["clip"])
        if clip is None:
            raise Http404
        return Asked(name=clip.name, sound=_sound(clip), **told)


def question_or_refused(test: ListeningTest, name: str) -> Question:
    """The named question, else the first. Raises Refused where it is not asked, or none is."""
    question = question_named(test=test, name=name)
    if question is None:
        raise Refused(NO_QUESTION.format(slug=test.slug))
    return question


def _sound(clip: AskedClip) -> str:
    if not clip.original:
        raise Refused(f"The sound of {clip.name} is not here: its ratings were imported without it. Upload the sound.")
    return clip.original


def _ask(asked: Asked) -> Answered:
    try:
        return ask(asked)
    except ScorerBusy as error:
        raise BusyError(str(error)) from error
    except ScorerAway as error:
        raise AwayError(str(error)) from error


def _told(model: ModelInUse, answered: Answered) -> dict[str, Any]:
    return {
        "uuid": model.uuid,
        "name": model.name,
        "is_tuned": model.version is not None,
        "note": answered.note,
    }
