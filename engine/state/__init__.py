"""The database is the only truth: tables, sealed columns, group commit, and the queries over them.

SQLAlchemy Core (async), never the ORM on the hot path. SQLite by default, PostgreSQL to scale: the same statements.
"""
