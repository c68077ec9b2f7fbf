"""Addresses: what people open. Pure, so that whoever starts the board knows it beforehand."""

from __future__ import annotations


def address_of(host: str, port: int) -> str:
    """The address of a board that listens there, reached without a proxy."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
