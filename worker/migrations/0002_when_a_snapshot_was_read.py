from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("worker", "0001_training_loop"),
    ]

    operations = [
        migrations.AddField(
            model_name="datasetsnapshot",
            name="read_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
