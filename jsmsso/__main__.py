"""``python -m jsmsso``: the same as the console script."""

from jsmsso.cli.app import main

main()
