"""Uploads of clips as jobs, and what their dry runs say of each row."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('listening_tests', '0016_notices'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ClipImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('cancelling', 'Cancelling'), ('checked', 'Ready to take in'), ('refused', 'Rows to mend'), ('done', 'Taken in'), ('failed', 'Failed'), ('errored', 'Errored'), ('cancelled', 'Cancelled')], default='queued', max_length=10)),
                ('stage', models.CharField(choices=[('check', 'Dry run'), ('take_in', 'Taking in')], default='check', max_length=10)),
                ('archive_name', models.CharField(max_length=255)),
                ('manifest_name', models.CharField(blank=True, help_text='Empty where it is in the zip.', max_length=255)),
                ('folder', models.CharField(blank=True, help_text='Where the paths of the manifest begin, below the root of the zip.', max_length=2000)),
                ('allow_silent', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('heartbeat_at', models.DateTimeField(blank=True, null=True)),
                ('host', models.CharField(blank=True, max_length=200)),
                ('n_restarts', models.PositiveSmallIntegerField(default=0, help_text='How often it went back to the queue because its process had died.')),
                ('phase', models.CharField(blank=True, max_length=40)),
                ('done', models.PositiveIntegerField(default=0)),
                ('total', models.PositiveIntegerField(default=0)),
                ('n_rows', models.PositiveIntegerField(default=0)),
                ('n_new', models.PositiveIntegerField(default=0, verbose_name='new sounds')),
                ('n_stored', models.PositiveIntegerField(default=0, verbose_name='sounds stored before')),
                ('n_repeated', models.PositiveIntegerField(default=0, verbose_name='rows whose sound another file of the upload holds too')),
                ('n_failed', models.PositiveIntegerField(default=0, verbose_name='sounds that cannot be used')),
                ('n_bad_rows', models.PositiveIntegerField(default=0, verbose_name='rows to mend')),
                ('n_problems', models.PositiveIntegerField(default=0)),
                ('message', models.TextField(blank=True)),
                ('traceback', models.TextField(blank=True)),
                ('requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('test', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clip_imports', to='listening_tests.listeningtest')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ClipImportFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('problem', 'To mend'), ('stored', 'Sound stored before'), ('repeated', "Same sound as another row's")], max_length=10)),
                ('line', models.PositiveIntegerField(help_text='Of the file, where the row begins; the header is line 1.')),
                ('column', models.CharField(blank=True, max_length=60)),
                ('reason', models.TextField()),
                ('clip_import', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='findings', to='listening_tests.clipimport')),
            ],
        ),
        migrations.AddIndex(
            model_name='clipimport',
            index=models.Index(fields=['status', 'heartbeat_at'], name='clip_import_queue'),
        ),
        migrations.AddConstraint(
            model_name='clipimport',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'running', 'cancelling', 'checked', 'refused', 'done', 'failed', 'errored', 'cancelled'])), name='clip_import_status_known'),
        ),
        migrations.AddConstraint(
            model_name='clipimport',
            constraint=models.CheckConstraint(condition=models.Q(('stage__in', ['check', 'take_in'])), name='clip_import_stage_known'),
        ),
        migrations.AddConstraint(
            model_name='clipimport',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('status__in', ['cancelling', 'checked', 'queued', 'refused', 'running'])), models.Q(('finished_at__isnull', False), ('status__in', ['cancelled', 'done', 'errored', 'failed'])), _connector='OR'), name='clip_import_finished_when_it_ended'),
        ),
        migrations.AddIndex(
            model_name='clipimportfinding',
            index=models.Index(fields=['clip_import', 'kind', 'line', 'id'], name='clip_import_findings'),
        ),
        migrations.AddConstraint(
            model_name='clipimportfinding',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['problem', 'stored', 'repeated'])), name='clip_import_finding_kind_known'),
        ),
    ]
