"""Three kinds of tests: rating, paired comparison, side by side. Trials, presentations, comparisons, scale labels."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.math
import django.db.models.lookups
import listening_tests.models.stimuli
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('listening_tests', '0005_what_consent_promised'),
    ]

    operations = [
        migrations.CreateModel(
            name='Comparison',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('client_uuid', models.UUIDField(help_text='Made where the answer was given; a repeat carries it again.', unique=True)),
                ('source', models.CharField(choices=[('collected', 'Collected'), ('imported', 'Imported'), ('simulated', 'Simulated')], default='collected', max_length=10)),
                ('shown_at', models.DateTimeField(blank=True, null=True)),
                ('submitted_at', models.DateTimeField()),
                ('late', models.BooleanField(default=False, help_text='It came after its lease had ended.')),
                ('too_soon', models.BooleanField(default=False, help_text='It came sooner than its clips could have been heard.')),
                ('choice', models.CharField(choices=[('first', 'A'), ('second', 'B'), ('none', 'No difference')], max_length=6)),
                ('first_plays', models.PositiveIntegerField(blank=True, help_text='How often its clip was started.', null=True)),
                ('first_heard_s', models.FloatField(blank=True, null=True, verbose_name='seconds heard of the first')),
                ('second_plays', models.PositiveIntegerField(blank=True, help_text='How often its clip was started.', null=True)),
                ('second_heard_s', models.FloatField(blank=True, null=True, verbose_name='seconds heard of the second')),
            ],
            options={
                'ordering': ['id'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Presentation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.PositiveSmallIntegerField()),
            ],
            options={
                'ordering': ['place'],
            },
        ),
        migrations.CreateModel(
            name='ScaleLabel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('value', models.FloatField()),
                ('text', models.CharField(max_length=80)),
            ],
            options={
                'ordering': ['value'],
            },
        ),
        migrations.CreateModel(
            name='Trial',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('role', models.CharField(choices=[('study', 'Study'), ('anchor', 'Anchor'), ('gold', 'Gold'), ('practice', 'Practice')], default='study', max_length=10)),
                ('load', models.PositiveIntegerField(default=0, editable=False)),
                ('shuffle_key', models.FloatField(default=listening_tests.models.stimuli.new_shuffle_key, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='TrialPair',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='question',
            name='question_step_positive',
        ),
        migrations.RemoveConstraint(
            model_name='rating',
            name='rating_once_for_assignment_question',
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='kind',
            field=models.CharField(choices=[('rating', 'Rating: one sound at a time, scored'), ('comparison', 'Paired comparison: two sounds, which one is better'), ('side_by_side', 'Side by side: several sounds of one caption, each scored')], default='rating', help_text='What raters do. It stays as it is once the test has clips.', max_length=12),
        ),
        migrations.AddField(
            model_name='rating',
            name='place',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Counted from 1, in a trial of several.', null=True),
        ),
        migrations.AddField(
            model_name='rating',
            name='scale_step',
            field=models.FloatField(db_default=1, default=1, help_text='0 for a continuous scale.'),
        ),
        migrations.AlterField(
            model_name='assignment',
            name='pair',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='listening_tests.pair'),
        ),
        migrations.AlterField(
            model_name='exclusion',
            name='rating',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='exclusions', to='listening_tests.rating'),
        ),
        migrations.AlterField(
            model_name='pair',
            name='caption',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='listening_tests.caption'),
        ),
        migrations.AlterField(
            model_name='pair',
            name='test',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='%(class)ss', to='listening_tests.listeningtest'),
        ),
        migrations.AlterField(
            model_name='question',
            name='max_label',
            field=models.CharField(blank=True, default='matches perfectly', max_length=80),
        ),
        migrations.AlterField(
            model_name='question',
            name='min_label',
            field=models.CharField(blank=True, default='does not match at all', max_length=80),
        ),
        migrations.AlterField(
            model_name='question',
            name='scale_step',
            field=models.FloatField(default=1, help_text='0 for a continuous scale.'),
        ),
        migrations.AlterField(
            model_name='rating',
            name='assignment',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='listening_tests.assignment'),
        ),
        migrations.AlterField(
            model_name='rating',
            name='client_uuid',
            field=models.UUIDField(help_text='Made where the answer was given; a repeat carries it again.', unique=True),
        ),
        migrations.AlterField(
            model_name='rating',
            name='question',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='listening_tests.question'),
        ),
        migrations.AlterField(
            model_name='rating',
            name='rater',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='listening_tests.rater'),
        ),
        migrations.AlterField(
            model_name='rating',
            name='test',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='%(class)ss', to='listening_tests.listeningtest'),
        ),
        migrations.AlterField(
            model_name='rating',
            name='too_soon',
            field=models.BooleanField(default=False, help_text='It came sooner than its clips could have been heard.'),
        ),
        migrations.AddConstraint(
            model_name='listeningtest',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['rating', 'comparison', 'side_by_side'])), name='test_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='question',
            constraint=models.CheckConstraint(condition=models.Q(('scale_step__gte', 0)), name='question_step_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='question',
            constraint=models.UniqueConstraint(fields=('id', 'test', 'scale_min', 'scale_max', 'scale_step'), name='question_with_its_scale'),
        ),
        migrations.AddConstraint(
            model_name='question',
            constraint=models.UniqueConstraint(fields=('id', 'test'), name='question_with_its_test'),
        ),
        migrations.AddField(
            model_name='comparison',
            name='assignment',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='listening_tests.assignment'),
        ),
        migrations.AddField(
            model_name='comparison',
            name='first',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comparisons_as_first', to='listening_tests.pair'),
        ),
        migrations.AddField(
            model_name='comparison',
            name='question',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='listening_tests.question'),
        ),
        migrations.AddField(
            model_name='comparison',
            name='rater',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='listening_tests.rater'),
        ),
        migrations.AddField(
            model_name='comparison',
            name='second',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comparisons_as_second', to='listening_tests.pair'),
        ),
        migrations.AddField(
            model_name='comparison',
            name='test',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='%(class)ss', to='listening_tests.listeningtest'),
        ),
        migrations.AddField(
            model_name='exclusion',
            name='comparison',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='exclusions', to='listening_tests.comparison'),
        ),
        migrations.AddConstraint(
            model_name='exclusion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('comparison__isnull', True), ('rating__isnull', False)), models.Q(('comparison__isnull', False), ('rating__isnull', True)), _connector='OR'), name='exclusion_of_one_answer'),
        ),
        migrations.AddConstraint(
            model_name='exclusion',
            constraint=models.UniqueConstraint(fields=('comparison', 'rule', 'version'), name='exclusion_of_comparison_once_by_rule'),
        ),
        migrations.AddField(
            model_name='presentation',
            name='assignment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='presentations', to='listening_tests.assignment'),
        ),
        migrations.AddField(
            model_name='presentation',
            name='pair',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='presentations', to='listening_tests.pair'),
        ),
        migrations.AddField(
            model_name='scalelabel',
            name='question',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='labels', to='listening_tests.question'),
        ),
        migrations.AddField(
            model_name='trial',
            name='caption',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='listening_tests.caption'),
        ),
        migrations.AddField(
            model_name='trial',
            name='test',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='%(class)ss', to='listening_tests.listeningtest'),
        ),
        migrations.AddField(
            model_name='comparison',
            name='trial',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comparisons', to='listening_tests.trial'),
        ),
        migrations.AddField(
            model_name='assignment',
            name='trial',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='listening_tests.trial'),
        ),
        migrations.AddField(
            model_name='rating',
            name='trial',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ratings', to='listening_tests.trial'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('pair__isnull', False), ('trial__isnull', True)), models.Q(('pair__isnull', True), ('trial__isnull', False)), _connector='OR'), name='assignment_of_pair_or_trial'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.UniqueConstraint(fields=('rater', 'trial'), name='assignment_trial_once_for_rater'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.UniqueConstraint(condition=models.Q(('place__isnull', True)), fields=('assignment', 'question'), name='rating_once_for_assignment_question'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.UniqueConstraint(condition=models.Q(('place__isnull', False)), fields=('assignment', 'question', 'place'), name='rating_once_for_place_question'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.UniqueConstraint(condition=models.Q(('place__isnull', False)), fields=('assignment', 'question', 'pair'), name='rating_once_for_pair_question'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('place__isnull', True), ('trial__isnull', True)), models.Q(('place__gte', 1), ('place__isnull', False), ('trial__isnull', False)), _connector='OR'), name='rating_place_in_trial'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(('scale_step__gte', 0)), name='rating_step_not_negative'),
        ),
        migrations.AddField(
            model_name='trialpair',
            name='pair',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='trial_places', to='listening_tests.pair'),
        ),
        migrations.AddField(
            model_name='trialpair',
            name='trial',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='listening_tests.trial'),
        ),
        migrations.AddField(
            model_name='trial',
            name='pairs',
            field=models.ManyToManyField(related_name='trials', through='listening_tests.TrialPair', to='listening_tests.pair'),
        ),
        migrations.AddConstraint(
            model_name='presentation',
            constraint=models.UniqueConstraint(fields=('assignment', 'place'), name='presentation_place_once'),
        ),
        migrations.AddConstraint(
            model_name='presentation',
            constraint=models.UniqueConstraint(fields=('assignment', 'pair'), name='presentation_pair_once'),
        ),
        migrations.AddConstraint(
            model_name='presentation',
            constraint=models.CheckConstraint(condition=models.Q(('place__gte', 1)), name='presentation_place_counts_from_one'),
        ),
        migrations.AddConstraint(
            model_name='scalelabel',
            constraint=models.UniqueConstraint(fields=('question', 'value'), name='scale_label_once_for_value'),
        ),
        migrations.AddIndex(
            model_name='comparison',
            index=models.Index(fields=['test', 'submitted_at'], name='comparison_by_test_and_time'),
        ),
        migrations.AddConstraint(
            model_name='comparison',
            constraint=models.UniqueConstraint(fields=('assignment', 'question'), name='comparison_once_for_assignment_question'),
        ),
        migrations.AddConstraint(
            model_name='comparison',
            constraint=models.CheckConstraint(condition=models.Q(('source__in', ['collected', 'imported', 'simulated'])), name='comparison_source_known'),
        ),
        migrations.AddConstraint(
            model_name='comparison',
            constraint=models.CheckConstraint(condition=models.Q(('choice__in', ['first', 'second', 'none'])), name='comparison_choice_known'),
        ),
        migrations.AddConstraint(
            model_name='comparison',
            constraint=models.CheckConstraint(condition=models.Q(('first', models.F('second')), _negated=True), name='comparison_of_two_pairs'),
        ),
        migrations.AddConstraint(
            model_name='comparison',
            constraint=models.CheckConstraint(condition=models.Q(('source', 'imported'), models.Q(('assignment__isnull', False), ('first_heard_s__gte', 0), ('first_heard_s__isnull', False), ('first_plays__isnull', False), ('second_heard_s__gte', 0), ('second_heard_s__isnull', False), ('second_plays__isnull', False), ('shown_at__isnull', False)), _connector='OR'), name='comparison_has_evidence_unless_imported'),
        ),
        migrations.AddConstraint(
            model_name='trialpair',
            constraint=models.UniqueConstraint(fields=('trial', 'pair'), name='trial_pair_once'),
        ),
        migrations.AddIndex(
            model_name='trial',
            index=models.Index(condition=models.Q(('role', 'practice'), _negated=True), fields=['test', 'load', 'shuffle_key'], name='trial_next'),
        ),
        migrations.AddIndex(
            model_name='trial',
            index=models.Index(fields=['test', 'caption'], name='trial_by_caption'),
        ),
        migrations.AddConstraint(
            model_name='trial',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['study', 'anchor', 'gold', 'practice'])), name='trial_role_known'),
        ),
    ]
