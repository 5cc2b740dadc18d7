"""Each number that bounds something, and the test that shows what happens there.

A row names a test, as file::function, or a case, as file: sentence; the path begins at `tests/`. For numbers
that nobody outside meets (pools, intervals, slices) it is the test of the behaviour that they are part of.
"""

from __future__ import annotations

CROWDS = "limits/test_crowds.py::"
TUNED = "limits/test_tuned.py::test_what_is_too_much_is_refused_and_others_are_served"
SMALL = "limits/test_small.py::test_what_is_beyond_the_bound_is_refused_and_what_is_within_is_done"
BUSY = (
    "limits/test_tuned.py::"
    "test_of_many_logins_at_once_some_are_told_to_try_again_and_who_is_logged_in_feels_nothing"
)
CONVERSATION = "listeners/test_conversation.py::"
COUNTS = "cases/smtp/test_counts.py::"
APPEND = "listeners/test_imap_append.py::"
TIME = "listeners/test_imap_time.py::"
TOLD = "mailbox/test_told_rows.py::"
REMEMBERED = "mailbox/test_remembered.py::"
RUNS = "mailbox/test_local_account.py::"
TRIMMING = "mailbox/test_trimming.py::"
GUESSES = "directory/test_guesses.py::"
VERIFICATION = "directory/test_verification.py::"
CREDENTIAL = "directory/test_credential.py::"
RESOLVER = "mailauth/test_resolver.py::"
SPF = "mailauth/test_spf.py::"
DKIM = "mailauth/test_dkim.py::"
REPORTS = "reports/test_out.py::"
INCOMING = "reports/test_in.py::"
TRIMMED = "test_old_reports_go_and_of_too_many_the_oldest"
TOLD_ONCE = "test_what_came_in_a_domains_name_is_told_to_it_once_and_a_restart_loses_nothing"
LET_GO = "test_where_the_dns_does_not_answer_a_report_waits_and_is_let_go_after_a_day"
IN_PARTS = "test_a_report_too_long_for_its_reader_goes_in_parts_and_what_does_not_fit_not_at_all"
AGGREGATE = "protocols/reports/test_aggregate.py::"
FAILURES = "protocols/reports/test_failure.py::test_of_long_fields_and_many_the_first_is_kept"
TLS_CUT = "protocols/reports/test_tls.py::test_what_is_longer_than_anybody_needs_is_cut"
OUTBOX = "relay/test_outbox.py::"
RELAY = "relay/test_bounds.py::"
GUESSERS = GUESSES + "test_beyond_what_is_free_each_failure_doubles_the_wait_up_to_the_longest"
FORGIVEN = GUESSES + "test_a_failure_is_forgiven_after_a_while"
NETWORKS = GUESSES + "test_many_addresses_of_one_network_wait_together"
STRANGERS = GUESSES + "test_a_guesser_all_over_the_net_slows_the_account_for_strangers_only"
NEIGHBOURS = GUESSES + "test_who_guesses_beside_the_user_makes_a_wait_of_the_shorter_kind"
EXPUNGED = (
    "mailbox/test_expunged.py::test_each_goes_when_its_time_is_over_and_not_before_also_after_a_restart"
)
PASSES = "cluster/test_passes.py::test"
SCRUB = "mailbox/test_scrub.py::test_a_scrub_goes_on_where_the_last_run_of_the_node_was"
FULL_DISK = (
    "node/test_full_disk.py::test_below_the_reserve_no_mail_is_taken_all_else_goes_on_and_it_heals_by_itself"
)
STREAMS = "cluster/test_streams.py::"
PARTITIONS = "cluster/test_partitions.py::"
COMPRESS = "listeners/test_imap_compress.py::"
MIME = "protocols/mime/test_bounds.py::test_what_is_beyond_the_bound_is_left_out"
PEERS = "cluster/test_peers.py::"
BALANCE = "cluster/test_balance.py::"
REMOTE = "mailbox/test_remote.py::"
HOSTILE = "protocols/mime/test_hostile.py::"

LIMITS = {
    # -- connections
    "connections_max": CROWDS
    + "test_ten_thousand_connections_are_held_and_one_more_hears_that_it_is_too_much",
    "open_files_reserved": "limits/test_open_files.py::test_files_bound_connections",
    "connections_per_address_max": CROWDS
    + "test_an_address_has_only_so_many_connections_and_others_have_theirs",
    "write_high_water_octets": "node/test_back_pressure.py::test_a_client_that_reads_nothing_fills_no_memory",
    "idle_tls_handshake_seconds_max": "listeners/test_tls.py::test_a_handshake_has_its_time",
    "connection_input_octets_max": CONVERSATION
    + "test_what_comes_beyond_the_contents_allowed_waits_within_bounds",
    "connection_rows_open_max": CONVERSATION + "test_more_rows_beside_than_a_connection_may_have_wait",
    "silence_octets_max": CONVERSATION
    + "test_a_peer_that_says_a_line_octet_by_octet_is_silent_but_not_one_that_says_much",
    "connection_linger_seconds_max": CONVERSATION + "test_the_last_octets_are_waited_for_only_so_long",
    "stop_seconds_max": CONVERSATION + "test_stopping_is_bounded",
    "restart_pause_seconds_min": "node/test_restarts.py::"
    "test_who_never_serves_waits_twice_as_long_each_time_up_to_the_longest",
    "restart_pause_seconds_max": "node/test_restarts.py::"
    "test_who_never_serves_waits_twice_as_long_each_time_up_to_the_longest",
    "restart_settled_seconds": "node/test_restarts.py::test_who_served_long_enough_begins_anew",
    "write_hangs_seconds": "limits/test_health.py::test_a_write_that_hangs_is_told_until_it_is_over",
    "http_connections_max": "limits/test_health.py::test_only_so_many_may_read_at_the_same_time",
    "http_silence_seconds_max": "limits/test_health.py::"
    "test_who_begins_a_request_and_says_no_more_is_sent_away",
    "loop_held_seconds_max": CONVERSATION + "test_a_long_answer_lets_others_be_answered_in_between",
    "deflate_window_bits": COMPRESS + "test_a_bomb_fills_no_memory_and_holds_up_nobody",
    "deflate_memory_level": COMPRESS + "test_a_bomb_fills_no_memory_and_holds_up_nobody",
    # -- SMTP
    "smtp_command_line_octets_max": "cases/smtp/limits.cases: A command line of 2,049 octets is refused",
    "smtp_recipients_max": COUNTS + "test_recipients_beyond_the_limit_are_452_and_the_others_get_the_message",
    "smtp_message_octets_max": TUNED,
    "smtp_command_seconds_max": CROWDS
    + "test_a_thousand_that_say_an_octet_at_a_time_are_sent_away_and_hold_up_nobody",
    "smtp_errors_max": TUNED,
    "smtp_refused_recipients_max": TUNED,
    "smtp_events_open_max": "protocols/smtp/test_server.py::test_no_more_contents_are_open_than_allowed",
    "smtp_hops_max": COUNTS + "test_a_message_that_passed_more_than_a_hundred_hosts_loops",
    # -- IMAP
    "imap_line_octets_max": "cases/imap/input.cases: "
    "A line over 64 KiB is BAD under its tag, and the next is read",
    "imap_command_octets_max": "cases/imap/literal.cases: "
    "A command with more literals than it may have octets is refused, and its literal is swallowed",
    "imap_message_octets_max": TUNED,
    "imap_swallow_octets_max": "cases/imap/literal.cases: "
    "A refused literal that is too large to be swallowed ends the connection before login",
    "imap_list_patterns_max": SMALL,
    "imap_search_keys_max": SMALL,
    "imap_login_seconds_max": TIME + "test_before_login_a_client_has_a_minute",
    "imap_idle_seconds_max": TIME + "test_autologout_comes_after_thirty_minutes_and_not_before",
    "imap_still_here_seconds": TIME + "test_who_idles_hears_every_two_minutes_that_we_are_there",
    "imap_connections_per_login_max": TIME + "test_an_account_has_so_many_connections_from_one_address",
    "imap_errors_max": TUNED,
    "imap_events_open_max": "protocols/imap/test_order.py::test_only_so_many_messages_wait_together",
    "imap_multiappend_messages_max": APPEND + "test_one_append_brings_several_messages_at_once",
    "imap_multiappend_octets_max": APPEND
    + "test_the_headers_of_long_messages_count_for_what_one_append_may_hold",
    "imap_depth_max": SMALL,
    "imap_sequence_ranges_max": SMALL,
    # -- POP3
    "pop3_line_octets_max": "cases/pop3/authorization.cases: "
    "A line longer than any command is one error, and the next command is read",
    "pop3_exchange_line_octets_max": "cases/pop3/authorization.cases: "
    "A longer one is too long and ends the exchange",
    "pop3_idle_seconds_max": "listeners/test_pop3.py::"
    "test_ten_minutes_of_silence_end_a_session_without_a_word_and_without_removing",
    "pop3_errors_max": TUNED,
    "pop3_ahead_octets_max": "listeners/test_pop3.py::"
    "test_messages_asked_for_in_any_order_and_twice_are_the_ones_asked_for",
    # -- authentication
    "authentication_threads_max": BUSY,
    "authentication_queue_max": BUSY,
    "authentication_remembered_seconds": VERIFICATION + "test_a_verified_password_is_remembered_for_an_hour",
    "authentication_failures_max": TUNED,
    "passwords_remembered_max": VERIFICATION + "test_only_so_many_passwords_are_remembered",
    "password_octets_max": TUNED,
    "scram_answer_seconds_min": VERIFICATION + "test_no_keys_are_told_before_any_row_could_have_been_read",
    "application_passwords_max": CREDENTIAL + "test_names_are_given_once_and_there_are_only_so_many",
    "application_password_used_seconds": CREDENTIAL
    + "test_the_last_use_is_shown_to_the_hour_and_goes_with_the_password",
    # -- guessing
    "guesses_delay_seconds_min": "node/test_passwords.py::"
    "test_whoever_has_failed_too_often_is_told_to_try_again_later",
    "guesses_address_free": GUESSERS,
    "guesses_address_forgiven_seconds": FORGIVEN,
    "guesses_address_delay_seconds_max": GUESSERS,
    "guesses_network_free": NETWORKS,
    "guesses_network_forgiven_seconds": NETWORKS,
    "guesses_network_delay_seconds_max": NETWORKS,
    "guesses_account_free": STRANGERS,
    "guesses_account_forgiven_seconds": STRANGERS,
    "guesses_account_delay_seconds_max": STRANGERS,
    "guesses_known_free": NEIGHBOURS,
    "guesses_known_forgiven_seconds": NEIGHBOURS,
    "guesses_known_delay_seconds_max": NEIGHBOURS,
    "guesses_kept_max": GUESSES + "test_names_without_end_take_bounded_memory_and_push_out_the_oldest",
    "known_sources_max": CREDENTIAL + "test_only_the_latest_places_of_a_user_are_kept",
    "known_source_seconds": CREDENTIAL + "test_where_the_user_came_from_is_known_after_a_restart_for_a_while",
    "known_source_refreshed_seconds": CREDENTIAL + "test_where_a_user_came_from_is_written_once_a_day",
    # -- the directory
    "directory_rows_cached_max": REMEMBERED
    + "test_as_many_are_remembered_as_may_be_and_those_last_asked_for",
    "alias_rows_max": "directory/test_lookup.py::test_an_alias_for_too_many_addresses_is_refused_whole",
    # -- DNS, and authentication of mail that comes in
    "dns_seconds_max": "mailauth/test_servers.py::test_a_server_that_does_not_answer_is_not_taken_for_no",
    "dns_queries_open_max": RESOLVER + "test_questions_and_answers_are_bounded",
    "dns_answers_kept_max": RESOLVER + "test_questions_and_answers_are_bounded",
    "dns_ttl_seconds_max": RESOLVER
    + "test_an_answer_is_kept_no_longer_than_the_bound_whatever_its_owner_says",
    "dns_nothing_seconds_max": RESOLVER + "test_that_there_is_none_is_kept_within_its_own_bound",
    "dns_octets_kept_max": RESOLVER + "test_long_answers_take_the_room_of_many_short_ones",
    "dns_failure_seconds": RESOLVER + "test_a_failure_is_told_to_all_and_asked_again_later",
    "mailauth_dns_queries_open_per_network_max": "node/test_mailauth.py::"
    "test_whose_domains_are_silent_holds_up_nobody_elses_mail",
    "mailauth_dns_queries_open_max": RESOLVER
    + "test_who_fills_a_share_leaves_room_for_others_and_what_is_kept_needs_none",
    "dkim_signatures_max": DKIM + "test_all_signatures_count_up_to_the_limit",
    "dkim_signature_octets_max": DKIM + "test_a_signature_longer_than_any_is_none_and_the_others_count",
    "dkim_head_octets_max": DKIM + "test_a_message_without_end_of_header_or_with_an_endless_one_is_read",
    "dkim_record_octets_max": DKIM + "test_what_the_dns_says_of_a_key_has_its_word",
    "verdict_seconds_max": "mailauth/test_verdict.py::test_what_is_late_is_held_against_nobody",
    "spooled_contents_max": "delivery/test_examined.py::"
    "test_a_long_message_that_finds_no_room_to_wait_comes_again",
    "spf_seconds_max": SPF + "test_a_dns_that_does_not_answer_is_temperror",
    "spf_queries_max": SPF + "test_a_zone_that_costs_too_much_is_given_up",
    "spf_record_octets_max": SPF + "test_a_zone_that_costs_too_much_is_given_up",
    "spf_term_octets_max": SPF + "test_a_zone_that_costs_too_much_is_given_up",
    # -- reports
    "report_rows_max": REPORTS + "test_a_domain_of_too_many_rows_costs_no_more_and_its_mail_is_taken",
    "report_domain_rows_max": REPORTS + "test_a_domain_of_too_many_rows_costs_no_more_and_its_mail_is_taken",
    "report_counted_seconds_max": "reports/test_tally.py::"
    "test_mail_waits_only_for_a_while_until_it_is_counted",
    "report_rest_seconds": REPORTS + TOLD_ONCE,
    "report_spread_seconds": REPORTS + TOLD_ONCE,
    "report_retry_seconds": REPORTS + LET_GO,
    "report_tried_seconds_max": REPORTS + LET_GO,
    "report_destinations_max": REPORTS + "test_another_organizations_address_has_a_report_only_if_it_says_so",
    "report_octets_max": REPORTS + IN_PARTS,
    "report_parts_max": REPORTS + IN_PARTS,
    "report_failures_max": REPORTS + "test_a_failure_report_shows_the_header_as_far_as_it_may",
    "reports_kept_seconds": INCOMING + TRIMMED,
    "reports_kept_max": INCOMING + TRIMMED,
    "reports_looked_seconds": INCOMING
    + "test_reports_are_read_from_the_mailbox_kept_once_and_told_by_source_also_after_a_restart",
    "report_failures_domain_max": REPORTS + "test_a_failure_report_shows_the_header_as_far_as_it_may",
    # -- mail that goes on
    "relay_items_open_max": RELAY + "test_so_many_items_are_on_their_way_and_the_others_wait",
    "relay_domains_open_max": RELAY + "test_so_many_domains_of_an_item_are_asked_at_once",
    "relay_recipients_max": RELAY + "test_a_transaction_has_so_many_recipients",
    "relay_retry_seconds_min": OUTBOX + "test_waits_grow_from_the_least_to_the_most_with_a_tenth_by_chance",
    "relay_retry_seconds_max": OUTBOX + "test_waits_grow_from_the_least_to_the_most_with_a_tenth_by_chance",
    "relay_delay_told_seconds": OUTBOX + "test_a_long_wait_is_told_once_and_in_the_end_given_up",
    "relay_kept_seconds_max": OUTBOX + "test_a_long_wait_is_told_once_and_in_the_end_given_up",
    "relay_hosts_max": "relay/test_route.py::test_hosts_and_their_addresses_are_bounded",
    "relay_addresses_max": "relay/test_route.py::test_hosts_and_their_addresses_are_bounded",
    "relay_connect_seconds_max": RELAY + "test_a_host_that_takes_no_connection_is_given_up",
    "relay_reply_seconds_max": "relay/test_attempt.py::"
    "test_a_port_where_nobody_listens_and_a_silent_server_fail",
    "relay_content_seconds_max": RELAY + "test_a_host_that_is_silent_behind_354_is_given_up",
    "relay_end_seconds_max": RELAY + "test_a_host_that_is_silent_behind_354_is_given_up",
    # -- the mailbox
    "quota_grace_share": "mailbox/test_quota.py::"
    "test_a_delivery_may_fill_the_account_a_tenth_beyond_its_quota_and_then_none_comes",
    "summed_accounts": "mailbox/test_quota.py::"
    "test_a_domain_is_full_when_its_accounts_together_hold_as_much_as_it_may",
    "domain_sums_seconds": "mailbox/test_quota.py::"
    "test_a_domain_is_full_when_its_accounts_together_hold_as_much_as_it_may",
    "messages_octets_max": RUNS + "test_runs_of_octets_are_bounded_by_their_octets_too",
    "messages_run_max": RUNS + "test_runs_are_bounded_and_together_all_that_was_asked_for",
    "run_octets_max": RUNS + "test_runs_of_octets_are_bounded_by_their_octets_too",
    "entries_run_max": RUNS + "test_runs_are_bounded_and_together_all_that_was_asked_for",
    "watch_pending_max": "listeners/test_imap_news.py::test_who_is_too_far_behind_is_told_the_difference",
    "departed_entries_max": "listeners/test_imap_news.py::"
    "test_a_fetch_of_what_is_no_longer_kept_answers_the_rest",
    "mailboxes_max": SMALL,
    "mailbox_name_octets_max": SMALL,
    "mailbox_depth_max": SMALL,
    "keyword_octets_max": SMALL,
    "store_slice_entries": "mailbox/test_ranges.py::"
    "test_slices_together_ask_for_the_same_and_hold_no_more_than_allowed",
    "store_slice_ranges": "mailbox/test_ranges.py::"
    "test_slices_together_ask_for_the_same_and_hold_no_more_than_allowed",
    "few_entries_max": "mailbox/test_simulation.py::"
    "test_every_answer_and_every_sight_agrees_with_what_the_disk_keeps",
    "change_octets_max": SMALL,
    "intents_queued_max": "mailbox/test_retries.py::test_more_intents_than_may_wait_are_sent_away",
    "touched_kept_seconds": TRIMMING + "test_touched_rows_go_at_a_floor_and_nothing_above_it_is_lost",
    "results_kept_seconds": TRIMMING
    + "test_a_retry_within_the_time_finds_its_result_and_one_after_it_is_done_anew",
    "trimmed_seconds": TRIMMING + "test_much_is_trimmed_in_bounded_steps_and_every_account_is_looked_at",
    "trim_accounts": TRIMMING + "test_much_is_trimmed_in_bounded_steps_and_every_account_is_looked_at",
    "trim_rows_max": TRIMMING + "test_much_is_trimmed_in_bounded_steps_and_every_account_is_looked_at",
    "arrays_octets_max": RUNS + "test_arrays_not_used_for_long_are_forgotten_when_memory_is_short",
    "arrays_small_octets": RUNS + "test_small_arrays_that_nobody_used_for_a_while_are_forgotten",
    "arrays_idle_seconds": RUNS + "test_small_arrays_that_nobody_used_for_a_while_are_forgotten",
    "system_accounts_kept_max": REMEMBERED + "test_only_so_many_accounts_of_the_system_are_kept",
    "accounts_kept_max": RUNS
    + "test_there_is_one_object_of_an_account_as_long_as_anything_of_it_is_under_way",
    "load_threads_max": "mailbox/test_loads.py::test_a_load_is_shared_and_outlives_the_reader_that_began_it",
    "expunged_kept_seconds": EXPUNGED,
    "removed_kept_seconds": "directory/test_removal.py::"
    "test_it_is_purged_when_its_time_is_over_and_not_when_it_was_brought_back",
    "collected_seconds": "node/test_removal.py::"
    "test_what_is_expunged_or_removed_leaves_the_shard_when_its_time_is_over",
    "collected_entries": EXPUNGED,
    "collected_rows_max": EXPUNGED,
    "undeleted_entries": "cli/test_cli.py::test_what_was_expunged_is_listed_and_brought_back",
    "upload_kept_seconds": "mailbox/test_retries.py::"
    "test_an_upload_that_took_too_long_is_swept_and_one_that_is_coming_stays",
    "uploads_swept_seconds": "mailbox/test_retries.py::"
    "test_an_upload_that_took_too_long_is_swept_and_one_that_is_coming_stays",
    # -- replicated partitions
    "log_memory_octets": "cluster/test_kept.py::test_what_leaves_memory_is_what_was_written_first",
    "log_octets_max": "cluster/test_kept.py::test_the_disk_keeps_so_many_octets",
    "compare_seconds": f"{PASSES}_a_pass_goes_on_where_the_last_run_of_the_node_was_and_comes_again",
    "compare_first_seconds": f"{PASSES}_a_pass_goes_on_where_the_last_run_of_the_node_was_and_comes_again",
    "compare_pause_seconds": f"{PASSES}_a_pass_reads_so_many_octets_a_second",
    "compare_again_seconds": f"{PASSES}_who_finds_damage_in_its_copy_tells_who_leads_which_looks_at_once",
    "compare_octets_a_second": f"{PASSES}_a_pass_reads_so_many_octets_a_second",
    "compare_answer_seconds_max": f"{PASSES}_a_node_that_says_nothing_is_waited_for_so_long",
    "compare_views_open_max": f"{PASSES}_views_for_others_are_bounded_and_closed_when_nobody_asks",
    "compare_view_seconds_max": f"{PASSES}_views_for_others_are_bounded_and_closed_when_nobody_asks",
    "compare_values_octets_max": f"{PASSES}_another_nodes_copy_says_what_its_own_says",
    "compare_part_octets": "cluster/test_comparing.py::test_equal_copies_have_no_differences",
    "compare_reached_seconds_max": "cluster/test_points.py::test_nobody_waits_longer_for_an_entry",
    "compare_held_seconds_max": "cluster/test_points.py::test_what_is_held_goes_on_by_itself_after_some_time",
    "aside_octets_max": "cluster/test_aside.py::test_where_no_more_can_be_kept_nothing_is_overwritten",
    "replica_returns_seconds": "node/test_cluster.py"
    "::test_when_its_primary_is_killed_an_account_and_its_sessions_go_on",
    "copies_owed_seconds_max": "cluster/test_replication.py"
    "::test_what_is_owed_a_copy_is_told_when_it_has_it_or_as_not_known_in_time",
    "handed_over_seconds_max": "node/test_cluster.py::test_one_that_stops_hands_over_first",
    "log_kept_seconds": "cluster/test_kept.py::test_a_partition_that_is_seldom_written_is_trimmed_by_age",
    # -- the shard
    "shard_memory_octets": "node/test_streaming.py::"
    "test_messages_of_50_megabytes_at_once_leave_memory_as_it_was",
    "shard_memory_octets_min": "test_config.py::"
    "test_a_mistake_is_named_with_file_key_what_was_found_and_what_would_be_right",
    "blob_garbage_share_max": "store/test_rocks_shard.py::"
    "test_dropped_blobs_are_given_back_once_they_are_a_share_of_the_disk",
    "scrub_octets_a_second": SCRUB,
    "scrub_seconds": SCRUB,
    "disk_reserve_octets": FULL_DISK,
    "disk_reserve_percent_max": FULL_DISK,
    "disk_looked_seconds": FULL_DISK,
    "disk_ballast_octets_min": "node/test_full_disk.py::"
    "test_a_write_that_finds_no_room_ends_the_node_and_it_starts_on_the_full_disk",
    "group_octets_max": PARTITIONS + "test_a_group_is_bounded_by_its_octets_but_takes_one_entry_of_any_size",
    "part_rows_max": "cluster/test_whole.py::test_it_is_written_in_parts_and_committed_after_the_last",
    "large_at_once_max": "mailbox/test_loads.py::test_large_changes_of_many_accounts_are_made_few_at_once",
    "group_pending_octets_max": PARTITIONS + "test_room_is_waited_for_while_too_much_is_pending",
    # -- between nodes
    "moves_per_node_max": BALANCE + "test_from_any_map_it_ends_and_what_can_be_done_is_done",
    "node_lost_seconds": "cluster/test_balancer.py::"
    + "test_what_a_lost_node_had_is_copied_to_others_and_a_node_that_joins_gets_its_share",
    "peer_calls_open_max": PEERS + "test_more_calls_than_a_server_may_have_are_refused_and_the_others_go_on",
    "peer_message_octets_max": PEERS + "test_a_message_that_is_too_long_ends_its_call_alone",
    "peer_silence_seconds_max": PEERS + "test_a_peer_that_hangs_is_noticed",
    "peer_reconnect_milliseconds_max": PEERS
    + "test_a_peer_that_was_restarted_is_reached_by_the_same_channel",
    "batch_octets_max": REMOTE + "test_what_is_short_does_not_wait_for_what_is_long",
    "piece_octets_max": REMOTE + "test_what_one_call_says_stays_in_order_and_whole",
    "outgoing_octets_max": REMOTE + "test_who_says_more_than_may_wait_waits",
    "remote_calls_open_max": REMOTE + "test_more_calls_than_may_be_open_wait",
    "remote_seconds_max": REMOTE + "test_an_answer_that_takes_too_long_is_waited_for_no_longer",
    "remote_wait_seconds_max": REMOTE + "test_a_node_that_cannot_be_spoken_to_is_unavailable_after_a_while",
    "usage_lately_seconds_max": TOLD + "test_lately_is_some_seconds_ago_and_of_so_many_accounts",
    "usages_lately_max": TOLD + "test_lately_is_some_seconds_ago_and_of_so_many_accounts",
    "reattached_at_once_max": REMOTE + "test_a_watch_goes_on_at_its_last_position_when_its_stream_is_cut",
    "reattach_seconds_max": REMOTE + "test_a_watch_goes_on_at_its_last_position_when_its_stream_is_cut",
    "stream_window_octets": STREAMS
    + "test_a_peer_that_takes_nothing_holds_no_more_than_the_window_and_the_next_frame_waits",
    "stream_silence_seconds_max": STREAMS + "test_a_peer_that_takes_nothing_for_too_long_is_asked_anew",
    "stream_retry_seconds_max": STREAMS
    + "test_a_frame_to_nobody_is_lost_after_a_while_and_the_next_may_be_made",
    "snapshot_silence_seconds_max": STREAMS + "test_a_snapshot_whose_taker_hangs_is_given_up",
    "snapshots_at_once_max": "cluster/test_snapshots.py::"
    "test_so_many_are_given_at_a_time_and_meanwhile_none_again",
    "snapshot_octets_a_second": "cluster/test_throttle.py::"
    "test_who_passes_waits_until_those_before_had_their_time",
    "mailboxes_kept_max": REMOTE + "test_the_list_of_mailboxes_is_said_again_only_when_it_is_another",
    "bulletin_accounts_max": "mailbox/test_ties.py::test_who_reads_late_looks_at_all_that_it_has",
}
"""Fields of mailnode.limits.Limits."""

MIME_LIMITS = {
    "header_octets_max": MIME,
    "fields_max": MIME,
    "parts_max": MIME,
    "depth_max": MIME,
    "boundary_octets_max": MIME,
    "parameters_max": MIME,
    "addresses_max": MIME,
    "address_tokens_max": MIME,
    "references_max": MIME,
    "sample_octets_max": MIME,
    "preview_characters_max": MIME,
}
"""Fields of protocols.mime.limits.MimeLimits."""

SESSIONS = {
    "ImapLimits line_octets_max": "imap_line_octets_max",
    "ImapLimits command_octets_max": "imap_command_octets_max",
    "ImapLimits message_octets_max": "imap_message_octets_max",
    "ImapLimits swallow_octets_max": "imap_swallow_octets_max",
    "ImapLimits chunk_octets_max": "messages_octets_max",
    "ImapLimits events_open_max": "imap_events_open_max",
    "ImapLimits errors_max": "imap_errors_max",
    "ImapLimits depth_max": "imap_depth_max",
    "ImapLimits sequence_ranges_max": "imap_sequence_ranges_max",
    "ImapLimits list_patterns_max": "imap_list_patterns_max",
    "ImapLimits search_keys_max": "imap_search_keys_max",
    "ImapLimits keyword_octets_max": "keyword_octets_max",
    "Bounds line_octets_max": "smtp_command_line_octets_max",
    "Bounds recipients_max": "smtp_recipients_max",
    "Bounds message_octets_max": "smtp_message_octets_max",
    "Bounds errors_max": "smtp_errors_max",
    "Bounds refused_recipients_max": "smtp_refused_recipients_max",
    "Bounds events_open_max": "smtp_events_open_max",
    "Policy line_octets_max": "pop3_line_octets_max",
    "Policy exchange_line_octets_max": "pop3_exchange_line_octets_max",
    "Policy errors_max": "pop3_errors_max",
}
"""What the sessions of IMAP, SMTP and POP3 are given, and of which limit it is."""

CONSTANTS = {
    "mailnode/directory/guesses.py DOUBLINGS_MAX": GUESSERS,
    "mailnode/limits.py ADDRESS_OCTETS_MAX": "directory/test_address.py::"
    "test_what_no_address_of_ours_can_be_is_a_value",
    "mailnode/limits.py SCRAM_ITERATIONS_MAX": "directory/test_password.py::"
    "test_what_a_guess_costs_is_never_below_the_floor_nor_more_than_clients_take",
    "mailnode/listeners/imap/append.py _INTERNAL_DATE_MAX": "cases/imap/append.cases: "
    "Dates beyond what is stored are taken and bounded",
    "mailnode/log.py VALUE_CHARACTERS_MAX": "test_log.py::test_a_long_value_keeps_its_ends",
    "mailnode/mailauth/iprev.py NAMES_MAX": "mailauth/test_verdict.py::test_a_reverse_name_must_lead_back",
    "mailnode/mailauth/signer.py FIELDS_MAX": "mailauth/test_signer.py::"
    "test_a_header_that_nobody_writes_goes_unsigned",
    "mailnode/mailauth/signer.py HEAD_OCTETS_MAX": "mailauth/test_signer.py::"
    "test_a_header_that_nobody_writes_goes_unsigned",
    "mailnode/mailauth/verdict.py FRONT_SIGNATURES_MAX": "mailauth/test_verdict.py::"
    "test_of_many_signatures_the_first_ten_are_told",
    "mailnode/mailbox/asked.py _RANGES_COUNTED_MAX": "mailbox/test_ranges.py::"
    "test_slices_together_ask_for_the_same_and_hold_no_more_than_allowed",
    "mailnode/mailbox/decided.py UID_NEXT_MAX": "mailbox/test_last_uids.py::"
    "test_the_last_uids_are_given_and_then_none",
    "mailnode/relay/bounce.py HEAD_OCTETS_MAX": RELAY + "test_a_report_shows_the_begin_of_a_long_header",
    "mailnode/store/damage.py _TOLD_MAX": "mailbox/test_mending.py::"
    "test_damage_is_told_once_a_key_and_never_without_end",
    "protocols/arc/chain.py SETS_MAX": "mailauth/test_arc_vectors.py::"
    "test_a_chain_has_the_status_that_the_suite_says",
    "protocols/dkim/read.py SECONDS_MAX": "mailauth/test_dkim.py::test_what_expired_is_no_longer_good",
    "protocols/dmarc/author.py ADDRESSES_MAX": "protocols/dmarc/test_author.py::"
    "test_anything_else_has_no_author_but_what_a_reader_may_see",
    "protocols/dmarc/author.py CANDIDATES_MAX": "protocols/dmarc/test_author.py::"
    "test_any_octets_have_one_author_or_none",
    "protocols/reports/aggregate_read.py DEPTH_MAX": AGGREGATE
    + "test_what_is_no_report_is_malformed_and_nothing_is_expanded",
    "protocols/reports/aggregate_read.py TEXT_CHARACTERS_MAX": AGGREGATE
    + "test_a_text_longer_than_anybody_writes_is_cut",
    "protocols/reports/aggregate_read.py OF_RECORD_MAX": AGGREGATE
    + "test_of_a_record_with_many_signatures_the_first_are_kept",
    "protocols/reports/aggregate_read.py RECORDS_READ_MAX": AGGREGATE
    + "test_more_records_than_anybody_has_senders_are_no_report",
    "protocols/reports/aggregate_read.py COUNT_DIGITS_MAX": AGGREGATE
    + "test_a_count_that_nobody_can_have_counted_is_none",
    "protocols/reports/failure.py FIELDS_MAX": FAILURES,
    "protocols/reports/failure.py VALUE_CHARACTERS_MAX": FAILURES,
    "protocols/reports/failure.py HEAD_OCTETS_MAX": FAILURES,
    "protocols/reports/packed.py _END_OCTETS_MAX": "protocols/reports/test_packed.py::"
    "test_what_unfolds_to_too_much_or_to_nothing_is_malformed",
    "protocols/reports/tls.py COUNT_MAX": TLS_CUT,
    "protocols/reports/tls.py DETAILS_MAX": TLS_CUT,
    "protocols/reports/tls.py POLICIES_MAX": TLS_CUT,
    "protocols/reports/tls.py TEXT_CHARACTERS_MAX": TLS_CUT,
    "protocols/reports/tls.py _SECONDS_MAX": "protocols/reports/test_tls.py::"
    "test_the_last_second_that_can_be_told_is_told",
    "protocols/dmarc/record.py _URIS_MAX": "protocols/dmarc/test_record.py::"
    "test_of_many_addresses_of_reports_the_first_ten_count",
    "protocols/dmarc/walk.py QUERIES_MAX": "protocols/dmarc/test_walk.py::"
    "test_no_name_is_asked_twice_and_never_more_than_eight",
    "protocols/imap/capability.py LITERAL_MINUS_OCTETS_MAX": "protocols/imap/test_server.py::"
    "test_with_literal_minus_a_longer_literal_that_comes_unasked_is_refused_and_swallowed",
    "protocols/imap/flags.py _CACHED_MAX": "protocols/imap/test_words.py::"
    "test_flag_lists_are_rendered_alike_for_few_and_many_values",
    "protocols/imap/keys.py _CHARSET_OCTETS_MAX": "listeners/test_imap_bounds.py::"
    "test_each_is_answered_and_the_next_command_is_understood",
    "protocols/imap/response.py _QUOTED_OCTETS_MAX": "protocols/imap/test_response.py::"
    "test_a_string_is_quoted_where_it_may_be",
    "protocols/imap/resync.py _PAIRS_MAX": "protocols/imap/test_resync.py::"
    "test_pairs_match_up_to_the_first_that_does_not",
    "protocols/imap/sequence.py NUMBER_MAX": "listeners/test_imap_bounds.py::"
    "test_each_is_answered_and_the_next_command_is_understood",
    "protocols/imap/view.py _RECENT_RANGES_MAX": "protocols/imap/test_view.py::"
    "test_of_ever_more_gaps_in_what_is_recent_the_latest_are_remembered",
    "protocols/mime/charset.py _CHARSET_OCTETS_MAX": HOSTILE
    + "test_hostile_messages_end_in_a_bounded_digest",
    "protocols/mime/date.py _NESTING_MAX": HOSTILE + "test_hostile_messages_end_in_a_bounded_digest",
    "protocols/mime/delimiter.py _MISSES_MAX": HOSTILE
    + "test_each_octet_is_looked_at_a_bounded_number_of_times",
    "protocols/mime/parameters.py _CACHED_OCTETS_MAX": HOSTILE
    + "test_hostile_messages_end_in_a_bounded_digest",
    "protocols/mime/transfer.py _SPACES_MAX": "protocols/mime/test_transfer.py::"
    "test_white_space_that_does_not_end_is_not_held",
    "protocols/mime/words.py _PIECEMEAL_CHARACTERS_MAX": "protocols/mime/test_words.py::"
    "test_long_text_is_encoded_too",
    "protocols/results.py VALUE_CHARACTERS_MAX": "protocols/test_results.py::"
    "test_no_text_of_a_peer_ends_the_field_or_makes_its_line_too_long",
    "protocols/results.py _DEPTH_MAX": "protocols/test_results.py::"
    "test_whose_results_they_are_cannot_be_told",
    "protocols/smtp/client.py EXTENSION_OCTETS_MAX": "protocols/smtp/test_client.py::"
    "test_of_a_long_extension_its_begin_is_kept",
    "protocols/smtp/client.py LINES_MAX": "protocols/smtp/test_client.py::"
    "test_what_is_no_reply_breaks_the_session",
    "protocols/smtp/client.py LINE_OCTETS_MAX": "protocols/smtp/test_client.py::"
    "test_what_is_no_reply_breaks_the_session",
    "protocols/smtp/grammar.py MAILBOX_OCTETS_MAX": "cases/smtp/addresses.cases: "
    "A path far longer than any mailbox is refused",
    "protocols/smtp/server.py AUTH_LINE_OCTETS_MAX": "cases/smtp/auth.cases: "
    "A response of 12,288 octets has room, a longer one does not",
    "protocols/smtp/server.py HELD_MAX": "protocols/smtp/test_server.py::test_replies_held_back_are_bounded",
    "protocols/unforged.py HELD_OCTETS_MAX": "protocols/test_unforged.py::"
    "test_where_a_message_is_cut_makes_no_difference",
    "protocols/sts.py HOSTS_MAX": "protocols/test_sts.py::test_of_many_hosts_so_many_count",
    "protocols/sts.py MAX_AGE_SECONDS_MAX": "protocols/test_sts.py::"
    "test_what_stands_there_is_a_policy_or_none",
}
"""Those that nobody sets: all of the protocols, and what peers meet of the node."""
