"""Reading a page back, strictly: tags must match, but for those whose end HTML lets one leave out."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["Element", "page_tables", "parsed"]

VOID = {"br", "hr", "input", "meta"}
# Element -> what begins after its end, if that is left out, and what ends with its parent.
IMPLIED = {
    "li": {"li"},
    "option": {"option"},
    "td": {"td", "th", "tr", "tbody"},
    "th": {"td", "th", "tr", "tbody"},
    "tr": {"tr", "tbody"},
    "thead": {"tbody"},
    "tbody": set(),
}


class Element:
    """An element of a parsed page."""

    def __init__(self, name, attributes):
        self.name, self.attributes, self.children = name, dict(attributes), []

    def all(self, name=None, **attributes):
        """Yield the elements below that have a name and attributes."""
        for child in self.children:
            if isinstance(child, Element):
                if name in {None, child.name} and attributes.items() <= child.attributes.items():
                    yield child
                yield from child.all(name, **attributes)

    def classed(self, class_):
        return [e for e in self.all() if class_ in (e.attributes.get("class") or "").split()]

    @property
    def text(self):
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


class Parser(HTMLParser):
    """Builds a tree, and fails where tags do not match."""

    def __init__(self):
        super().__init__()
        self.open = [Element("#document", {})]

    def handle_starttag(self, tag, attrs):
        while tag in IMPLIED.get(self.open[-1].name, ()):
            self.open.pop()
        element = Element(tag, attrs)
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].children.append(Element(tag, attrs))

    def handle_endtag(self, tag):
        while self.open[-1].name != tag and self.open[-1].name in IMPLIED:
            self.open.pop()
        assert self.open.pop().name == tag

    def handle_data(self, data):
        self.open[-1].children.append(data)


def parsed(html):
    parser = Parser()
    parser.feed(html)
    parser.close()
    assert len(parser.open) == 1
    return parser.open[0]


def page_tables(html):
    """Give the tables of scores, each as its lines of cells, the heads first."""
    found = []
    for table in parsed(html).all("table"):
        if "scores" in table.attributes["class"].split():
            rows = list(table.all("tr"))
            found.append([[cell.text for cell in row.children if not isinstance(cell, str)] for row in rows])
    return found
