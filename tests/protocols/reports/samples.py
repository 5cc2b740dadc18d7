"""Reports as this project writes them, and as others do."""

from __future__ import annotations

from protocols.reports.tls import FailureDetails, TlsPolicy, TlsReport
from protocols.reports.values import (
    Aggregate,
    DkimAuth,
    Metadata,
    Override,
    PolicyPublished,
    Record,
    SpfAuth,
)

BEGIN, END = 1_767_225_600, 1_767_311_999

RECORDS = (
    Record(
        source="2001:db8::1",
        count=7,
        disposition="quarantine",
        dkim=False,
        spf=False,
        header_from="example.org",
        envelope_from="spam & <ham>.example",
        reasons=(Override("local_policy", "rejects nothing for DMARC alone"),),
        dkim_auth=(DkimAuth("list.example", "s1", "pass"), DkimAuth("example.org", "m1", "fail")),
        spf_auth=(SpfAuth("list.example", "mfrom", "softfail"), SpfAuth("mail.list.example", "helo", "pass")),
    ),
    Record(
        source="192.0.2.1",
        count=100,
        disposition="none",
        dkim=True,
        spf=True,
        header_from="news.example.org",
        envelope_from="example.org",
        dkim_auth=(DkimAuth("example.org", "m1", "pass"),),
        spf_auth=(SpfAuth("example.org", "mfrom", "pass"),),
    ),
)

AGGREGATE = Aggregate(
    Metadata("Receiver Inc.", "postmaster@receiver.example", "20260101.1@receiver.example", BEGIN, END),
    PolicyPublished("example.org", "s", "r", "reject", "quarantine", "1:d"),
    RECORDS,
    messages=107,
    failed=7,
)

TLS = TlsReport(
    "Receiver Inc.",
    "postmaster@receiver.example",
    "20260101.2@receiver.example",
    BEGIN,
    END,
    (
        TlsPolicy(
            "no-policy-found",
            "example.org",
            40,
            3,
            (
                FailureDetails("starttls-not-supported", 2, "192.0.2.9", "mx.example.org", "192.0.2.1"),
                FailureDetails(
                    "validation-failure", 1, "", "mx.example.org", "192.0.2.1", "WRONG_VERSION_NUMBER"
                ),
            ),
        ),
    ),
)

SUCCESSOR = b"""<?xml version="1.0"?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
  <version>1.0</version>
  <report_metadata>
    <org_name>Sender's receiver</org_name>
    <email>reports@receiver.example</email>
    <extra_contact_info>https://receiver.example/</extra_contact_info>
    <report_id>abc</report_id>
    <date_range><begin>1767225600</begin><end>1767311999</end></date_range>
    <generator>Something 1.0</generator>
  </report_metadata>
  <policy_published>
    <domain>Example.ORG</domain>
    <p>reject</p><np>reject</np>
    <testing>n</testing><discovery_method>treewalk</discovery_method>
  </policy_published>
  <record>
    <row>
      <source_ip>192.0.2.77</source_ip><count>3</count>
      <policy_evaluated><disposition>pass</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated>
    </row>
    <identifiers><envelope_from>bounce.example.org</envelope_from><header_from>example.org</header_from></identifiers>
    <auth_results>
      <dkim><domain>example.org</domain><result>pass</result><selector>k</selector></dkim>
      <spf><domain>bounce.example.org</domain><result>fail</result></spf>
    </auth_results>
    <x:extension xmlns:x="urn:x"><x:row><x:count>9</x:count></x:row></x:extension>
  </record>
</feedback>
"""

FAILURE = (
    b"Feedback-Type: auth-failure\r\nUser-Agent: SomeMTA/1.0\r\nVersion: 1\r\n"
    b"Original-Mail-From: <x@spammer.example>\r\nArrival-Date: Thu, 1 Jan 2026 10:00:00 +0000\r\n"
    b"Source-IP: 192.0.2.66\r\nReported-Domain: example.org\r\n"
    b"Authentication-Results: mx.receiver.example;\r\n\tdmarc=fail header.from=example.org\r\n"
    b"Auth-Failure: dmarc\r\nDelivery-Result: spam\r\nIncidents: 2\r\n"
)
