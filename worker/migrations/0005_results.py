"""Computed results of questions, and of their pairs and captions."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('listening_tests', '0011_members_and_audit'),
        ('worker', '0003_question_of_a_run'),
    ]

    operations = [
        migrations.CreateModel(
            name='ComputedResults',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='queued', max_length=10)),
                ('message', models.TextField(blank=True)),
                ('requested_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('computed_at', models.DateTimeField(blank=True, null=True)),
                ('n_answers', models.PositiveIntegerField(default=0)),
                ('newest_answer', models.BigIntegerField(default=0)),
                ('n_exclusions', models.PositiveIntegerField(default=0)),
                ('newest_exclusion', models.BigIntegerField(default=0)),
                ('summary', models.JSONField(blank=True, default=dict)),
                ('question', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='computed_results', to='listening_tests.question')),
                ('test', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='computed_results', to='listening_tests.listeningtest')),
            ],
            options={
                'ordering': ['-requested_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='CaptionResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mean', models.FloatField()),
                ('low', models.FloatField(null=True)),
                ('high', models.FloatField(null=True)),
                ('n_pairs', models.PositiveIntegerField()),
                ('n', models.PositiveIntegerField()),
                ('caption', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='listening_tests.caption')),
                ('results', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='caption_results', to='worker.computedresults')),
            ],
        ),
        migrations.CreateModel(
            name='PairResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mean', models.FloatField()),
                ('low', models.FloatField(null=True)),
                ('high', models.FloatField(null=True)),
                ('sd', models.FloatField(null=True)),
                ('n', models.PositiveIntegerField()),
                ('pair', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='listening_tests.pair')),
                ('results', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pair_results', to='worker.computedresults')),
            ],
        ),
        migrations.AddConstraint(
            model_name='computedresults',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'running', 'done', 'failed'])), name='results_status_known'),
        ),
        migrations.AddConstraint(
            model_name='computedresults',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ('queued', 'running'))), fields=('question',), name='results_one_active_for_question'),
        ),
        migrations.AddConstraint(
            model_name='captionresult',
            constraint=models.UniqueConstraint(fields=('results', 'caption'), name='caption_result_once'),
        ),
        migrations.AddConstraint(
            model_name='pairresult',
            constraint=models.UniqueConstraint(fields=('results', 'pair'), name='pair_result_once'),
        ),
    ]
