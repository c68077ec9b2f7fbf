"""The API, ``/api/v1``: the questions and actions of the pages, for programs. It is described at its openapi.json."""

from board.api.routes import ROOT, router

__all__ = ["ROOT", "router"]
