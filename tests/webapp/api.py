"""A script of a researcher: requests with a token, JSON in and out."""

from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern
from django.utils import timezone

from listening_tests.choices import ClipImportStatus, FindingKind, Role
from listening_tests.models import ClipImport, ListeningTest, Member, Screening
from listening_tests.services.pilots import pilot_make
from tests.factories import make_pair, make_test
from tests.webapp.factories import make_done_run, make_rating
from webapp.api.tokens import token_create
from webapp.api.urls import urlpatterns
from worker.models import ComputedResults, PairResult, ResultsStatus, ScoringJob, ScoringKind, ScoringStatus
from worker.scoring.services import scores_path

ROUTES: list[URLPattern] = urlpatterns


class Script:
    """What sends `key` with each request; without one it sends none."""

    def __init__(self, key: str = "") -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def __call__(self, method: str, address: str, data: Any = None, *, headers: dict[str, str] | None = None) -> Any:
        options: dict[str, Any] = {"headers": self.headers | (headers or {})}
        if data is not None or method in {"post", "put", "patch"}:
            options |= {"data": data or {}, "content_type": "application/json"}
        return getattr(self.client, method)(f"/api/{address}", **options)

    def get(self, address: str, **headers: str) -> Any:
        return self("get", address, headers=headers)

    def post(self, address: str, data: Any = None, **headers: str) -> Any:
        return self("post", address, data, headers=headers)

    def upload(self, address: str, data: dict[str, Any], **headers: str) -> Any:
        """As a browser's form sends files."""
        return self.client.post(f"/api/{address}", data=data, headers=self.headers | headers)


def make_script(test: ListeningTest | None = None, role: str = Role.OWNER, name: str = "script") -> Script:
    """Of an account of staff that works on `test` in this role, and on nothing else."""
    user = User.objects.create(username=name, is_staff=True)
    if test is not None:
        Member.objects.create(test=test, user=user, role=role)
    return Script(token_create(user=user, name="a script")[1])


def make_whole_test() -> tuple[ListeningTest, dict[str, str]]:
    """Something behind every address: the test rain, and by the part of an address that comes before it what stands
    for `uuid` there.
    """
    test = make_test(slug="rain", is_simulated=True, recruiter="prolific")
    rating = make_rating(make_pair(test), 7)
    refused = ClipImport.objects.create(test=test, archive_name="rain.zip", status=ClipImportStatus.REFUSED)
    refused.findings.create(kind=FindingKind.PROBLEM, line=2, column="caption", reason="It is empty.")
    screening = Screening.objects.create(test=test, rules="", digest="0" * 64, n_raters=0, n_answers=0)
    question = test.questions.get()
    summary = {"systems": {"systems": [], "differences": [], "draws": 0}}
    results = ComputedResults.objects.create(
        test=test, question=question, status=ResultsStatus.DONE, computed_at=timezone.now(), summary=summary
    )
    PairResult.objects.create(results=results, pair=rating.pair, mean=7, n=1)
    pilot, _ = pilot_make(test=test, n_raters=2, n_careless=1)
    behind = {
        "clips": rating.pair.clip,
        "items": rating.pair,
        "raters": rating.rater,
        "runs": make_done_run(test),
        "uploads": refused,
        "screenings": screening,
        "pilots": pilot,
        "scorings": make_scoring(test),
    }
    return test, {part: str(row.uuid) for part, row in behind.items()}


def make_scoring(test: ListeningTest) -> ScoringJob:
    """One that is done, and left its table."""
    job = ScoringJob.objects.create(
        test=test,
        kind=ScoringKind.LIST,
        base_model="builtin",
        status=ScoringStatus.DONE,
        finished_at=timezone.now(),
        total=1,
        done=1,
    )
    scores_path(job).parent.mkdir(parents=True)
    scores_path(job).write_text("file,caption,cosine,score,score_sd\r\na.wav,Rain,0.5,5.0,\r\n")
    return job
