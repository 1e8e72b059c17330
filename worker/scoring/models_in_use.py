"""Which model a question is put to: the one named, else the champion of a test's question, else the untuned one."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Question
from modeling.config import ConfigError, load_config
from worker.configuration import preset_of_request
from worker.models import ModelVersion
from worker.registry import GONE, champion_of
from worker.scoring.quick_reads import AskedTest, champion_of_asked


@dataclass(frozen=True)
class ModelInUse:
    """`version` is None for an untuned model, `model` then what a configuration calls it; else a directory below
    MEDIA_ROOT.
    """

    version: ModelVersion | None
    model: str

    @property
    def uuid(self) -> UUID | None:
        return self.version.uuid if self.version else None

    @property
    def name(self) -> str:
        return str(self.version) if self.version else f"{self.model}, untuned"


def model_of_version(*, version: ModelVersion) -> ModelInUse:
    """Raises Refused where its files were cleared away."""
    if version.files_removed_at is not None:
        raise Refused(GONE.format(version=version))
    return ModelInUse(version, version.directory)


def model_in_use(*, test: ListeningTest, question: Question) -> ModelInUse:
    """The champion, or the model that the test's runs begin with. Raises Refused where its preset cannot be read."""
    champion = champion_of(test=test, question=question.name)
    return model_of_version(version=champion) if champion is not None else _untuned(preset_of_request(test=test))


def model_of_asked(*, test: AskedTest, question: str) -> ModelInUse:
    """As `model_in_use`."""
    champion = champion_of_asked(test=test, question=question)
    if champion is not None:
        return model_of_version(version=champion)
    return _untuned(test.preset or str(settings.EARMARK_PRESET))


def _untuned(preset: str) -> ModelInUse:
    try:
        return ModelInUse(None, load_config(preset=preset).model)
    except ConfigError as error:
        raise Refused(str(error)) from error
