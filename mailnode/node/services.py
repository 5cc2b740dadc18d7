"""What each service of a node is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mailnode.config import Config, Service
from mailnode.delivery.accept import Accept
from mailnode.delivery.examined import Authentication
from mailnode.delivery.held import Spool
from mailnode.delivery.replies import LOCAL_ONLY
from mailnode.delivery.submit import Policy, Submit
from mailnode.delivery.transaction import Delivery
from mailnode.directory.measured import Measured
from mailnode.directory.source import source_of
from mailnode.domain import Domain
from mailnode.listeners import imap, pop3, smtp
from mailnode.listeners.listener import Listener
from mailnode.listeners.timed import timed
from mailnode.mailauth.dkim import Verifier
from mailnode.mailauth.dmarc import Dmarc
from mailnode.mailauth.domain import a_labels
from mailnode.mailauth.spf import Spf
from mailnode.mailauth.verdict import Judges, Verdicts
from mailnode.node.house import House
from mailnode.node.reporting import verdicts_kept


def services(config: Config, parts: House) -> dict[Service, Listener[Any]]:
    """What each service is; the ports are the configuration's."""
    host, limits = config.hostname, config.limits
    delivery, verifier = _delivery(config, parts), Measured(parts.people.verification, parts.metrics)
    accept, from_others = Accept(delivery), Accept(delivery, _authentication(config, parts))
    submission = _submission(config, parts, verifier, delivery)
    mailboxes = _mailboxes(config, parts, verifier)
    maildrops = _maildrops(config, parts, verifier)
    services: dict[Service, Listener[Any]] = {
        Service.LMTP: smtp.lmtp(
            accept, host, limits, config.bare_newline[Service.LMTP], parts.others.copies_max
        ),
        Service.SMTP: smtp.mx(from_others, host, limits, config.bare_newline[Service.SMTP]),
        Service.SUBMISSION: submission,
        Service.SUBMISSIONS: submission,
        Service.IMAP: mailboxes,
        Service.IMAPS: mailboxes,
        Service.POP3: maildrops,
        Service.POP3S: maildrops,
    }
    return {service: timed(listener, parts.metrics) for service, listener in services.items()}


def _delivery(config: Config, parts: House) -> Delivery:
    return Delivery(
        parts.people.lookup,
        parts.accounts,
        parts.upload_ids,
        parts.clock,
        config.limits,
        parts.space.is_short,
        parts.metrics,
        parts.traced,
        frozenset((config.hostname, config.authserv_id)),
        parts.others.dcs,
    )


def _submission(config: Config, parts: House, verifier: Measured, delivery: Delivery) -> Listener[Any]:
    policy = Policy(config.foreign_from, not config.hide_client)
    return smtp.submission(
        Submit(delivery, config.hostname, None if config.relay else LOCAL_ONLY, policy),
        verifier,
        parts.clock,
        config.hostname,
        config.limits,
        mechanisms=_mechanisms(config.domains),
        auth_needs_tls=not config.allow_plaintext_auth,
        bare_newline=config.bare_newline[Service.SUBMISSION],
        copies_max=parts.others.copies_max,
    )


def _mailboxes(config: Config, parts: House, verifier: Measured) -> Listener[Any]:
    return imap.listener(
        verifier,
        parts.connections,
        parts.accounts,
        parts.upload_ids,
        parts.clock,
        config.limits,
        mechanisms=_mechanisms(config.domains),
        auth_needs_tls=not config.allow_plaintext_auth,
        literal_minus=config.imap_literal_minus,
    )


def _maildrops(config: Config, parts: House, verifier: Measured) -> Listener[Any]:
    return pop3.pop3(
        parts.accounts,
        verifier,
        parts.maildrops,
        parts.clock,
        config.hostname,
        config.limits,
        mechanisms=_mechanisms(config.domains),
        passwords_need_tls=not config.allow_plaintext_auth,
        custom=pop3.Custom(config.pop3_marks_seen, config.pop3_expire_days, config.pop3_login_delay_seconds),
    )


def _mechanisms(domains: Sequence[Domain]) -> tuple[str, ...]:
    """The best first, RFC 4422 §3.2. A client that takes SCRAM up falls back to nothing else."""
    return ("SCRAM-SHA-256", "PLAIN", "LOGIN") if any(each.scram for each in domains) else ("PLAIN", "LOGIN")


def _authentication(config: Config, parts: House) -> Authentication | None:
    if config.mailauth is None:
        return None
    limits, domains = config.limits, parts.domains

    def judges(address: str) -> Judges:
        share, clock = parts.shares.of(source_of(address.partition("%")[0]).network), parts.clock
        spf = Spf(share, clock, limits, config.hostname)
        return Judges(share, spf, Dmarc(share), Verifier(share, clock, limits))

    def rejects(recipient: str) -> bool:
        domain = domains.get(a_labels(recipient.rpartition("@")[2]))
        return domain is not None and domain.reject_dmarc

    spool = Spool(config.directory, limits)
    told = config.mailauth
    return Authentication(
        Verdicts(judges, limits),
        config.authserv_id,
        spool,
        rejects,
        told.defer,
        told.exempt,
        frozenset(told.sealers),
        verdicts_kept(config, parts),
    )
