"""A test is piloted, opened on a date, and repeats some of its sounds, hidden, within a sitting."""

import django.core.validators
import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('listening_tests', '0013_screening'),
    ]

    operations = [
        migrations.CreateModel(
            name='Pilot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('n_raters', models.PositiveIntegerField()),
                ('n_careless', models.PositiveIntegerField(default=0)),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='queued', max_length=10)),
                ('n_done', models.PositiveIntegerField(default=0)),
                ('n_answers', models.PositiveIntegerField(default=0)),
                ('message', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('heartbeat_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='pair',
            name='pair_once_in_test',
        ),
        migrations.RemoveConstraint(
            model_name='pair',
            name='pair_role_known',
        ),
        migrations.RemoveConstraint(
            model_name='trial',
            name='trial_role_known',
        ),
        migrations.RemoveIndex(
            model_name='pair',
            name='pair_next',
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='closes_at',
            field=models.DateTimeField(blank=True, help_text='UTC. It is closed then for good. Empty: by hand.', null=True, verbose_name='closes on'),
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='opening_refused',
            field=models.TextField(blank=True, db_default='', default='', editable=False),
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='opens_at',
            field=models.DateTimeField(blank=True, help_text='UTC. A draft is opened then by itself. Empty: by hand.', null=True, verbose_name='opens on'),
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='opens_forced',
            field=models.BooleanField(db_default=False, default=False, help_text='What the checklist says is essential is needed in any case.', verbose_name='also where something advised is missing'),
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='pilot_of',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='pilots', to='listening_tests.listeningtest'),
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='repeats_per_session',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='So many sounds of a sitting come a second time, later in it and unmarked. Only where sounds are rated one at a time.', validators=[django.core.validators.MaxValueValidator(20)], verbose_name='hidden repeats a session'),
        ),
        migrations.AddField(
            model_name='pair',
            name='repeat_of',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='repeats', to='listening_tests.pair'),
        ),
        migrations.AddField(
            model_name='session',
            name='planned_repeats',
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name='pair',
            name='role',
            field=models.CharField(choices=[('study', 'Study'), ('anchor', 'Anchor'), ('gold', 'Gold'), ('practice', 'Practice'), ('repeat', 'Hidden repeat')], default='study', max_length=10),
        ),
        migrations.AlterField(
            model_name='trial',
            name='role',
            field=models.CharField(choices=[('study', 'Study'), ('anchor', 'Anchor'), ('gold', 'Gold'), ('practice', 'Practice'), ('repeat', 'Hidden repeat')], default='study', max_length=10),
        ),
        migrations.AddIndex(
            model_name='pair',
            index=models.Index(condition=models.Q(('role__in', ['practice', 'repeat']), _negated=True), fields=['test', 'load', 'shuffle_key'], name='pair_next'),
        ),
        migrations.AddConstraint(
            model_name='listeningtest',
            constraint=models.CheckConstraint(condition=models.Q(('opens_at__isnull', True), ('closes_at__isnull', True), ('opens_at__lt', models.F('closes_at')), _connector='OR'), name='test_opens_before_it_closes'),
        ),
        migrations.AddConstraint(
            model_name='listeningtest',
            constraint=models.CheckConstraint(condition=models.Q(('pilot_of__isnull', True), ('is_simulated', True), _connector='OR'), name='test_pilot_is_simulated'),
        ),
        migrations.AddConstraint(
            model_name='pair',
            constraint=models.UniqueConstraint(condition=models.Q(('repeat_of__isnull', True)), fields=('test', 'clip', 'caption'), name='pair_once_in_test'),
        ),
        migrations.AddConstraint(
            model_name='pair',
            constraint=models.UniqueConstraint(fields=('repeat_of',), name='pair_repeated_once'),
        ),
        migrations.AddConstraint(
            model_name='pair',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('repeat_of__isnull', True), models.Q(('role', 'repeat'), _negated=True)), models.Q(('repeat_of__isnull', False), ('role', 'repeat')), _connector='OR'), name='pair_repeat_has_its_original'),
        ),
        migrations.AddConstraint(
            model_name='pair',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['study', 'anchor', 'gold', 'practice', 'repeat'])), name='pair_role_known'),
        ),
        migrations.AddConstraint(
            model_name='trial',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['study', 'anchor', 'gold', 'practice', 'repeat'])), name='trial_role_known'),
        ),
        migrations.AddField(
            model_name='pilot',
            name='test',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='pilot', to='listening_tests.listeningtest'),
        ),
        migrations.AddConstraint(
            model_name='pilot',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'running', 'done', 'failed', 'cancelled'])), name='pilot_status_known'),
        ),
        migrations.AddConstraint(
            model_name='pilot',
            constraint=models.CheckConstraint(condition=models.Q(('n_careless__lte', models.F('n_raters'))), name='pilot_careless_are_raters'),
        ),
    ]
