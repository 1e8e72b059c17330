"""Recruiters, a completion code for each outcome, a cap on raters, exclude lists, and what sittings are paid."""

import django.core.validators
import django.db.models.deletion
import listening_tests.models.listening_test
import listening_tests.recruiters
from django.db import migrations, models


def outcomes_of_ended(apps, schema_editor):
    """Sittings that ended before outcomes were kept: as their raters were told."""
    sessions = apps.get_model("listening_tests", "Session").objects
    sessions.filter(status__in=["complete", "cut_short"]).update(outcome="complete")
    sessions.filter(status="screened").update(outcome="screened_out")
    # Who withdrew after the end was shown the code for complete.
    sessions.filter(status="withdrawn", questionnaire_at__isnull=False).update(outcome="complete")


class Migration(migrations.Migration):

    dependencies = [
        ('listening_tests', '0011_members_and_audit'),
    ]

    operations = [
        migrations.CreateModel(
            name='Declined',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('form', models.UUIDField()),
            ],
            options={
                'verbose_name_plural': 'declined',
            },
        ),
        migrations.CreateModel(
            name='ExcludedId',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('claimed_id', models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='RecruitedSitting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('study', models.CharField(blank=True, max_length=200)),
                ('submission', models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='currency',
            field=models.CharField(default='GBP', max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'A currency is three capital letters, such as GBP, USD, EUR or JPY.')]),
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='excluded_tests',
            field=models.ManyToManyField(blank=True, help_text="Who took part in one of these tests cannot begin: known by the recruiter's id, or by the browser.", related_name='excluding_tests', to='listening_tests.listeningtest', verbose_name='not for raters of'),
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='max_raters',
            field=models.PositiveIntegerField(blank=True, help_text='Empty: as many as come. Counted are those who finished, and those who have sounds in hand.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='most raters'),
        ),
        # Tests that are there have none, and say what they said; new ones do.
        migrations.AddField(
            model_name='listeningtest',
            name='no_consent_code',
            field=models.CharField(blank=True, default='', help_text='For who does not want to take part.', max_length=40, verbose_name='code: no consent'),
        ),
        migrations.AlterField(
            model_name='listeningtest',
            name='no_consent_code',
            field=models.CharField(blank=True, default=listening_tests.models.listening_test.new_completion_code, help_text='For who does not want to take part.', max_length=40, verbose_name='code: no consent'),
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='recruiter',
            field=models.CharField(choices=listening_tests.recruiters.recruiter_choices, default='plain', help_text='Where raters are invited. It decides how they go back there, and how the pay list is written.', max_length=20),
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='reward',
            field=models.DecimalField(blank=True, decimal_places=2, help_text='Paid for a whole sitting.', max_digits=8, null=True, validators=[django.core.validators.MinValueValidator(0)]),
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='screened_out_code',
            field=models.CharField(blank=True, default='', help_text='For who was ended by a check before the first sound. Without a code they are asked to return the study.', max_length=40, verbose_name='code: screened out'),
        ),
        migrations.AlterField(
            model_name='listeningtest',
            name='screened_out_code',
            field=models.CharField(blank=True, default=listening_tests.models.listening_test.new_completion_code, help_text='For who was ended by a check before the first sound. Without a code they are asked to return the study.', max_length=40, verbose_name='code: screened out'),
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='screened_out_reward',
            field=models.DecimalField(blank=True, decimal_places=2, help_text='Paid to whom a check ended. Empty: they are asked to return the study, and are not paid.', max_digits=8, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='reward when screened out'),
        ),
        migrations.AddField(
            model_name='listeningtest',
            name='technical_failure_code',
            field=models.CharField(blank=True, default='', help_text='For whom the sounds would not play. Without a code they get the one for complete.', max_length=40, verbose_name='code: technical failure'),
        ),
        migrations.AlterField(
            model_name='listeningtest',
            name='technical_failure_code',
            field=models.CharField(blank=True, default=listening_tests.models.listening_test.new_completion_code, help_text='For whom the sounds would not play. Without a code they get the one for complete.', max_length=40, verbose_name='code: technical failure'),
        ),
        migrations.AddField(
            model_name='session',
            name='outcome',
            field=models.CharField(blank=True, choices=[('complete', 'Complete'), ('screened_out', 'Ended by a check'), ('technical_failure', 'The sounds would not play'), ('no_consent', 'Did not agree to take part')], db_default='', default='', max_length=20),
        ),
        migrations.RunPython(outcomes_of_ended, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='listeningtest',
            name='completion_code',
            field=models.CharField(default=listening_tests.models.listening_test.new_completion_code, help_text='For who rated everything, or got no more sounds because the platform had none left.', max_length=40, verbose_name='code: complete'),
        ),
        migrations.AddConstraint(
            model_name='listeningtest',
            constraint=models.CheckConstraint(condition=models.Q(('max_raters__isnull', True), ('max_raters__gte', 1), _connector='OR'), name='test_max_raters_positive'),
        ),
        migrations.AddConstraint(
            model_name='listeningtest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reward__isnull', True), ('reward__gte', 0), _connector='OR'), models.Q(('screened_out_reward__isnull', True), ('screened_out_reward__gte', 0), _connector='OR')), name='test_rewards_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['', 'complete', 'screened_out', 'technical_failure', 'no_consent'])), name='session_outcome_known'),
        ),
        migrations.AddField(
            model_name='declined',
            name='test',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='declined', to='listening_tests.listeningtest'),
        ),
        migrations.AddField(
            model_name='excludedid',
            name='test',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='excluded_ids', to='listening_tests.listeningtest'),
        ),
        migrations.AddField(
            model_name='recruitedsitting',
            name='identity',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sittings', to='listening_tests.rateridentity'),
        ),
        migrations.AddField(
            model_name='recruitedsitting',
            name='session',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='recruited', to='listening_tests.session'),
        ),
        migrations.AddConstraint(
            model_name='declined',
            constraint=models.UniqueConstraint(fields=('test', 'form'), name='declined_once_by_form'),
        ),
        migrations.AddConstraint(
            model_name='excludedid',
            constraint=models.UniqueConstraint(fields=('test', 'claimed_id'), name='excluded_id_once_in_test'),
        ),
    ]
