"""A board as one self-contained HTML file."""

from sparsebench.leaderboard.page.document import About, render_page

__all__ = ["About", "render_page"]
