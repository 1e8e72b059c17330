"""Static files under names that tell their content, compressed once: but for what only pages of the API load."""

from collections.abc import Iterable
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

# Swagger UI and the browsable API are large, and compressing them would take longer than all the rest together.
_LEFT_AS_THEY_ARE = ("drf_spectacular_sidecar/", "rest_framework/")


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    def compress_files(self, paths: Iterable[str]) -> Any:
        return super().compress_files([path for path in paths if not path.startswith(_LEFT_AS_THEY_ARE)])
