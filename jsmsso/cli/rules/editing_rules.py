"""Rules put into the profile and taken out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsmsso.errors import FileChanged, UsageError
from jsmsso.identity.access import Effect, Rule, never_reached
from jsmsso.identity.contradictions import never_fitting
from jsmsso.profile.editing import editing
from jsmsso.profile.model import Profile
from jsmsso.profile.parsing import parse
from jsmsso.profile.reading import read_bytes
from jsmsso.providers.entry import checked

_CATCH_ALL = ({"allow": "everyone"}, {"deny": "everyone"})


@dataclass(frozen=True, slots=True)
class Planned:
    """A change as it would come out. ``found`` is the list that it was planned for."""

    after: Profile
    found: list[Any]
    number: int
    rule: str
    rules: tuple[Rule, ...]
    sentence: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """``edit`` changes a list of rules in place and returns the number (from 1) of the rule it is about."""

    portal: str
    edit: Callable[[list[Any]], int]
    removes: bool = False

    def plan(self, before: Profile, path: Path) -> Planned:
        """What would come of it. Raises :class:`UsageError` where that is no profile, or opens the site to everybody."""
        values = parse(read_bytes(path)).values
        holder = _holder(values, self.portal)
        found = list(holder.get("access") or [])
        number = self._apply(holder)
        old = _rules(before, self.portal)
        if self.removes and not self.portal and "access" not in holder:
            raise UsageError(
                f"{old[0]} is the only rule, and without rules every verified email may enter",
                "If that is meant, say so first: jsmsso access allow everyone",
            )
        after = checked(values, path)
        rules = _rules(after, self.portal)
        rule = str((old if self.removes else rules)[number - 1])
        where = f" of {self.portal}" if self.portal else ""
        sentence = f"Remove rule {number}{where}: {rule}" if self.removes else f"Add rule {number}{where}: {rule}"
        return Planned(after, found, number, rule, rules, sentence, tuple(_warnings(old, rules, self.portal)))

    def write(self, planned: Planned, path: Path) -> bool:
        """Write it. Raises :class:`FileChanged` where the rules are others than those it was planned for."""
        with editing(path) as document:
            holder = _holder(document.data, self.portal)
            if list(holder.get("access") or []) != planned.found:
                raise FileChanged(f"the rules in {path} changed while this command ran; nothing was written", "Run the command again.")
            self._apply(holder)
        return document.written

    def _apply(self, holder: Any) -> int:
        rules = holder.setdefault("access", [])
        number = self.edit(rules)
        if not rules:
            del holder["access"]
        return number


def adding(effect: Effect, text: str, portal: str, at: int | None) -> Change:
    """A new rule, of which ``text`` is the condition in YAML.

    Without ``at`` an allow goes before a last rule for everyone, and a deny first: elsewhere they might have no effect.
    """
    condition = _condition(text)

    def edit(rules: list[Any]) -> int:
        place = at - 1 if at else 0
        if not at and effect == "allow":
            place = len(rules)
            while place and rules[place - 1] in _CATCH_ALL:
                place -= 1
        if place > len(rules):
            raise UsageError(f"--at {at} is beyond the list", f"There are {len(rules)} rules: --at {len(rules) + 1} puts it last.")
        rules.insert(place, {effect: condition})
        return place + 1

    return Change(portal, edit)


def removing(number: int, portal: str) -> Change:
    """The rule of that number taken out."""

    def edit(rules: list[Any]) -> int:
        if number > len(rules):
            of = f" of {portal}" if portal else ""
            raise UsageError(f"there is no rule {number}{of}", f"There are {len(rules)}: jsmsso access list")
        del rules[number - 1]
        return number

    return Change(portal, edit, removes=True)


def _condition(text: str) -> Any:
    document = parse(text.encode(errors="replace"))
    if document.complaints:
        raise UsageError(
            f"the rule cannot be read: {document.complaints[0].message}", "For example: everyone, or '{email_domain: acme.com}'"
        )
    if document.values != "everyone" and not isinstance(document.values, dict):
        raise UsageError("a rule is everyone, or a mapping", "For example: everyone, or '{claim: groups, any_of: [it]}'")
    return _on_one_line(document.values)


def _on_one_line(value: Any) -> Any:
    """``value`` so that it is written in brackets, as most people write rules."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, dict):
        mapping = CommentedMap((key, _on_one_line(inner)) for key, inner in value.items())
        mapping.fa.set_flow_style()
        return mapping
    if isinstance(value, list):
        listed = CommentedSeq(map(_on_one_line, value))
        listed.fa.set_flow_style()
        return listed
    return value


def _holder(values: Any, portal: str) -> Any:
    """What the list of rules stands in."""
    if not portal:
        return values
    for one in values.get("portals") or []:
        if one.get("key") == portal:
            return one
    raise FileChanged(f"the portal {portal} is not there any more; nothing was written", "Run the command again.")


def _rules(profile: Profile, portal: str) -> tuple[Rule, ...]:
    return next(one.rules for one in profile.portals if one.key == portal) if portal else profile.rules


def _warnings(old: tuple[Rule, ...], new: tuple[Rule, ...], portal: str) -> list[str]:
    warnings = [
        f"rule {number} can never match: rule {earlier} decides before it ({new[earlier - 1]})" for number, earlier in never_reached(new)
    ]
    warnings += [f"rule {number} can never match: it contradicts itself ({new[number - 1]})" for number in never_fitting(new)]
    if new and not any(rule.effect == "allow" for rule in new):
        command = "jsmsso access allow everyone" + (f" --portal {portal}" if portal else "")
        warnings.append(f"no rule allows anybody now, so nobody may enter; let the others in with: {command}")
    elif not old and new:
        warnings.append("these are the first rules: whoever fits none of them is denied from now on")
    if not new and old:
        warnings.append(f"{portal} has no rules of its own any more: whom the rules for everyone let in may open it")
    return warnings
