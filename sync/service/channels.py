"""The ways to people: a webhook that takes messages as Slack does, and mail."""

from __future__ import annotations

import json
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING, Any

from sync.service.asking import TIMEOUT, NotTaken, ask

if TYPE_CHECKING:
    from pathlib import Path

    from config.sections.notify import Mail, Webhook
    from sync.service.messages import Message

# Slack takes 3,000 characters in a section, 150 in a header.
_SECTION, _HEADER = 2900, 150
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def post(webhook: Webhook, message: Message, ca_file: Path | None) -> None:
    """Post a message. Raises `NotTaken`, or `ValueError` if the address lies nowhere."""
    ask(webhook.url.read().get_secret_value(), json.dumps(as_slack(message)).encode(), ca_file)


def as_slack(message: Message) -> dict[str, Any]:
    """`text` for whoever reads that alone, and the same in blocks."""
    told = "\n".join(_escaped(line) for line in message.lines)[:_SECTION]
    title = _escaped(message.title)
    sections = [{"type": "section", "text": {"type": "mrkdwn", "text": told}}] if told else []
    return {
        "text": f"{title}\n{told}" if told else title,
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": message.title[:_HEADER]}},
            *sections,
        ],
    }


def send(mail: Mail, message: Message, ca_file: Path | None) -> None:
    """Send a mail. Raises `NotTaken`, or `ValueError` if the password lies nowhere."""
    context = ssl.create_default_context(cafile=ca_file)
    password = None if mail.password is None else mail.password.read().get_secret_value()
    port = mail.port or _PORTS[mail.security]
    try:
        server = (
            smtplib.SMTP_SSL(mail.host, port, timeout=TIMEOUT, context=context)
            if mail.security == "tls"
            else smtplib.SMTP(mail.host, port, timeout=TIMEOUT)
        )
        with server:
            if mail.security == "starttls":
                server.starttls(context=context)
            if mail.username is not None and password is not None:
                server.login(mail.username, password)
            left_out = server.send_message(as_mail(mail, message))
    except (OSError, smtplib.SMTPException) as error:
        # Its words may hold the name, and what the server makes of the password.
        code = f" {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else ""
        raise NotTaken(f"the mail server did not take it: {type(error).__name__}{code}") from None
    if left_out:
        raise NotTaken(f"the mail server refused {len(left_out)} of {len(mail.to)} receivers")


def as_mail(mail: Mail, message: Message) -> EmailMessage:
    """Plain text; answers by machines are not wanted."""
    letter = EmailMessage()
    letter["From"], letter["To"] = mail.sender, ", ".join(mail.to)
    letter["Subject"] = f"[Foretag] {message.title}".replace("\n", " ")
    letter["Date"] = formatdate()
    letter["Message-ID"] = make_msgid("foretag", mail.sender.partition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content("\n".join((message.title, "", *message.lines)) + "\n")
    return letter


def _escaped(text: str) -> str:
    """As Slack wants it: else a word in angle brackets would be a link, or call everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
