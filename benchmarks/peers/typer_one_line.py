"""A bare Typer command that prints one line."""

import typer


def main() -> None:
    """Print a line."""
    print("jsmsso.yaml")


if __name__ == "__main__":
    typer.run(main)
