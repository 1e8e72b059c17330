"""A test as its raters will see it, for staff: the real pages with a few of the real sounds. Nothing is stored."""
