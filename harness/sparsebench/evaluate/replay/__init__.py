"""Traces of what a submission asked, asked again without its code; stored rows verified."""
