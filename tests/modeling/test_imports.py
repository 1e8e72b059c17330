"""What the web process may import from modeling brings no torch with it."""

import subprocess
import sys

import pytest

NUMPY_ONLY = [
    "metrics",
    "agreement",
    "bradley_terry",
    "splits",
    "targets",
    "comparisons",
    "config",
    "rows",
    "snapshot",
    "results",
    "study_results.study",
    "synthetic",
    "__main__",
]


@pytest.mark.parametrize("module", NUMPY_ONLY)
def test_numpy_only_modules_load_without_torch(module: str) -> None:
    program = (
        f"import sys, modeling.{module}; "
        "print([name for name in ('torch', 'transformers', 'torchaudio', 'django', 'celery') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"
