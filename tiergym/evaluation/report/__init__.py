"""The page: one HTML file with everything in it, made from records alone."""

from tiergym.evaluation.report.page import render_page, write_page

__all__ = ["render_page", "write_page"]
