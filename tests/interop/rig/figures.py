"""Figures that a test has to tell beside its verdict."""

import os


def tell(line):
    """Prints the line, and appends it to the file that CYGNET_FIGURES names, if any: CTest shows the
    output of failed tests only, scripts/test ends with that file."""
    print(line)
    path = os.environ.get("CYGNET_FIGURES")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")
