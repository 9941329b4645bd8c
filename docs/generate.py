"""Write the pages of docs/reference that follow from the code.

Without arguments it writes them; with `--check` it exits with 1 where one is stale.
"""

import sys
from pathlib import Path

from generator.commands import command_page
from generator.declaration import declaration_page, target_page

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py: change the code, then run it. -->"
PAGES = {
    "declaration.md": declaration_page,
    "kubernetes.md": target_page,
    "cli.md": command_page,
}


def main() -> None:
    """Write or check every page."""
    stale = []
    for name, page in PAGES.items():
        path, text = REFERENCE / name, f"{NOTE}\n\n{page()}"
        if "--check" not in sys.argv[1:]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(f"docs/reference/{name}")
    if stale:
        sys.exit(f"stale: {', '.join(stale)}; run `python docs/generate.py`")


if __name__ == "__main__":
    main()
