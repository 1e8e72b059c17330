"""Whether raters listen with headphones: asked where the test says so, and kept with the sitting."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('listening_tests', '0007_answers_hold_to_their_question'),
    ]

    operations = [
        migrations.AddField(
            model_name='listeningtest',
            name='headphone_check',
            field=models.CharField(choices=[('none', 'None'), ('anti_phase', 'Anti-phase tones (Woods et al. 2017)'), ('huggins', 'Huggins pitch (Milne et al. 2021)')], default='none', help_text='After the sound set-up, of sittings that begin from now on. What it finds is kept with the sitting.', max_length=10),
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='headphones_required',
            field=models.BooleanField(default=False, help_text='Who fails the check twice cannot rate. Without this it keeps nobody from rating. What could not be checked is never held against a rater.'),
        ),
        migrations.AddField(
            model_name='session',
            name='headphone_attempts',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='session',
            name='headphone_check',
            field=models.CharField(choices=[('none', 'None'), ('anti_phase', 'Anti-phase tones (Woods et al. 2017)'), ('huggins', 'Huggins pitch (Milne et al. 2021)')], default='none', max_length=10),
        ),
        migrations.AddField(
            model_name='session',
            name='headphones',
            field=models.CharField(choices=[('passed', 'Passed'), ('failed', 'Failed'), ('unchecked', 'Could not be checked')], default='unchecked', max_length=10),
        ),
        migrations.AddField(
            model_name='session',
            name='headphones_at',
            field=models.DateTimeField(blank=True, help_text='When the check was done: passed, failed for good, or left.', null=True),
        ),
        migrations.AddField(
            model_name='session',
            name='headphones_right',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Trials that were right at the last attempt.', null=True),
        ),
        migrations.AlterField(
            model_name='session',
            name='status',
            field=models.CharField(choices=[('active', 'Active'), ('complete', 'Complete'), ('cut_short', 'Cut short by the platform'), ('screened', 'Ended by a check'), ('withdrawn', 'Withdrawn by the rater')], default='active', max_length=10),
        ),
        migrations.AddConstraint(
            model_name='listeningtest',
            constraint=models.CheckConstraint(condition=models.Q(('headphone_check__in', ['none', 'anti_phase', 'huggins'])), name='test_headphone_check_known'),
        ),
        migrations.AddConstraint(
            model_name='listeningtest',
            constraint=models.CheckConstraint(condition=models.Q(('headphones_required', False), models.Q(('headphone_check', 'none'), _negated=True), _connector='OR'), name='test_headphones_required_are_checked'),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.CheckConstraint(condition=models.Q(('headphone_check__in', ['none', 'anti_phase', 'huggins'])), name='session_headphone_check_known'),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.CheckConstraint(condition=models.Q(('headphones__in', ['passed', 'failed', 'unchecked'])), name='session_headphones_known'),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.CheckConstraint(condition=models.Q(('headphones', 'unchecked'), models.Q(('headphones_right__isnull', False), models.Q(('headphone_check', 'none'), _negated=True)), _connector='OR'), name='session_headphones_outcome_has_its_check'),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.CheckConstraint(condition=models.Q(('headphones_right__isnull', True), ('headphones_right__lte', 6), _connector='OR'), name='session_headphones_right_of_trials'),
        ),
    ]
