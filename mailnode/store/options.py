"""How RocksDB is set up."""

from __future__ import annotations

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    ReadOptions,
)

from mailnode.store.keys import FAMILIES, Family

_CACHED = frozenset((Family.MAIL, Family.HEAD, Family.FORM, Family.INDEX))


def reading(family: str) -> ReadOptions:
    """What is read of the state stays with the account that asked: the cache is for mails."""
    options = ReadOptions()
    options.fill_cache(family in _CACHED)  # type: ignore[call-arg]  # the stub leaves it out
    return options


def database(memory_octets: int) -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    # The default silently drops synced data behind a bad record.
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    options.set_db_write_buffer_size(memory_octets // 2)
    # A family that is seldom written would otherwise keep every WAL file alive.
    options.set_max_total_wal_size(memory_octets)
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(4)
    options.set_max_log_file_size(4 * 1024 * 1024)
    options.set_bytes_per_sync(1024 * 1024)
    options.set_max_open_files(2000)
    return options


def point_in_time(memory_octets: int) -> Options:
    """For what is left of a damaged shard: its log is read up to the first bad record."""
    options = database(memory_octets)
    options.set_wal_recovery_mode(DBRecoveryMode.point_in_time())
    return options


def lenient(memory_octets: int) -> Options:
    """As `point_in_time`, and tables that cannot even be opened are no reason to open none."""
    options = point_in_time(memory_octets)
    options.set_paranoid_checks(False)
    return options


def families(memory_octets: int) -> dict[str, Options]:
    cache = Cache(memory_octets // 2 - memory_octets // 8)  # what is left is `Recent`'s
    buffer_octets = memory_octets // 8
    blob = _family(cache, buffer_octets)
    blob.set_enable_blob_files(True)
    blob.set_min_blob_size(1024)
    blob.set_blob_compression_type(DBCompressionType.zstd())
    blob.set_enable_blob_gc(False)  # until `collect` says so
    blob.set_blob_gc_age_cutoff(0.5)
    blob.set_blob_gc_force_threshold(0.25)  # files that hold so much garbage wait for no other compaction
    families = {f: _family(cache, buffer_octets) for f in FAMILIES}
    families[Family.BLOB] = blob
    return families


def _family(cache: Cache, buffer_octets: int) -> Options:
    table = BlockBasedOptions()
    table.set_block_cache(cache)
    table.set_bloom_filter(10, False)
    table.set_format_version(5)
    options = Options(raw_mode=True)
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(buffer_octets)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_level_compaction_dynamic_level_bytes(True)
    return options
