"""Whatever a text is, each format shows it as it is."""

import re
import unicodedata
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.leaderboard.escape import for_bibtex, for_log, for_markdown, for_terminal, for_xml

TEXTS = st.one_of(
    st.text(), st.text(alphabet="<>&'\"{}\\$%#_^~@]!-\x00\x1b\u202e\ud800\uffff a", max_size=20)
)


@given(TEXTS)
def test_xml_reads_the_text_back(text):
    told = for_xml(text)
    element = ET.fromstring(f"<a b=\"{told}\" c='{told}'>{told}</a>")
    assert (
        (element.text or "") == element.get("b") == element.get("c") == for_terminal(text) == unescape(told)
    )


@given(TEXTS)
def test_bibtex_gets_no_command_and_no_end_of_a_field(text):
    told = for_bibtex(text)
    depth = 0
    for letter in told:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert depth >= 0
    assert depth == 0
    known = r"\\text[a-z]+\{\}|\\[$&#_%]|\{\\char[0-9]+\}|\{[\[\]*]\}|(?<=[-',])\{\}"
    rest = re.sub(known, "", told)
    assert not set(rest) & set("\\{}$&#_%^~")
    assert not any(unicodedata.category(letter).startswith("C") for letter in told)


@given(st.one_of(TEXTS, st.text(alphabet="#[:\u200b\n x", max_size=12)))
def test_a_workflow_reads_no_command_in_its_log(text):
    told = for_log(text)
    assert "##[" not in told
    assert not told.startswith("::")
    assert "\n" not in told


@pytest.mark.parametrize("text", ["@1abc", "(@1abc", "-@1", "a @you", "a_@1"])
def test_markdown_calls_nobody(text):
    assert "@" not in for_markdown(text)


def test_markdown_leaves_the_version_of_a_task():
    assert for_markdown("memorization@2") == "memorization@2"
