"""The manual page, made of the same words as `--help`: docs/mailnode.1."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

_END = """\
.SH EXIT STATUS
0: done. 1: it could not be done, and one line on standard error says why; for \\fBdoctor\\fR and
\\fBscrub\\fR: something is wrong. 2: the words are wrong. 74 (\\fBup\\fR): the disk refused a write; start it
again. 130: interrupted.
.SH FILES
.TP
.I DIR/mailnode.toml
The configuration, with a remark for each key.
.TP
.I DIR/domains.d/
Domains that \\fBdomain add\\fR made.
.TP
.I DIR/dkim/, DIR/tls/
Keys and certificate.
.TP
.I DIR/shard/
All mail.
.SH SIGNALS
SIGTERM: stop cleanly. SIGHUP: take certificate, limits of sessions, domains and log level anew; no session
is dropped.
"""


def page(whole: argparse.ArgumentParser) -> str:
    lines = [
        '.TH MAILNODE 1 "" mailnode "User Commands"',
        ".SH NAME",
        "mailnode \\- a mail server: SMTP, IMAP and POP3",
        ".SH SYNOPSIS",
        ".B mailnode",
        "\\fICOMMAND\\fR [\\fIOPTION\\fR]...",
        ".SH COMMANDS",
    ]
    for words, command, about in commands(whole):
        lines += [".TP", f".B {_escaped(_usage(words, command))}", _escaped(about.capitalize() + ".")]
        for action in command._actions:
            if action.help and action.dest != "help":
                name = ", ".join(action.option_strings) or str(action.metavar)
                lines += [".br", f"\\fI{_escaped(name)}\\fR: {_escaped(action.help)}."]
    return "\n".join(lines) + "\n" + _END


def commands(
    whole: argparse.ArgumentParser, words: str = "mailnode", about: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Each that can be typed: its words, its parser, what it is for."""
    groups = [each for each in whole._actions if isinstance(each, argparse._SubParsersAction)]
    if not groups or whole.get_default("run"):
        yield words, whole, about
    for group in groups:
        helps = {choice.dest: choice.help or "" for choice in group._choices_actions}
        for name, command in group.choices.items():
            yield from commands(command, f"{words} {name}", helps.get(name, ""))


def _usage(words: str, command: argparse.ArgumentParser) -> str:
    usage = " ".join(command.format_usage().split()).removeprefix("usage: ").replace("[-h] ", "")
    return words + usage.removeprefix(words).removesuffix("[-h]").rstrip()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-")
