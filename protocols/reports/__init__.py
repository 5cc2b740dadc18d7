"""What domains' owners are told of mail in their name, and of TLS with their hosts: DMARC aggregate reports
(RFC 7489 §7.2), failure reports (RFC 6591) and SMTP TLS reports (RFC 8460), written and read.

Pure: values in, octets out, and back. What is read was written by anybody: it is bounded before it is looked
at, and what cannot be read is a `Malformed`, whatever is wrong with it.
"""
