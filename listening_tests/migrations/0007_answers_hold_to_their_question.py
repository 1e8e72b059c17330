"""Answers hold to their question: the database compares test and scale, and refuses an edited comparison.

Ratings from before get the step of their question. Those whose question was changed since keep what was copied then: the
new foreign key looks at rows from now on.
"""

import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.math
import django.db.models.lookups
from django.db import migrations, models

FILL_STEP = """
ALTER TABLE listening_tests_rating DISABLE TRIGGER rating_never_edited;
-- Each row once: PostgreSQL would look at its foreign keys again after a second change, and refuse to alter the table.
UPDATE listening_tests_rating rating SET scale_step = known.step
    FROM (
        -- A score that a changed question would put off its step is of a scale that nobody knows any more. A step of 0 is
        -- there already where this migration was taken back and comes again.
        SELECT id, CASE WHEN abs(steps - floor(steps + 0.5)) >= 1e-9 THEN 0 ELSE step END AS step
        FROM (
            SELECT rating.id, question.scale_step AS step,
                (rating.score - rating.scale_min) / nullif(question.scale_step, 0) AS steps
            FROM listening_tests_rating rating JOIN listening_tests_question question ON question.id = rating.question_id
        ) counted
    ) known
    WHERE known.id = rating.id AND known.step <> rating.scale_step;
ALTER TABLE listening_tests_rating ENABLE TRIGGER rating_never_edited;
"""
REFER = """
ALTER TABLE listening_tests_rating ADD CONSTRAINT rating_of_question_and_scale
    FOREIGN KEY (question_id, test_id, scale_min, scale_max, scale_step)
    REFERENCES listening_tests_question (id, test_id, scale_min, scale_max, scale_step) NOT VALID;
ALTER TABLE listening_tests_comparison ADD CONSTRAINT comparison_of_question
    FOREIGN KEY (question_id, test_id) REFERENCES listening_tests_question (id, test_id);
CREATE TRIGGER comparison_never_edited BEFORE UPDATE ON listening_tests_comparison
    FOR EACH ROW EXECUTE FUNCTION rating_refuse_update();
"""
LEAVE = """
DROP TRIGGER comparison_never_edited ON listening_tests_comparison;
ALTER TABLE listening_tests_comparison DROP CONSTRAINT comparison_of_question;
ALTER TABLE listening_tests_rating DROP CONSTRAINT rating_of_question_and_scale;
"""


class Migration(migrations.Migration):
    dependencies = [("listening_tests", "0006_kinds_of_tests")]
    operations = [
        migrations.RunSQL(FILL_STEP, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=django.db.models.lookups.LessThan(django.db.models.functions.math.Abs(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('score'), '-', models.F('scale_min')), '/', django.db.models.functions.comparison.NullIf(models.F('scale_step'), 0.0, output_field=models.FloatField())), '-', django.db.models.functions.math.Floor(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('score'), '-', models.F('scale_min')), '/', django.db.models.functions.comparison.NullIf(models.F('scale_step'), 0.0, output_field=models.FloatField())), '+', models.Value(0.5))))), 1e-09), name='rating_score_on_step'),
        ),
        migrations.RunSQL(REFER, LEAVE),
    ]
