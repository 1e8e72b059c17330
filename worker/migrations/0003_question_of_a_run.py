"""Runs, plans and snapshots name their question; agreement with choices is measured where raters compared."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('worker', '0002_when_a_snapshot_was_read'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='metric',
            name='metric_name_known',
        ),
        migrations.AddField(
            model_name='datasetsnapshot',
            name='n_comparisons',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='datasetsnapshot',
            name='question',
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name='trainingplan',
            name='question',
            field=models.CharField(blank=True, help_text="The name of the question that is trained on. Empty: the test's first.", max_length=40),
        ),
        migrations.AddField(
            model_name='trainingrun',
            name='question',
            field=models.CharField(blank=True, help_text='The name of the question that is trained on.', max_length=40),
        ),
        migrations.AlterField(
            model_name='metric',
            name='name',
            field=models.CharField(choices=[('srcc', 'SRCC'), ('lcc', 'LCC'), ('ktau', 'Kendall tau-b'), ('mse', 'MSE (0 to 10)'), ('agreement', 'Agreement with choices')], max_length=10),
        ),
        migrations.AlterField(
            model_name='trainingrun',
            name='n_ratings_at_start',
            field=models.PositiveIntegerField(default=0, help_text='Study answers of the test, excluded ones included, when the run was asked for: the next run counts from here.'),
        ),
        migrations.AddConstraint(
            model_name='metric',
            constraint=models.CheckConstraint(condition=models.Q(('name__in', ['srcc', 'lcc', 'ktau', 'mse', 'agreement'])), name='metric_name_known'),
        ),
    ]
