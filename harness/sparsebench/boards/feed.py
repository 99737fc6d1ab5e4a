"""``feed.xml``: the changes of a published board as an Atom feed (RFC 4287)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sparsebench.leaderboard.escape import for_xml

if TYPE_CHECKING:
    from sparsebench.boards.edition import Edition
    from sparsebench.boards.record import Event, Record

__all__ = ["atom"]

_SHOWN = 50
_LONGEST = 4000


def atom(edition: Edition, record: Record) -> str:
    """Return the feed of a record's events, the newest first.

    Identities are made of the feed's and of the event, and dates are those of rows: the same record makes the
    same text.
    """
    events = record.events[: -_SHOWN - 1 : -1]
    updated = max((event.updated for event in events), default=edition.updated)
    links = [_link("alternate", edition.address("index.html"))]
    if edition.base_url:
        links.append(_link("self", edition.address("feed.xml")))
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>{record.feed}</id>",
        f"<title>{for_xml(edition.title)}</title>",
        f"<updated>{for_xml(updated)}</updated>",
        "<author><name>sparsebench</name></author>",
        *links,
        *(_entry(event, record.feed, links[0]) for event in events),
        "</feed>",
    ]
    return "\n".join(lines) + "\n"


def _link(relation: str, address: str) -> str:
    return f'<link rel="{relation}" href="{for_xml(address, _LONGEST)}"/>'


def _entry(event: Event, feed: str, link: str) -> str:
    identity = uuid.uuid5(uuid.UUID(feed.removeprefix("urn:uuid:")), event.model_dump_json())
    return "\n".join(
        [
            "<entry>",
            f"<id>urn:uuid:{identity}</id>",
            f"<title>{for_xml(event.title, _LONGEST)}</title>",
            f"<updated>{for_xml(event.updated)}</updated>",
            f'<category term="{event.kind}"/>',
            link,
            f'<content type="text">{for_xml(event.text, _LONGEST)}</content>',
            "</entry>",
        ]
    )
