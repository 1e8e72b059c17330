"""A rating says for ever what was given: the database itself refuses to change one."""

from django.db import migrations

FORBID = """
CREATE FUNCTION rating_refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Ratings are never edited; leave one out by an exclusion instead.'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER rating_never_edited BEFORE UPDATE ON listening_tests_rating
    FOR EACH ROW EXECUTE FUNCTION rating_refuse_update();
"""
ALLOW = """
DROP TRIGGER rating_never_edited ON listening_tests_rating;
DROP FUNCTION rating_refuse_update();
"""


class Migration(migrations.Migration):
    dependencies = [("listening_tests", "0001_collection")]
    operations = [migrations.RunSQL(FORBID, ALLOW)]
