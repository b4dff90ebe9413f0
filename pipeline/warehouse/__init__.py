"""The warehouse: tables, migrations, upserts and views on SQLite and PostgreSQL, through SQLAlchemy Core."""
