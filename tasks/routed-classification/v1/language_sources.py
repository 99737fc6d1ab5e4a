"""Strings of language-id and the languages they are in: CLDR's names by Babel, and Django's translations."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FIELDS = (
    "currencies",
    "day_periods",
    "days",
    "eras",
    "languages",
    "measurement_systems",
    "meta_zones",
    "months",
    "quarters",
    "scripts",
    "territories",
    "time_zones",
    "unit_display_names",
    "variants",
)
"""Attributes of ``babel.Locale`` that hold names."""
TRANSCRIPTIONS = {"hi_Latn", "zh_Latn"}
"""Locales that do not show how the language is written: the first is half English, the second Pinyin."""
SAME = {"no": "nb"}
"""CLDR has the names of Norwegian Bokmål under both."""
CATALOGUES = ("conf/locale/*/LC_MESSAGES/*.po", "contrib/*/locale/*/LC_MESSAGES/*.po")


def language(locale: str) -> str:
    """Return the language of a locale: ``sr`` for ``sr_Latn``."""
    code = locale.partition("_")[0]
    return SAME.get(code, code)


def is_wanted(locale: str) -> bool:
    """Whether to read a locale of Babel: a language, alone or with a script, but of no country."""
    parts = locale.split("_")
    return locale not in TRANSCRIPTIONS and all(len(part) == len("Latn") for part in parts[1:])


def leaves(tree: Any) -> Iterator[str]:
    """List the strings in nested mappings; an alias that leads nowhere is left out."""
    if isinstance(tree, str):
        yield tree
    elif hasattr(tree, "keys"):
        for key in tree:
            with contextlib.suppress(KeyError):
                yield from leaves(tree[key])


def translations(locale: str, messages: Iterable[tuple[tuple[str, ...], tuple[str, ...]]]) -> Iterator[str]:
    """List the strings of a catalogue that are in its language.

    Parameters
    ----------
    locale
        Its name; English is the language of the messages themselves, in the catalogue ``en``.
    messages
        Of each its forms (singular, plural), and their translations, empty where there is none.
    """
    for forms, translated in messages:
        if locale == "en":
            yield from forms
        elif language(locale) != "en":
            yield from (text for text in translated if text and text not in forms)


def babel_strings() -> Iterator[tuple[str, str]]:
    """List Babel's names: language and string, some more than once."""
    from babel import Locale  # noqa: PLC0415 - not a dependency: only where the data are made
    from babel.localedata import locale_identifiers  # noqa: PLC0415 - the same

    for name in filter(is_wanted, sorted(locale_identifiers())):
        locale = Locale.parse(name)
        assert str(locale) == name, "no locale stands for another one"
        for field in FIELDS:
            for text in leaves(getattr(locale, field)):
                yield language(name), text


def read_catalogue(path: Path) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Read a .po file: forms of messages and their translations, without those marked as fuzzy."""
    from babel.messages.pofile import read_po  # noqa: PLC0415 - not a dependency: only where the data are made

    # Some catalogues have more plural forms than they say. Babel prints that, and takes them.
    with path.open("rb") as file, contextlib.redirect_stdout(io.StringIO()):
        catalogue = read_po(file, ignore_obsolete=True)
    wanted = [message for message in catalogue if message.id and not message.fuzzy]
    return [(_forms(message.id), _forms(message.string)) for message in wanted]


def _forms(text: Any) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def django_strings() -> Iterator[tuple[str, str]]:
    """List Django's messages: language and string, some more than once."""
    import django  # noqa: PLC0415 - not a dependency: only where the data are made

    root = Path(django.__file__).parent
    for path in sorted(path for pattern in CATALOGUES for path in root.glob(pattern)):
        locale = path.parts[-3]
        for text in translations(locale, read_catalogue(path)):
            yield language(locale), text
