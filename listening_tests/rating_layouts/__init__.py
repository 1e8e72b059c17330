"""Layouts of files of ratings: each says in Earmark's own columns what a file from elsewhere holds.

A new layout is a module here with a class that keeps `layout.Layout`, and a line below.
"""

from listening_tests.rating_layouts.earmark import EarmarkLayout
from listening_tests.rating_layouts.layout import Layout
from listening_tests.rating_layouts.relate import RelateLayout
from listening_tests.rating_layouts.xacle import XacleLayout

LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (RelateLayout(), XacleLayout(), EarmarkLayout())}
