"""How far a test's screening is computed, what it would change, and which checks are to be doubted."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('listening_tests', '0013_screening'),
        ('worker', '0005_results'),
    ]

    operations = [
        migrations.CreateModel(
            name='ScreeningState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_at', models.DateTimeField(blank=True, null=True)),
                ('computed_at', models.DateTimeField(blank=True, null=True)),
                ('newest_answer_at', models.DateTimeField(blank=True, null=True)),
                ('n_raters', models.PositiveIntegerField(default=0)),
                ('n_answers', models.PositiveIntegerField(default=0, help_text='To the first question, practice apart.')),
                ('n_failing', models.PositiveIntegerField(default=0, help_text='Raters who fail a rule that counts for use.')),
                ('n_failing_answers', models.PositiveIntegerField(default=0, help_text='Answers of theirs, to all questions.')),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('message', models.TextField(blank=True, help_text='Why the last computation came to nothing.')),
                ('test', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='screening_state', to='listening_tests.listeningtest')),
            ],
        ),
        migrations.CreateModel(
            name='ScreeningAlarm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(choices=[('anchors', 'Anchors'), ('gold', 'Gold pairs'), ('trap', 'Instructed traps'), ('repeats', 'Hidden repeats'), ('straight-lining', 'One answer in a row'), ('low-variance', 'Scores that hardly vary'), ('too-fast', 'Too fast'), ('play-evidence', 'Played and heard'), ('agreement', 'Agreement with the others'), ('headphones', 'Headphone check')], max_length=20)),
                ('kind', models.CharField(choices=[('fails-more', 'Fails more than before'), ('fails-most', 'Fails most'), ('ceased', 'Has ceased to answer')], max_length=12)),
                ('recent_hits', models.PositiveIntegerField()),
                ('recent_n', models.PositiveIntegerField()),
                ('earlier_hits', models.PositiveIntegerField()),
                ('earlier_n', models.PositiveIntegerField()),
                ('p', models.FloatField(help_text='How likely chance alone would do this.')),
                ('since', models.DateTimeField()),
                ('test', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='screening_alarms', to='listening_tests.listeningtest')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('test', 'rule', 'kind'), name='screening_alarm_once'), models.CheckConstraint(condition=models.Q(('kind__in', ['fails-more', 'fails-most', 'ceased'])), name='screening_alarm_known')],
            },
        ),
        migrations.CreateModel(
            name='ScreeningFigure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(choices=[('raters', 'Raters'), ('answers', 'Study answers'), ('items', 'Pairs or trials with an answer'), ('icc1', 'ICC(1,1)'), ('reliability', "Reliability of the pairs' means"), ('ceiling_srcc', 'Ceiling SRCC'), ('mean', 'Mean score'), ('strength', 'Bradley-Terry score')], max_length=20)),
                ('system', models.CharField(blank=True, help_text='Empty: of the whole test.', max_length=120)),
                ('now', models.FloatField(null=True)),
                ('then', models.FloatField(null=True)),
                ('question', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='listening_tests.question')),
                ('state', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='figures', to='worker.screeningstate')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('state', 'question', 'name', 'system'), name='screening_figure_once'), models.CheckConstraint(condition=models.Q(('name__in', ['raters', 'answers', 'items', 'icc1', 'reliability', 'ceiling_srcc', 'mean', 'strength'])), name='screening_figure_known')],
            },
        ),
    ]
