"""``python -m jsmsso``: the same as the console script."""

from jsmsso.cli.app import main

if __name__ == "__main__":
    main()
