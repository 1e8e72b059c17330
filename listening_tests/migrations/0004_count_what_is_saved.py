"""Sittings from before count what they have; those that ended have no questionnaire to come."""

from django.db import migrations
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce


def fill(apps, schema_editor):
    Session = apps.get_model("listening_tests", "Session")
    Assignment = apps.get_model("listening_tests", "Assignment")
    rated = Assignment.objects.filter(session=OuterRef("pk"), rated_at__isnull=False).exclude(pair__role="practice")
    counts = rated.order_by().values("session").annotate(n=Count("pk")).values("n")
    Session.objects.update(saved_count=Coalesce(Subquery(counts), 0))
    Session.objects.filter(~Q(status="active")).update(questionnaire_at=F("finished_at"))


class Migration(migrations.Migration):
    dependencies = [("listening_tests", "0003_the_raters_seat")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
