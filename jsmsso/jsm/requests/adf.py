"""Plain text as an Atlassian document, in which nothing of it is taken for markup.

Source: Atlassian Document Format, document structure.
"""

from __future__ import annotations

import re
from typing import Any


def document(text: str) -> dict[str, Any]:
    """The text as a document: a paragraph where empty lines part it, a line break where a line ends."""
    paragraphs = [part.strip("\n") for part in re.split(r"\n[ \t]*\n+", re.sub(r"\r\n?", "\n", text).strip("\n"))]
    return {"type": "doc", "version": 1, "content": [_paragraph(part) for part in paragraphs]}


def is_document(value: object) -> bool:
    """Whether a field's value is one."""
    return isinstance(value, dict) and value.get("type") == "doc"


def plain_text(value: Any) -> str:
    """The text of a document that :func:`document` made."""
    paragraphs = ["".join(node.get("text", "\n") for node in part["content"]) for part in value["content"]]
    return "\n\n".join(paragraphs)


def _paragraph(text: str) -> dict[str, Any]:
    content: list[dict[str, str]] = []
    for number, line in enumerate(text.split("\n")):
        if number:
            content.append({"type": "hardBreak"})
        if line:  # a text node is never empty
            content.append({"type": "text", "text": line})
    return {"type": "paragraph", "content": content}
