"""How an explanation is shown."""

import pytest

from evaluate.tiny import plain, write
from sparsebench.author.explain import explain
from sparsebench.author.rendering import as_text


@pytest.mark.parametrize(("asked", "bold"), [(None, True), ("1", False), ("", True)])
def test_no_color_is_respected(tmp_path, monkeypatch, asked, bold):
    monkeypatch.delenv("NO_COLOR", raising=False)
    if asked is not None:
        monkeypatch.setenv("NO_COLOR", asked)
    found = explain(str(write(tmp_path / "mine", plain())), inputs=1)
    assert ("\x1b[1m" in as_text(found, "line")) is bold
