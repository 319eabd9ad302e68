import typer
from jsmsso.cli.render import Result, reports
app = typer.Typer(no_args_is_help=True)
@app.callback()
def g():
    "Profile."
@app.command()
@reports
def path(profile: str) -> Result:
    return Result(data=profile, text=profile)
