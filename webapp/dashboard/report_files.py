"""Reports as one HTML file that needs no other: styles and pictures are in it, and nothing is asked of any server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from webapp.dashboard.figures import ReportTable
from webapp.dashboard.report_contents import ShownPicture

# Colours and type as on every page, then what a report needs of its own.
STYLES = ("earmark/tokens.css", "dashboard/report_file.css")


def html_file(contents: Mapping[str, Any], tables: Mapping[str, ReportTable]) -> SafeString:
    """The file of `report_contents.contents_of_run` or `contents_of_test`."""
    from webapp.dashboard.report_pictures import inline_picture  # loads matplotlib

    is_simulated = contents["test"].is_simulated
    pictures = {
        name: ShownPicture(table, inline=inline_picture(table, is_simulated=is_simulated))
        for name, table in tables.items()
    }
    context = {**contents, "pictures": pictures, "styles": _styles(), "is_file": True}
    return render_to_string("dashboard/report_file.html", context)


def _styles() -> SafeString:
    """Our own files, as they lie in the sources."""
    found = [finders.find(name) for name in STYLES]
    return mark_safe("\n".join(Path(str(path)).read_text(encoding="utf-8") for path in found))  # noqa: S308
