"""How long a board took is the sum of what its rows say."""

from leaderboard.test_board import made
from reports.board_cost import page


def test_seconds_are_summed_by_submission_and_in_all():
    begin = "2026-01-02T03:04:05.000000+00:00"
    rows = [
        made("quick", started=begin, ended="2026-01-02T03:04:35.000000+00:00", fit_seconds=20.0),
        made("slow", started=begin, ended="2026-01-02T03:06:05.500000+00:00"),
        made("slow", seed=1, started=begin, ended="2026-01-02T03:05:35.000000+00:00", fit_seconds=60.0),
    ]
    text = page(rows)
    assert "The 3 rows of the published board took 4 minutes of one core, so 2 minutes on two." in text
    first, second = (line.split("|")[1:-1] for line in text.splitlines()[-2:])
    assert [cell.strip() for cell in first] == ["slow", "2", "105.2", "120.5", "60.0", "3.5"]
    assert [cell.strip() for cell in second] == ["quick", "1", "30.0", "30.0", "20.0", "0.5"]
