"""Sessions of PostgreSQL whose other end has gone without a word, in the middle of a transaction.

A process that is cut off or stopped leaves its rows locked for as long as the server believes in the connection, which
by default is hours, and a process that was only stopped keeps answering for it. `idle_in_transaction_session_timeout`
is not enough: it does not count between the messages of one statement, where the session is "active". So those who
work look for it themselves, and end what they find: the transaction is rolled back, its owner is told that the
database was away.
"""

from __future__ import annotations

from sqlalchemy import text

from engine.state.database import APPLICATION, Database

IDLE_WITHIN = 5  # seconds: no transaction of ours waits so long for its own process

_END = text("""\
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = :ours
AND xact_start IS NOT NULL AND wait_event_type = 'Client' AND wait_event = 'ClientRead'
AND state_change < clock_timestamp() - make_interval(secs => :seconds)""")


async def end_silent(database: Database, after: float = IDLE_WITHIN) -> int:
    """End those of this installation that have been silent for `after` seconds; returns how many. On SQLite: none."""
    if database.is_sqlite:
        return 0
    # Where nothing queues that waits for rows of others for long.
    async with database.at_once(database.renewals).connect() as connection:
        return len((await connection.execute(_END, {"ours": APPLICATION, "seconds": after})).all())
