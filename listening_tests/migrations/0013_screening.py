"""Rules that raters are screened by, what they found of each rater, and screenings that can be taken back."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('listening_tests', '0012_recruitment'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Screening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('rules', models.TextField(help_text='The rules that counted, one a line, as they stood.')),
                ('digest', models.CharField(max_length=64)),
                ('n_raters', models.PositiveIntegerField()),
                ('n_answers', models.PositiveIntegerField(help_text='Answers of theirs, of every role and question.')),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('test', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='screenings', to='listening_tests.listeningtest')),
                ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='exclusion',
            name='screening',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='exclusions', to='listening_tests.screening'),
        ),
        migrations.CreateModel(
            name='ScreeningRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(choices=[('anchors', 'Anchors'), ('gold', 'Gold pairs'), ('trap', 'Instructed traps'), ('repeats', 'Hidden repeats'), ('straight-lining', 'One answer in a row'), ('low-variance', 'Scores that hardly vary'), ('too-fast', 'Too fast'), ('play-evidence', 'Played and heard'), ('agreement', 'Agreement with the others'), ('headphones', 'Headphone check')], max_length=20)),
                ('is_enabled', models.BooleanField(default=True)),
                ('limit', models.FloatField()),
                ('at_least', models.PositiveIntegerField(help_text='Observations; with fewer the rule could not check.')),
                ('tolerance', models.FloatField(default=0)),
                ('how', models.CharField(blank=True, choices=[('sum', 'their sum'), ('mean', 'their mean'), ('any', 'the highest of them')], max_length=4)),
                ('for_pay', models.BooleanField(default=False)),
                ('for_use', models.BooleanField(default=False)),
                ('test', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='screening_rules', to='listening_tests.listeningtest')),
            ],
        ),
        migrations.CreateModel(
            name='RuleOutcome',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(choices=[('anchors', 'Anchors'), ('gold', 'Gold pairs'), ('trap', 'Instructed traps'), ('repeats', 'Hidden repeats'), ('straight-lining', 'One answer in a row'), ('low-variance', 'Scores that hardly vary'), ('too-fast', 'Too fast'), ('play-evidence', 'Played and heard'), ('agreement', 'Agreement with the others'), ('headphones', 'Headphone check')], max_length=20)),
                ('version', models.PositiveIntegerField()),
                ('outcome', models.CharField(choices=[('passed', 'Passed'), ('failed', 'Failed'), ('unchecked', 'Could not be checked')], max_length=10)),
                ('value', models.FloatField(blank=True, null=True)),
                ('limit', models.FloatField()),
                ('n', models.PositiveIntegerField(help_text='Observations that the value rests on.')),
                ('for_pay', models.BooleanField()),
                ('for_use', models.BooleanField()),
                ('computed_at', models.DateTimeField()),
                ('rater', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rule_outcomes', to='listening_tests.rater')),
                ('test', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rule_outcomes', to='listening_tests.listeningtest')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('outcome', 'failed')), fields=['test', 'rater'], name='rule_outcome_failed')],
                'constraints': [models.UniqueConstraint(fields=('test', 'rule', 'rater'), name='rule_outcome_once_for_rater'), models.CheckConstraint(condition=models.Q(('rule__in', ['anchors', 'gold', 'trap', 'repeats', 'straight-lining', 'low-variance', 'too-fast', 'play-evidence', 'agreement', 'headphones'])), name='rule_outcome_rule_known'), models.CheckConstraint(condition=models.Q(('outcome__in', ['passed', 'failed', 'unchecked'])), name='rule_outcome_known')],
            },
        ),
        migrations.AddConstraint(
            model_name='screening',
            constraint=models.UniqueConstraint(condition=models.Q(('undone_at__isnull', True)), fields=('test',), name='screening_one_in_force_for_test'),
        ),
        migrations.AddConstraint(
            model_name='screeningrule',
            constraint=models.UniqueConstraint(fields=('test', 'rule'), name='screening_rule_once_in_test'),
        ),
        migrations.AddConstraint(
            model_name='screeningrule',
            constraint=models.CheckConstraint(condition=models.Q(('rule__in', ['anchors', 'gold', 'trap', 'repeats', 'straight-lining', 'low-variance', 'too-fast', 'play-evidence', 'agreement', 'headphones'])), name='screening_rule_known'),
        ),
        migrations.AddConstraint(
            model_name='screeningrule',
            constraint=models.CheckConstraint(condition=models.Q(('at_least__gte', 1)), name='screening_rule_observes_something'),
        ),
        migrations.AddConstraint(
            model_name='screeningrule',
            constraint=models.CheckConstraint(condition=models.Q(('tolerance__gte', 0)), name='screening_rule_tolerance_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='screeningrule',
            constraint=models.CheckConstraint(condition=models.Q(('how__in', ['', 'sum', 'mean', 'any'])), name='screening_rule_how_known'),
        ),
    ]
