"""`python -m textloom`: the command line."""

import sys

from textloom.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
