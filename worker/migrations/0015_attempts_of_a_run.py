from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("worker", "0030_way_back_to_untuned")]

    operations = [
        migrations.AddField(
            "trainingrun",
            "attempt",
            models.PositiveIntegerField(default=0, help_text="How often a process has begun to carry the run out."),
        ),
    ]
