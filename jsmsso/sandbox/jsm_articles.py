"""What the local JSM's knowledge base holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LocalArticle:
    """An article; ``html`` is its body as Confluence renders it. On the desks with these keys, or on all."""

    id: str
    title: str
    excerpt: str
    html: str
    desks: frozenset[str] = frozenset()
    space: str = "KB"


EXAMPLES = (
    LocalArticle(
        "65601",
        "Connect to the printer on your floor",
        "Printers are found by the name on their lid. Choose the one of your floor, then <b>Add</b>.",
        "<h2>Find it</h2><p>Printers are found by the name on their lid.</p><ol><li>Open the settings</li>"
        "<li>Choose the printer of your floor, then <b>Add</b></li></ol>",
    ),
    LocalArticle(
        "65602",
        "Reset your password",
        "You can reset it yourself, at any time.",
        "<p>You can reset it yourself, at any time.</p><p><a href='https://example.com/reset'>Reset it here</a></p>",
    ),
    LocalArticle(
        "65603",
        "A monitor that flickers",
        "Most often it is the cable. Try another one first.",
        "<p>Most often it is the cable.</p><script>alert(1)</script><p onclick='alert(2)'>Try another one first."
        "<img src='https://tracker.example.com/pixel.gif'></p>",
    ),
)
"""Three articles; the last one has in its page what must not take effect."""
