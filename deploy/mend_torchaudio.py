"""Lets torchaudio load beside a torch that was built without CUDA.

Its wheel carries libraries linked against CUDA, and dies on importing them where torch has none. All that Earmark uses
of torchaudio is Python, and a library file that is missing counts as "not available": so the files are moved aside.
"""

import importlib.util
import sys
from pathlib import Path


def main() -> int:
    import torch

    found = importlib.util.find_spec("torchaudio")
    if found is None or found.origin is None or torch.version.cuda is not None:
        return 0
    library = Path(found.origin).parent / "lib"
    aside = library / "aside"
    linked = sorted(library.glob("*.so"))
    if linked:
        aside.mkdir(exist_ok=True)
        for file in linked:
            file.rename(aside / file.name)
        sys.stdout.write(f"torch has no CUDA here: {len(linked)} CUDA libraries of torchaudio were moved to {aside}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
