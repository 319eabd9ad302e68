"""``jsmsso portals``: pull the service desks, list them, and print the links that customers are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jsmsso.cli.render import Result, reports

if TYPE_CHECKING:
    from rich.console import Console

    from jsmsso.jsm.portals import Plan
    from jsmsso.jsm.requests.buildable import TypeCount
    from jsmsso.profile.model import Portal, Profile

app = typer.Typer(no_args_is_help=True, add_completion=False)

MARKS = {
    "added": ("new", "green"),
    "renamed": ("renamed", "yellow"),
    "gone": ("gone", "red"),
    "back": ("back", "green"),
    "pruned": ("pruned", "red"),
}
COUNTED = ("added", "renamed", "gone")
ISSUE_KEY = "${issue.key}"  # a variable of JSM's notification templates
MOST_NAMED = 5  # request types in one line
MOST_ROWS = 100  # that a person is shown after a synchronization; thousands of them push its result out of sight


@app.callback()
def portals() -> None:
    """Pull the service desks and print a portal link for each."""


@app.command()
@reports
def sync(
    profile: str,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 where the profile and JSM differ.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete portals whose service desk is gone.")] = False,
    types: Annotated[
        bool, typer.Option("--types", help="Count the request types that cannot be raised in a hosted portal (calls for each type).")
    ] = False,
) -> Result:
    """Bring the profile's portals up to date with JSM's service desks.

    New portals are added, names and addresses follow JSM, and portals whose
    service desk is gone are marked; what you wrote into the file stays.
    Nothing is written when anything fails.
    """
    from datetime import date

    from jsmsso.cli.counting import counting
    from jsmsso.jsm.connection import open_site
    from jsmsso.jsm.portals import mode_of_new_portals, pull_portals
    from jsmsso.jsm.requests.buildable import count_types
    from jsmsso.jsm.token_expiry import expiry_warning
    from jsmsso.jsm.writing import plan_portals, write_portals
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.outgoing import http_client
    from jsmsso.profile.reading import read_profile

    path = locate_profile(profile)
    before = read_profile(path)
    with counting() as bars:
        client, site = open_site(before, path, http_client(before, path), bars.patience)
        pulled = pull_portals(client, bars.bar("Service desks"), bars.bar("Request types"))
        desks = [portal.service_desk for portal in pulled] if types else []
        counted = count_types(client, site, desks, bars.bar("Forms")) if types else ()
    mode = mode_of_new_portals(site)
    if check:
        plan, written = plan_portals(before.portals, pulled, mode, prune=prune), False
    else:
        plan, written = write_portals(path, pulled, mode, prune=prune)
    rows = _rows_of(plan, before)
    warnings = [expiry_warning(before.jsm.api_token_expires if before.jsm else None, date.today())]  # noqa: DTZ011 - a person's day
    if site.is_cloud and (open_ones := [row["key"] for row in rows if row["mode"] == "redirect"]):
        warnings.append(_redirect_on_cloud(open_ones))
    data = {
        **{what: [_changed(change) for change in plan.of(what)] for what in ("added", "renamed", "gone", "back", "pruned")},
        "portals": [{name: row[name] for name in ("key", "id", "name", "url", "link", "mode")} for row in rows],
        "profile": str(path),
        "written": written,
    }
    lines = _summary(plan, str(path), written=written, check=check, rows=rows)
    if types:
        key_of = {portal.service_desk: portal.key for portal in pulled}
        told = [_types_of(key_of[count.service_desk], count) for count in counted]
        data["types"] = told
        lines = [*_told_types(told), *lines]
    return Result(
        data=data,
        text=_drawn(*_worth_showing(rows, lines)),
        warnings=tuple(filter(None, warnings)),
        exit_code=1 if check and not plan.is_empty else 0,
    )


@app.command("list")
@reports
def list_(profile: str) -> Result:
    """List the portals of the profile."""
    found = _read(profile)
    rows = [_row(portal, found) for portal in found.portals]
    text = _drawn(rows, []) if rows else "The profile has no portals yet.\nNext: jsmsso portals sync"
    return Result(data=[_public(row, portal) for row, portal in zip(rows, found.portals, strict=True)], text=text)


@app.command()
@reports
def links(
    profile: str,
    emails: Annotated[
        bool, typer.Option("--emails", help="Print what to paste into JSM's customer notifications, so that mails lead here.")
    ] = False,
) -> Result:
    """Print the portal links that customers are given, one a line."""
    found = _read(profile)
    if emails:
        return _for_emails(found)
    rows = [_row(portal, found) for portal in found.portals if not portal.gone]
    text = "\n".join(f"{row['link']}  {row['name']}" for row in rows) or "The profile has no portals yet.\nNext: jsmsso portals sync"
    return Result(data=[{name: row[name] for name in ("key", "name", "link")} for row in rows], text=text)


def _for_emails(profile: Profile) -> Result:
    """For each portal whose requests customers see here, the address of the request that a mail is about."""
    rows = [
        {"key": portal.key, "name": portal.name, "link": f"{_link(profile, portal.key)}/{ISSUE_KEY}"}
        for portal in profile.portals
        if not portal.gone and portal.mode != "native"
    ]
    if not rows:
        return Result(data=[], text="The profile has no portals yet.\nNext: jsmsso portals sync")
    lines = [f"{row['key']}  {row['link']}" for row in rows]
    lines += ["", "Paste each into its project: Project settings > Customer notifications, in place of the request's link."]
    lines += [f"{ISSUE_KEY} is JSM's variable for the request's key: leave it as it is."]
    return Result(data=rows, text="\n".join(lines))


def _read(profile: str) -> Profile:
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.reading import read_profile

    return read_profile(locate_profile(profile))


def _row(portal: Portal, profile: Profile) -> dict[str, str]:
    return {
        "key": portal.key,
        "id": portal.id,
        "name": portal.name,
        "url": portal.url,
        "link": _link(profile, portal.key),
        "mode": portal.mode,
        "what": "gone" if portal.gone else "same",
    }


def _public(row: dict[str, str], portal: Portal) -> dict[str, Any]:
    shown: dict[str, Any] = {name: row[name] for name in ("key", "id", "name", "url", "link", "mode")}
    return {**shown, "gone": True} if portal.gone else shown


def _rows_of(plan: Plan, profile: Profile) -> list[dict[str, str]]:
    """The portals as they are after the plan, in the file's order."""
    rows = []
    for change in plan.changes:
        portal = change.after or change.before
        if portal is not None and change.what != "pruned":
            shown = {name: getattr(portal, name) for name in ("key", "id", "name", "url")}
            rows.append({**shown, "link": _link(profile, portal.key), "mode": change.mode, "what": change.what})
    return rows


def _link(profile: Profile, key: str) -> str:
    return f"{profile.public_url}/portal/{key}"


def _changed(change: Any) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for when, portal in (("before", change.before), ("after", change.after)):
        told[when] = {name: getattr(portal, name) for name in ("key", "id", "name", "url")} if portal is not None else None
    return told


def _redirect_on_cloud(keys: list[str]) -> str:
    return (
        f"{', '.join(keys[:4])}{' ...' if len(keys) > 4 else ''}: mode redirect on Cloud does not close the native portal; "
        "customers meet Atlassian's own login after ours"
    )


def _types_of(key: str, count: TypeCount) -> dict[str, Any]:
    native = [{"id": one.id, "name": one.name, "because": one.because} for one in count.not_buildable]
    return {"key": key, "types": count.on_the_portal, "not_buildable": native}


def _told_types(counted: list[dict[str, Any]]) -> Iterable[str]:
    """A line for each portal that has such types, and one for all the others."""
    affected = [count for count in counted if count["not_buildable"]]
    for count in affected[:MOST_ROWS]:
        named = [f"{one['name']} ({one['because']})" for one in count["not_buildable"]]
        told = ", ".join(named[:MOST_NAMED]) + (f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else "")
        yield f"{count['key']}: {len(named)} of {count['types']} request types open in the native portal only: {told}"
    if len(affected) > MOST_ROWS:
        yield f"{len(affected) - MOST_ROWS} more portals have such types. All of them: jsmsso portals sync --types --json"
    if not affected:
        yield "Every request type can be raised in a hosted portal."


def _summary(plan: Plan, path: str, *, written: bool, check: bool, rows: list[dict[str, str]]) -> list[str]:
    counts = {what: len(plan.of(what)) for what in MARKS}  # type: ignore[arg-type]
    counts["gone"] = sum(not (change.before and change.before.gone) for change in plan.of("gone"))
    told = ", ".join(f"{counts[what]} {what}" for what in MARKS if counts[what] or what in COUNTED)
    if check:
        ending = "The profile differs from JSM. Next: jsmsso portals sync" if not plan.is_empty else "The profile says what JSM says."
        return [f"{told}. {ending}"]
    lines = [f"{told}. Wrote {path}." if written else f"{told}. Nothing to write."]
    lines += _stories(plan)
    if any(change.what == "gone" for change in plan.changes):
        lines.append("Gone portals stay in the file, marked gone: true. Delete them with: jsmsso portals sync --prune")
    if usable := [row for row in rows if row["what"] != "gone"]:
        lines.append(f"Next: jsmsso serve, then open {usable[0]['link']} in a private window")
    return lines


def _stories(plan: Plan) -> Iterable[str]:
    """What a new key does to a link that customers may have."""
    for change in plan.of("renamed"):
        before, after = change.before, change.after
        if before is not None and after is not None and before.key != after.key:
            yield f"{before.key} is {after.key} now: its link has changed; links by number (/portal/{after.id}) stay."


def _worth_showing(rows: list[dict[str, str]], lines: list[str]) -> tuple[list[dict[str, str]], list[str]]:
    """Of many portals those that changed, else the first ones; what is left out is counted."""
    if len(rows) <= MOST_ROWS:
        return rows, lines
    changed = [row for row in rows if row["what"] != "same"]
    shown = (changed or rows)[:MOST_ROWS]
    return shown, [f"{len(rows) - len(shown):,} more portals are not shown here. All of them: jsmsso portals list", *lines]


def _drawn(rows: list[dict[str, str]], lines: list[str]) -> Callable[[Console], None]:
    def draw(console: Console) -> None:
        from rich.table import Table
        from rich.text import Text

        if rows:
            table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
            table.add_column("  key", no_wrap=True)
            table.add_column("name", overflow="fold")
            table.add_column("mode", no_wrap=True)
            table.add_column("portal link", overflow="fold")
            marked = any(row["what"] != "same" for row in rows)
            if marked:
                table.add_column("", no_wrap=True)
            for row in rows:
                mark = [Text(*MARKS[row["what"]]) if row["what"] in MARKS else Text("")] if marked else []
                table.add_row(Text(f"  {row['key']}"), Text(row["name"]), Text(row["mode"]), Text(row["link"]), *mark)
            console.print(table)
            if lines:
                console.print()
        for line in lines:
            console.print(Text(line))

    return draw
