"""What a rater agreed to is kept with the agreement: the test may be set up otherwise later."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('listening_tests', '0004_count_what_is_saved'),
    ]

    operations = [
        migrations.AddField(
            model_name='consent',
            name='withdrawn_ratings',
            field=models.CharField(choices=[('delete', 'Delete them'), ('exclude', 'Keep them, but leave them out of every analysis')], default='delete', max_length=10),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('withdrawn_ratings__in', ['delete', 'exclude'])), name='consent_withdrawn_ratings_known'),
        ),
    ]
