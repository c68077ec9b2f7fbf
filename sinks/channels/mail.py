"""E-mail: each page as plain text and as HTML, all messages about one violation in one thread.

``mailto://`` and ``mailtos://`` as Apprise reads them, which knows the servers of many providers; the message itself is
ours. The first message about a violation has an id made of the violation's, and what comes after answers it.
"""

from __future__ import annotations

import hashlib
import html
import re
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formataddr, formatdate, make_msgid
from typing import Any, Final

from seamwatch.delivering import Manner
from seamwatch.incidents import AGAIN, TRIGGER
from seamwatch.paging import Page
from seamwatch.sections import Item, Section
from sinks.channels import by_apprise
from sinks.channels.posting import fault
from sinks.channels.service import ChannelError, Sending, UnusableError

_SAFE: Final = re.compile(r"[A-Za-z0-9._-]{1,120}")
_PERMANENT: Final = 500
_BUTTON: Final = "display:inline-block;padding:8px 16px;background:#1a4f8b;color:#ffffff;text-decoration:none"
_COLOURS: Final = {"breach": "#b00020", "drill": "#2f4ea0", "warning": "#8a5a00", "overdue": "#b00020"}
_LINK: Final = re.compile(r"https?://[^\s<>\"']+")


class Mail:
    """Sends a message to each address of the URL."""

    schemes = frozenset({"mailto", "mailtos"})
    manner = Manner()

    def unusable(self, url: str, *, given: bool) -> str | None:
        """Why a URL cannot be used, as Apprise reads it."""
        return by_apprise.unusable(url, given=given)

    def send(self, sending: Sending) -> str | None:
        """Send the page to every address. Raises ChannelError unless the server took it for all."""
        account = by_apprise.instance(sending.url)
        if account is None:
            raise UnusableError("the mailto:// URL lacks a part, or has a wrong one")
        if account.pgp_mode != "no":
            by_apprise.send(sending)
            return None
        place = by_apprise.place(account, [], sending.url, sending.published)
        try:
            with _connected(account, sending.seconds) as server:
                for name, address in account.targets:
                    self._send(server, account, (name, address), sending.page, place)
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, place) from None
        except smtplib.SMTPException as error:
            raise ChannelError(f"{place} did not take it: {type(error).__name__}") from None
        except OSError as error:
            raise fault(error, place, sending.seconds) from None
        return None

    def _send(self, server: smtplib.SMTP, account: Any, to: tuple[Any, str], page: Page, place: str) -> None:
        others = [address for address in (*account.cc, *account.bcc) if address != to[1]]
        try:
            server.send_message(message(page, account, to), account.from_addr[1], [to[1], *others])
        except smtplib.SMTPRecipientsRefused as error:
            code = next((code for code, _ in error.recipients.values()), _PERMANENT)
            raise _refused(code, place) from None


def message(page: Page, account: Any, to: tuple[Any, str]) -> EmailMessage:
    """The message for one address."""
    sender = account.from_addr[1]
    domain = sender.rpartition("@")[2] or "seamwatch.invalid"
    made = EmailMessage()
    made["Subject"] = page.title
    made["From"] = formataddr((account.from_addr[0] or "Seamwatch", sender))
    made["To"] = formataddr((to[0] or "", to[1]))
    if copies := [address for address in account.cc if address != to[1]]:
        made["Cc"] = ", ".join(copies)
    if account.reply_to:
        made["Reply-To"] = ", ".join(formataddr((account.names.get(each) or "", each)) for each in account.reply_to)
    made["Date"] = formatdate(usegmt=True)
    made["Auto-Submitted"] = "auto-generated"
    for name, value in account.headers.items():
        if name not in made:
            made[name] = value
    identity = thread(page, domain)
    if page.news == TRIGGER and all(step == 0 for _, step in page.about):
        # The same when it is sent again, so that a mailbox can tell.
        made["Message-ID"] = identity
    else:
        made["Message-ID"] = make_msgid(domain=domain) if page.news == AGAIN else _own(page, domain)
        made["In-Reply-To"] = made["References"] = identity
    body = f"{page.body}\n\n" + "\n".join(f"Reference {each}" for each in page.references[:1]) + "\n"
    made.set_content(body)
    made.add_alternative(as_html(page), subtype="html")
    return made


def thread(page: Page, domain: str) -> str:
    """The id of the message that begins the thread of what a page tells of."""
    first = page.about[0][0] if len(page.about) == 1 else _digest("/".join(page.references))
    return f"<{first if _SAFE.fullmatch(first) else _digest(first)}@{domain}>"


def as_html(page: Page) -> str:
    """The page as HTML: what it says, line by line, its addresses as links; a summary in its parts."""
    if page.sections:
        return _in_parts(page)
    lines = page.body.split("\n")
    colour = _COLOURS.get(page.severity, "#333333")
    text = "\n".join(_linked(line) for line in lines[1:]).strip("\n")
    return (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif">'
        f'<h2 style="color:{colour}">{html.escape(page.title)}</h2>'
        f"<p><strong>{_linked(lines[0])}</strong></p>"
        f'<pre style="white-space:pre-wrap">{text}</pre>'
        f'<p style="color:#666666">Reference {html.escape(" ".join(page.references[:1]))}</p>'
        "</body></html>\n"
    )


def _in_parts(page: Page) -> str:
    reference = html.escape(" ".join(page.references[:1]))
    return (
        '<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width"></head>'
        '<body style="font-family:sans-serif;line-height:1.4;color:#222222;max-width:44em;margin:0 auto;padding:8px">'
        f'<h1 style="font-size:1.3em">{html.escape(page.title)}</h1>{"".join(map(_part, page.sections))}'
        f'<p style="color:#595959">Reference {reference}</p></body></html>\n'
    )


def _part(section: Section) -> str:
    """One part: its heading, its sentences, its list, and where there is one its button."""
    if section.button is not None:
        # The way to the page of a summary, as a person sees it; looking there changes nothing.
        words, address = map(html.escape, section.button)
        return f'<p><a href="{address}" style="{_BUTTON}">{words}</a></p>'
    said = (
        f'<h2 style="font-size:1.1em;margin:1.2em 0 0.3em">{html.escape(section.title)}</h2>' if section.title else ""
    )
    said += "".join(f'<p style="margin:0.3em 0">{_linked(each)}</p>' for each in section.sentences)
    if section.items:
        entries = "".join(map(_entry, section.items))
        said += f'<ul style="margin:0.3em 0;padding-left:1.2em">{entries}</ul>'
    if section.left_out:
        said += f'<p style="margin:0.3em 0">and {section.left_out} more</p>'
    if section.fixed:
        lines = "\n".join(map(_linked, section.fixed))
        said += f'<pre style="white-space:pre-wrap;margin:0.3em 0">{lines}</pre>'
    return said


def _entry(item: Item) -> str:
    colour = _COLOURS.get(item.mark)
    mark = "" if colour is None else f'<strong style="color:{colour}">{item.mark.upper()}</strong> '
    text = html.escape(item.text)
    text = text if item.link is None else f'<a href="{html.escape(item.link)}" style="color:#1a4f8b">{text}</a>'
    more = f'<br><span style="color:#595959">{html.escape(item.more)}</span>' if item.more else ""
    return f'<li style="margin-bottom:0.4em">{mark}{text}{more}</li>'


def _linked(line: str) -> str:
    parts, at = [], 0
    for match in _LINK.finditer(line):
        url = html.escape(match[0])
        parts += [html.escape(line[at : match.start()]), f'<a href="{url}">{url}</a>']
        at = match.end()
    return "".join([*parts, html.escape(line[at:])])


def _own(page: Page, domain: str) -> str:
    return f"<{_digest('/'.join(page.references))}@{domain}>"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _connected(account: Any, seconds: float) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if not account.verify_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    host, port = account.smtp_host, account.port
    if account.secure_mode == "ssl":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=seconds, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=seconds)
    try:
        if account.secure_mode == "starttls":
            server.starttls(context=context)
        if account.user and account.password:
            server.login(account.user, account.password)
    except BaseException:
        server.close()
        raise
    return server


def _refused(code: int, place: str) -> ChannelError:
    words = f"SMTP {code} from {place}"
    return UnusableError(words) if code >= _PERMANENT else ChannelError(words)


SERVICE: Final = Mail()
