"""A bare Typer application with two commands."""

import typer

app = typer.Typer()


@app.command()
def greet(name: str) -> None:
    """Say hello."""
    print(f"Hello, {name}.")


@app.command()
def leave(name: str) -> None:
    """Say goodbye."""
    print(f"Goodbye, {name}.")


if __name__ == "__main__":
    app()
