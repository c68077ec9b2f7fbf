"""The page of a dossier: its index as a person reads it, one HTML file that fetches nothing. Words only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final
from urllib.parse import quote

from seamwatch.printable import printable

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}h1,h2,h3{line-height:1.25}h2{margin-top:2.5rem;border-top:1px solid #999;padding-top:1rem}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0}th,td{text-align:left;vertical-align:top;"
    "padding:.3rem .6rem;border-bottom:1px solid #ccc}td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "code,pre{font:14px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}pre{background:#f3f3f3;padding:.6rem;"
    "white-space:pre-wrap}.gap{border-left:4px solid #a40000;padding-left:.8rem}dt{font-weight:600}"
    "dd{margin:0 0 .6rem 1rem}"
)


def page(said: Mapping[str, Any]) -> bytes:
    """The page of an index (`sinks.dossier.index.Index.said`)."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f"<title>Dossier of {_text(said['system'])}</title><style>{_STYLE}</style></head><body>",
        *_head(said),
        *_gaps(said["gaps"]),
        *_check(),
        *(part for source in said["requirements"] for part in _source(source)),
        *_records(said),
        "</body></html>",
        "",
    ]
    return "\n".join(parts).encode()


def _head(said: Mapping[str, Any]) -> Iterable[str]:
    sealed = said["sealed_by"]
    yield f"<h1>Dossier of the system {_text(said['system'])}</h1>"
    yield "<dl>"
    yield _pair("Time", f"from {_text(said['from'])} to before {_text(said['to'])}, UTC")
    yield _pair("As of", f"{_text(said['as_of'])}: when the newest record that the ledger then had was committed")
    if sealed is None:
        vouching = "Nobody. Only records and their rows are vouched for, by the ledger's key; this page is not."
    else:
        vouching = f"{_text(sealed)}, by the signature in <code>seal.txt</code>."
    yield _pair("Who vouches for the whole", vouching)
    yield "</dl>"
    yield (
        "<p>This archive holds what is on record of the system in that time. It says what records show and what they "
        "do not show. Whether a duty is fulfilled it does not say: that is for you to judge.</p>"
    )


def _gaps(gaps: Sequence[Mapping[str, str]]) -> Iterable[str]:
    yield "<h2>Gaps</h2>"
    if not gaps:
        yield "<p>Each requirement below has a row of evidence at least. That is not to say that it is enough.</p>"
        return
    yield f"<p>{len(gaps)} found:</p><ul>"
    for gap in gaps:
        yield f'<li class="gap"><strong>{_text(gap["of"])}</strong>: {_text(gap["gap"])}</li>'
    yield "</ul>"


def _check() -> Iterable[str]:
    yield "<h2>How to check this archive</h2>"
    yield (
        "<p>You need this archive as it was given to you, the public key of the ledger, which you should have from "
        "somewhere else than this archive, and the program <code>seamwatch</code>. No network and no access to any "
        "system is needed.</p>"
    )
    yield "<pre>seamwatch verify --bundle ARCHIVE.zip --key LEDGER.pub</pre>"
    yield "<table><tr><th>Files</th><th>Who vouches for them</th></tr>"
    rows = (
        ("ledger/…/records.txt", "The ledger's key: each record is a leaf of a tree whose root it signed."),
        ("retention.jsonl", "The ledger's key, which signed for each removal."),
        ("ledger/…/rows.jsonl", "The ledger's key: whoever checks reads the bytes of each record again and compares."),
        (
            "answers/…, index.html, index.json, sql",
            (
                "Who sealed the archive, and nobody else: they are worked out from records, and the SQL beside each "
                "answer says how. Records of other systems may be part of it; they are not in this archive."
            ),
        ),
    )
    for files, who in rows:
        yield f"<tr><td><code>{files}</code></td><td>{who}</td></tr>"
    yield "</table>"
    yield (
        "<p>The archive shows some records of each topic partition and tells how many it does not show (see "
        '<a href="#records">records</a>). What those are it cannot tell: most are of other systems. That no record of '
        "this system was left out is vouched for by who sealed it; it is proven only where nothing is not shown.</p>"
    )


def _source(source: Mapping[str, Any]) -> Iterable[str]:
    yield f"<h2>{_text(source['title'])}</h2><p>{_text(source['version'])}</p><ul>"
    for applies in source["applies"]:
        since = "by choice" if applies["since"] is None else f"from {_text(applies['since'][:10])}"
        yield f"<li>{_text(applies['to'])}: {since} ({_text(applies['by'])})</li>"
    yield "</ul>"
    for requirement in source["requirements"]:
        yield from _requirement(requirement)


def _requirement(requirement: Mapping[str, Any]) -> Iterable[str]:
    yield f"<h3>{_text(requirement['number'])} {_text(requirement['title'])}</h3>"
    yield f"<p><strong>What it asks.</strong> {_text(requirement['asks'])}.</p>"
    if requirement["gap"] is not None:
        yield f'<p class="gap"><strong>Gap.</strong> {_text(requirement["gap"])}</p>'
    yield "<table><tr><th>Question</th><th>Rows</th><th>What they show</th><th>What they do not show</th></tr>"
    for evidence in requirement["evidence"]:
        shows = evidence["shows"] if evidence["nothing"] is None else f"Nothing on record: {evidence['nothing']}"
        shows = shows if evidence["alone"] else f"{shows} (no evidence by itself)"
        yield (
            f"<tr><td>{_link(evidence['file'], evidence['question'])}<br>{_link(evidence['sql'], 'SQL')}</td>"
            f'<td class="n">{evidence["rows"]}</td><td>{_text(shows)}</td><td>{_text(evidence["not_shown"])}</td></tr>'
        )
    yield "</table>"
    yield f"<p><strong>What stays yours to do.</strong> {_text(requirement['duty'])}</p>"


def _records(said: Mapping[str, Any]) -> Iterable[str]:
    yield '<h2 id="records">Records</h2>'
    yield "<table><tr><th>Type</th><th>Records</th></tr>"
    for table, rows in said["records"].items():
        yield f'<tr><td>{_text(table)}</td><td class="n">{rows}</td></tr>'
    yield "</table>"
    yield "<table><tr><th>Topic, partition</th><th>Shown</th><th>Not shown</th><th>… between those shown</th></tr>"
    for tree in said["ledger"]:
        name = f"{tree['topic']}, {tree['partition']}"
        folder = f"ledger/{tree['topic']}/{tree['partition']}/rows.jsonl"
        yield (
            f'<tr><td>{_link(folder, name)}</td><td class="n">{tree["records"]}</td>'
            f'<td class="n">{tree["not_shown"]}</td><td class="n">{tree["not_shown_between"]}</td></tr>'
        )
    yield "</table>"
    if said["sealed_values"]:
        erased = sum(said["erased"].values())
        yield (
            f"<p>{said['sealed_values']} values are personal and sealed, each by its subject's key, and stay so here. "
            f"{erased} of them cannot be read by anybody any more: the keys of {len(said['erased'])} people were "
            "destroyed on request, which is on record too.</p>"
        )
    if said["removed"]:
        yield "<p>Retention removed these months, of any system, signed for by the ledger's key:</p>"
        yield "<table><tr><th>Table, month</th><th>Topic, partition</th><th>Removed</th><th>By</th><th>Why</th></tr>"
        for one in said["removed"]:
            where = "".join(f"<td>{_text(one.get(word, ''))}</td>" for word in ("table", "topic"))
            number = _text(one.get("leaves", "").partition(" ")[0])
            yield f'<tr>{where}<td class="n">{number}</td><td>{_text(one.get("by", ""))}</td>'
            yield f"<td>{_text(one.get('because', ''))}</td></tr>"
        yield "</table>"
    if said["dead_letters"]:
        yield (
            f"<p>{said['dead_letters']} messages arrived in that time that nothing could read. Of which system they "
            "are, nobody can say; they are not in this archive.</p>"
        )


def _pair(word: str, said: str) -> str:
    return f"<dt>{word}</dt><dd>{said}</dd>"


def _link(file: str, words: str) -> str:
    return f'<a href="{quote(file)}">{_text(words)}</a>'


def _text(said: object) -> str:
    return escape(printable(str(said)))
