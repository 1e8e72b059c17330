"""A report of a sound that would not play names the pair, for a trial has several of them."""

import django.db.models.deletion
from django.db import migrations, models

# Before there were trials, the assignment said it. Reports on trials from before stay without: nobody knows which clip.
FILL = """
UPDATE listening_tests_problemreport report SET pair_id = assignment.pair_id
    FROM listening_tests_assignment assignment
    WHERE assignment.id = report.assignment_id AND assignment.pair_id IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("listening_tests", "0009_own_split")]
    operations = [
        migrations.AddField(
            model_name="problemreport",
            name="pair",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="problem_reports",
                to="listening_tests.pair",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        # Of a draft: a pair, or the whole test, can be taken out though trials were made of it.
        migrations.AlterField(
            model_name="trialpair",
            name="pair",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="trial_places",
                to="listening_tests.pair",
            ),
        ),
    ]
