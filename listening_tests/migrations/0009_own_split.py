"""What ratings that come from elsewhere say: the split of a pair in its own data set, and the sha256 of a sound that is
not here.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('listening_tests', '0008_headphone_check'),
    ]

    operations = [
        migrations.AddField(
            model_name='clip',
            name='named_sha256',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='pair',
            name='own_split',
            field=models.CharField(blank=True, choices=[('train', 'Training'), ('validation', 'Validation'), ('heldout', 'Held out')], help_text='Where the pair came with a data set that is split already.', max_length=10, null=True, verbose_name='split of its data set'),
        ),
        migrations.AddConstraint(
            model_name='pair',
            constraint=models.CheckConstraint(condition=models.Q(('own_split__isnull', True), ('own_split__in', ['train', 'validation', 'heldout']), _connector='OR'), name='pair_own_split_known'),
        ),
    ]
