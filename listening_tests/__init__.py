"""Collection: tests, clips, captions, pairs, raters, sessions, assignments, ratings, exclusions, and the rater's pages.

Imports nothing of ours: it knows no model, no torch and no Celery. webapp and worker may import it.
"""
