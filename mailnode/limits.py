"""Every number that bounds something, with its unit last in the name and its reason beside it."""

from dataclasses import dataclass

KiB = 1024
MiB = 1024 * KiB

ADDRESS_OCTETS_MAX = 254  # RFC 5321 §4.5.3.1.3: a path is 256 octets with its brackets
SCRAM_ITERATIONS_MAX = 65_536  # clients built on Cyrus SASL refuse more; RFC 7677 §4 asks for 4,096 at least


@dataclass(frozen=True, slots=True)
class Limits:
    # -- connections
    connections_max: int = 20_000  # 4 to 13 KiB each; the machine's bound on open files may be lower
    open_files_reserved: int = 3000  # for RocksDB (2,000), the relay, DNS and logs
    connections_per_address_max: int = 1000  # an office behind one address, not a flood
    write_high_water_octets: int = 256 * KiB  # a reader that slow makes its producer wait
    idle_tls_handshake_seconds_max: int = 30  # a handshake takes two round trips
    connection_input_octets_max: int = 64 * KiB  # one read of the socket: more waits in the kernel
    connection_rows_open_max: int = 16  # contents that wait for a sync; the sessions allow fewer
    silence_octets_max: int = 1 * KiB  # said without an answer: who says less in all that time is silent
    connection_linger_seconds_max: int = 10  # for the peer to take the last octets
    stop_seconds_max: int = 20  # for commands under way when the node stops; systemd kills after 90
    write_hangs_seconds: float = 10.0  # for a sync: /healthz says that the node is not well
    http_connections_max: int = 100  # of those who read the metrics: one that drips octets is never silent
    http_silence_seconds_max: int = 30  # of whoever reads the metrics: between two requests, and within one
    loop_held_seconds_max: float = 0.01  # an answer longer than that lets others run in between

    # -- several nodes of one directory
    restart_pause_seconds_min: float = 0.5  # before the second restart in a row: the first is at once
    restart_pause_seconds_max: float = 30.0  # others serve meanwhile, and the log does not fill
    restart_settled_seconds: float = 10.0  # who lived so long and dies is not one that cannot live

    # -- SMTP
    smtp_command_line_octets_max: int = 2048  # RFC 5321 §4.5.3.1.4 asks for 512; extensions add to it
    smtp_recipients_max: int = 1000  # RFC 5321 §4.5.3.1.8 asks for at least 100
    smtp_message_octets_max: int = 50 * MiB  # as the large providers
    smtp_command_seconds_max: int = 300  # RFC 5321 §4.5.3.2.7
    smtp_errors_max: int = 20  # after that the peer is guessing
    smtp_refused_recipients_max: int = 100  # since the last message: beyond it names are tried
    smtp_events_open_max: int = 4  # contents in flight on one connection: they share a sync
    smtp_hops_max: int = 100  # RFC 5321 §6.3

    # -- IMAP
    imap_line_octets_max: int = 64 * KiB  # RFC 7162 §4 asks for 8192; UID sets of clients are longer
    imap_command_octets_max: int = 256 * KiB  # a command with its small literals
    imap_message_octets_max: int = 50 * MiB  # what SMTP takes, APPEND takes
    imap_swallow_octets_max: int = 64 * KiB  # of a refused LITERAL+, RFC 7888 §4; beyond it BYE
    imap_list_patterns_max: int = 100  # of one LIST
    imap_search_keys_max: int = 1000  # of one SEARCH
    imap_login_seconds_max: int = 60  # before authentication
    imap_idle_seconds_max: int = 1800  # RFC 9051 §5.4: at least 30 minutes
    imap_still_here_seconds: int = 120  # what is said in IDLE when nothing happens: NAT forgets who is silent
    imap_connections_per_login_max: int = 100  # of one account from one address: a client has a dozen
    imap_errors_max: int = 20  # BAD in a row
    imap_events_open_max: int = 8  # APPENDs in flight on one connection: they share a sync
    imap_multiappend_messages_max: int = 1000  # of one APPEND: all of them are one change
    imap_multiappend_octets_max: int = 16 * MiB  # held in memory; long messages are not
    imap_depth_max: int = 80  # parentheses; a search key adds levels, and protobuf reads 100 at most
    imap_sequence_ranges_max: int = 20_000  # more than any client sends

    # -- COMPRESS
    deflate_window_bits: int = 13  # 54 KiB with the level below while busy, none in IDLE; 15 saves a tenth
    deflate_memory_level: int = 6

    # -- POP3
    pop3_line_octets_max: int = 512  # RFC 2449 §4 asks for 255
    pop3_exchange_line_octets_max: int = 12 * KiB  # RFC 4422 §3: SASL messages of that size in base64
    pop3_idle_seconds_max: int = 600  # RFC 1939 §3: at least 10 minutes
    pop3_errors_max: int = 20
    pop3_ahead_octets_max: int = 256 * KiB  # read with the message that is asked for, if it was the next

    # -- authentication
    authentication_threads_max: int = 2  # argon2id fills a core and 64 MiB each
    authentication_queue_max: int = 1000  # a login burst; beyond it the answer is "try again"
    authentication_remembered_seconds: int = 3600  # a verified password, as a keyed hash in memory
    authentication_failures_max: int = 5  # in one session
    passwords_remembered_max: int = 100_000  # accounts; some 200 octets each
    password_octets_max: int = 1024  # no passphrase is longer; hashing reads all of it
    scram_answer_seconds_min: float = 0.02  # hides whether rows lay in memory, on the disk, or nowhere
    application_passwords_max: int = 25  # of an account: SCRAM tries each, in 5 µs
    application_password_used_seconds: int = 3600  # "last used" is that exact: each time would be a write

    # -- guessing: so many failures are free, one is forgiven after some time; beyond that the next attempt
    # -- waits, then twice as long each time, up to the maximum (mailnode/directory/guesses.py)
    guesses_delay_seconds_min: int = 1  # who has mistyped again hardly notices
    guesses_address_free: int = 10  # a household, with an old password in some device
    guesses_address_forgiven_seconds: int = 600  # so 150 guesses a day, whatever the patience
    guesses_address_delay_seconds_max: int = 900
    guesses_network_free: int = 50  # a /24 or /48: a provider's customers
    guesses_network_forgiven_seconds: int = 60
    guesses_network_delay_seconds_max: int = 300
    guesses_account_free: int = 20  # by networks from which its user never came: who travels waits then
    guesses_account_forgiven_seconds: int = 300  # so 300 guesses a day by all the world
    guesses_account_delay_seconds_max: int = 300
    guesses_known_free: int = 20  # where its user has logged in before
    guesses_known_forgiven_seconds: int = 60
    guesses_known_delay_seconds_max: int = 60  # who guesses in the same household locks nobody out
    guesses_kept_max: int = 100_000  # of each kind, some 250 octets each: the oldest go
    known_sources_max: int = 32  # of an account: a telephone moves about
    known_source_seconds: int = 90 * 86_400  # longer than a journey
    known_source_refreshed_seconds: int = 86_400  # a write an address and day

    # -- the directory
    directory_rows_cached_max: int = 100_000  # addresses that exist; some 300 octets each
    alias_rows_max: int = 1000  # addresses that one alias may stand for, as smtp_recipients_max

    # -- DNS
    dns_seconds_max: int = 20  # for one name, over all servers: a client waits for it
    dns_queries_open_max: int = 500  # sockets at the same time
    dns_answers_kept_max: int = 100_000  # names and types; some 1,000 octets each
    dns_octets_kept_max: int = 100 * MiB  # about: an answer may be as long as whoever gives it likes
    dns_failure_seconds: int = 30  # RFC 9520 §3.2: that a name cannot be asked is kept, for 5 minutes at most
    dns_ttl_seconds_max: int = 86_400  # RFC 8767 §4: a week at most; a day forgets mistakes sooner
    dns_nothing_seconds_max: int = 3600  # RFC 2308 §5: "there is none" for 1 to 3 hours

    # -- authentication of mail that comes in
    verdict_seconds_max: int = 30  # from the end of a message: RFC 5321 §4.5.3.2.6 has the client wait 600
    mailauth_dns_queries_open_max: int = 400  # of dns_queries_open_max: mail that goes on asks, too
    mailauth_dns_queries_open_per_network_max: int = 40  # of those: a message has some ten at a time
    spooled_contents_max: int = 500  # files, of open_files_reserved; shorter contents need none
    spf_seconds_max: int = 20  # RFC 7208 §4.6.4: at least 20
    spf_queries_max: int = 150  # RFC 7208 §4.6.4: 10 terms that may name 10 hosts each, and what is foreseen
    spf_record_octets_max: int = (
        4 * KiB
    )  # RFC 7208 §3.4: 450 is usual; of eleven records each costs 2 ms then
    spf_term_octets_max: int = 512  # a name has 253, with macros that make it
    dkim_signatures_max: int = 10  # of a message: more are of nobody who wants to be believed
    dkim_signature_octets_max: int = 16 * KiB  # a field with some hundred names in h=, or a z=
    dkim_head_octets_max: int = 1024 * KiB  # a header beyond that is nobody's to read
    dkim_record_octets_max: int = 4 * KiB  # a key of 8192 bits has 1.4 KiB

    # -- reports to other domains' owners, and from them
    report_rows_max: int = 50_000  # that differ, of a day and node: some 1,000 octets each
    report_domain_rows_max: int = 5_000  # of them of one domain: who sends from more addresses is a flood
    report_counted_seconds_max: float = 2.0  # that mail waits until it is counted; a cut takes longer
    report_rest_seconds: int = 600  # after the day's end: what is being counted then is there
    report_spread_seconds: int = 4 * 3600  # RFC 8460 §4.1: not all reports at midnight
    report_retry_seconds: int = 1800  # where the DNS does not say now where a report goes
    report_tried_seconds_max: int = 86_400  # RFC 8460 §5.5
    report_destinations_max: int = 5  # of a domain: no owner has more readers, but an attacker may name many
    report_octets_max: int = 10 * MiB  # RFC 7489 §7.2.1.1: as much is what receivers commonly take
    report_parts_max: int = 10  # of one report
    report_failures_max: int = 200  # failure reports an hour
    report_failures_domain_max: int = 20  # of them for one domain
    reports_kept_seconds: int = 400 * 86_400  # that came in: a year, and its month before
    reports_kept_max: int = 20_000  # of one domain: fifty receivers a day; then the oldest go
    reports_looked_seconds: int = 60  # between two looks at whose the addresses for reports are

    # -- mail that goes on
    relay_items_open_max: int = 100  # attempts at the same time: a socket and some 100 KiB each
    relay_domains_open_max: int = 20  # of one item: its slow hosts hold up the others no longer
    relay_recipients_max: int = 100  # of one transaction: RFC 5321 §4.5.3.1.8, all servers take as many
    relay_retry_seconds_min: int = 300  # greylisting lets in after that; doubled each time
    relay_retry_seconds_max: int = 4 * 3600  # RFC 5321 §4.5.4.1: every 2 to 3 hours and less is usual
    relay_delay_told_seconds: int = 4 * 3600  # the sender is told that it takes long
    relay_kept_seconds_max: int = 5 * 86_400  # RFC 5321 §4.5.4.1: at least 4 to 5 days
    relay_hosts_max: int = 10  # MX records of a domain that are tried: more is a way to keep us busy
    relay_addresses_max: int = 5  # of one host and family
    relay_connect_seconds_max: int = 30  # as Postfix; the next host is asked then
    relay_reply_seconds_max: int = 300  # RFC 5321 §4.5.3.2.1 to §4.5.3.2.4: 2 to 5 minutes
    relay_content_seconds_max: int = 180  # RFC 5321 §4.5.3.2.5, for each piece
    relay_end_seconds_max: int = 600  # RFC 5321 §4.5.3.2.6

    # -- the mailbox
    quota_grace_share: float = 0.1  # as Dovecot: the message that fills a quota may go that far beyond it
    summed_accounts: int = 1000  # of a part of that: some ms of a pool
    domain_sums_seconds: int = 60  # between two sums of the accounts of domains that have a limit together
    messages_octets_max: int = 256 * KiB  # of one mail that `messages` brings along: one chunk, one read
    messages_run_max: int = 1000  # messages a run with mails or octets: a few ms of the loop
    run_octets_max: int = 1 * MiB  # octets a run
    entries_run_max: int = 20_000  # messages a run of entries only
    watch_pending_max: int = 1000  # changes that a reader may lag behind before it must resync
    departed_entries_max: int = 100_000  # of a watched mailbox, 50 to 170 octets each: FETCH may still ask
    mailboxes_max: int = 10_000  # of an account
    mailbox_name_octets_max: int = 1000  # of a full name, as Dovecot and Cyrus
    mailbox_depth_max: int = 32  # levels of a name
    keyword_octets_max: int = 128  # of one keyword
    store_slice_entries: int = 5_000  # a STORE is that many entries a change
    store_slice_ranges: int = 1_000  # and that many ranges of UIDs: each costs a search and is told
    few_entries_max: int = 32  # entries of a change that are looked at one by one; more go by columns
    change_octets_max: int = 64 * MiB  # COPY and MOVE are one change
    intents_queued_max: int = 10_000  # of one account
    touched_kept_seconds: int = 30 * 86_400  # a client away for a month resynchronises quickly
    results_kept_seconds: int = 7 * 86_400  # longer than a queue item lives
    trimmed_seconds: int = 6 * 3600  # between two looks for what was kept that long
    trim_accounts: int = 100  # accounts looked at before others run: some ms of a pool
    trim_rows_max: int = 10_000  # rows of one account looked at in between
    arrays_octets_max: int = 512 * MiB  # UIDs and entries of mailboxes held in memory
    arrays_small_octets: int = 1 * MiB  # 20,000 messages: loaded again in 10 ms
    arrays_idle_seconds: int = 10  # then such arrays go
    accounts_kept_max: int = 10_000  # heads of accounts nobody uses at the moment, a few KiB each
    system_accounts_kept_max: int = 2_000  # likewise: the directory has one of each partition
    load_threads_max: int = 4  # cold reads at the same time

    expunged_kept_seconds: int = 7 * 86_400  # then what was expunged cannot be brought back
    removed_kept_seconds: int = 30 * 86_400  # then a removed account cannot be brought back
    collected_seconds: int = 600  # between two looks for what was expunged that long ago
    collected_entries: int = 500  # that go with one change: some ms of the writer
    collected_rows_max: int = 500  # and so many expunges, each a few KiB to be read
    undeleted_entries: int = 5_000  # that come back with one change, as of a STORE

    upload_kept_seconds: int = 86_400  # a content that takes longer to come than that never will
    uploads_swept_seconds: int = 3600  # between two looks for contents that never came

    # -- replicated partitions
    log_memory_octets: int = 64 * MiB  # entries that a follower may lack: older ones are read from the disk
    log_octets_max: int = 4096 * MiB  # of all logs: one who lacks what is trimmed gets all anew
    replica_returns_seconds: int = 60  # one that comes and goes must not stall writes each time
    handed_over_seconds_max: int = 10  # when a node stops: to lead nothing, and to be waited for by nobody
    copies_owed_seconds_max: float = 10.0  # until the set in sync has grown back: a restart is longer
    log_kept_seconds: int = 3600  # longer than a restart, or than a machine takes to come back

    # -- copies compared
    compare_seconds: int = 7 * 86_400  # from the begin of a pass to the next, as scrub_seconds
    compare_first_seconds: int = 3600  # from the first start of a node, which has its hands full, to a pass
    compare_pause_seconds: float = 0.5  # between two partitions: most are small, and cost the asking
    compare_again_seconds: int = 600  # between two looks at one partition because something was wrong in it
    compare_octets_a_second: int = 8 * MiB  # read of each copy, as scrub_octets_a_second
    compare_part_octets: int = 64 * MiB  # read at one point: a view keeps replaced files for 8 s at that rate
    compare_reached_seconds_max: float = 2.0  # for a copy to come to an entry: a heartbeat tells in 0.5 s
    compare_held_seconds_max: float = 5.0  # rows that wait while some are mended: a few round trips
    compare_answer_seconds_max: int = (
        60  # a part is read in 8 s at that rate; a node that died is noticed sooner
    )
    compare_views_open_max: int = 16  # of a node, for others: each pins files
    compare_view_seconds_max: float = 120.0  # that nobody asks anything of: whoever had it opened is gone
    compare_values_octets_max: int = 4 * MiB  # of rows that are mended in one message
    aside_octets_max: int = 64 * MiB  # of what repairs overwrote and may have been right: then they wait

    # -- the shard
    shard_memory_octets: int = 256 * MiB  # memtables and caches, where the configuration does not say
    shard_memory_octets_min: int = 16 * MiB  # below it every group of writes is a flush
    blob_garbage_share_max: float = 0.25  # of the octets of blobs on disk; beyond it they are rewritten
    scrub_octets_a_second: int = 8 * MiB  # read by the scrub: a tenth of what a slow disk gives
    scrub_seconds: int = 7 * 86_400  # from the end of a pass to the next
    disk_reserve_octets: int = 512 * MiB  # free below it: no new mail; what frees room needs some itself
    disk_reserve_percent_max: int = 5  # of the file system: that of a small one is smaller
    disk_looked_seconds: int = 5  # between two looks at what is free: 100 MB/s fill the reserve in that time
    disk_ballast_octets_min: int = 4 * MiB  # thrown away to open a full disk; a start writes a MB or two
    group_octets_max: int = 8 * MiB  # of one WriteBatch: a sync every few ms on a slow disk
    part_rows_max: int = 5_000  # rows of a large change written at once: some 10 ms of the writer
    large_at_once_max: int = 2  # large changes on their way: each holds some 100 MiB, and a pool's thread
    group_pending_octets_max: int = 64 * MiB  # waiting for the writer: beyond it callers wait

    # -- between nodes
    moves_per_node_max: int = 8  # partitions whose copies move at a time from a node, or to it
    node_lost_seconds: int = 600  # without a lease: longer than a machine takes to come back
    peer_calls_open_max: int = 1000  # gRPC calls at a node's server: some 5 streams of each of 100 nodes
    peer_message_octets_max: int = 64 * MiB  # a message with the longest header goes in one; frames are 1 MiB
    peer_silence_seconds_max: int = 2  # then a peer is asked whether it is there, and has as long to answer
    peer_reconnect_milliseconds_max: int = 200  # between two attempts: a restarted node is back at once
    batch_octets_max: int = 256 * KiB  # that go in one message: more is no cheaper, and others wait for it
    piece_octets_max: int = 64 * KiB  # of what is long: some 0.3 ms that a short answer waits behind it
    outgoing_octets_max: int = 16 * MiB  # waiting for one other node: beyond it who asks or answers waits
    remote_calls_open_max: int = 20_000  # of one node at another: as many as it has connections
    remote_seconds_max: int = 60  # for an answer: a large COPY takes some; a node that died is noticed sooner
    remote_wait_seconds_max: int = 10  # for the node that leads an account: a failover takes as long
    usage_lately_seconds_max: int = 5  # what an account elsewhere held then says at RCPT whether it has room
    usages_lately_max: int = 10_000  # of accounts, some 700 octets each
    reattached_at_once_max: int = 64  # watches whose node died, at the next one
    reattach_seconds_max: int = 2  # in which very many of them come
    stream_window_octets: int = 2 * MiB  # of frames that a node has not taken: two of them on their way
    stream_silence_seconds_max: int = 10  # a node that takes nothing so long is asked anew
    stream_retry_seconds_max: float = 1.0  # between two attempts: a node that starts has not to wait long
    snapshot_silence_seconds_max: int = 60  # then its taker is given up: its disk may have much to do
    snapshots_at_once_max: int = 4  # that are sent: each holds on the disk what was dropped since it began
    snapshot_octets_a_second: int = 64 * MiB  # of all that are sent: half of what a slow network carries
    mailboxes_kept_max: int = 100_000  # of accounts at one other node: some 15 MB, to be asked for no more
    bulletin_accounts_max: int = 10_000  # changed, kept for nodes that read late: else they look at all
