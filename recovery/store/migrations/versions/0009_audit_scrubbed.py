"""Details of the audit log may be erased, and only by an act that stands in the log itself."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# An entry keeps its number, time, who, act and target. Its detail may become {"erased": n}, where
# n is a later entry that says that details were erased; from then on it stands for good.
_STANDS = ("id", "at", "login", "act")
_MAY_BE_EMPTY = ("staff_id", "business", "target", "address")
_MESSAGE = "the audit log is only appended to"

_SQLITE_SAME = " AND ".join(
    [f"NEW.{name} = OLD.{name}" for name in _STANDS]
    + [f"NEW.{name} IS OLD.{name}" for name in _MAY_BE_EMPTY]
)
_SQLITE_ERASED = """EXISTS (SELECT 1 FROM audit_log AS act
    WHERE act.act IN ('erase_data', 'retention')
    AND act.id > OLD.id AND NEW.detail = '{"erased": ' || act.id || '}')"""
_SQLITE_ONCE = """substr(OLD.detail, 1, 11) <> '{"erased": '"""
_SQLITE = f"""CREATE TRIGGER audit_log_stands_UPDATE BEFORE UPDATE ON audit_log
    WHEN NOT ({_SQLITE_SAME} AND {_SQLITE_ONCE} AND {_SQLITE_ERASED})
    BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"""
_SQLITE_BEFORE = f"""CREATE TRIGGER audit_log_stands_UPDATE BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"""

_POSTGRESQL_SAME = " AND ".join(
    [f"NEW.{name} = OLD.{name}" for name in _STANDS]
    + [f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in _MAY_BE_EMPTY]
)
_POSTGRESQL_ERASED = """EXISTS (SELECT 1 FROM audit_log AS act
    WHERE act.act IN ('erase_data', 'retention')
    AND act.id > OLD.id AND NEW.detail::text = '{"erased": ' || act.id || '}')"""
_POSTGRESQL_ONCE = """left(OLD.detail::text, 11) <> '{"erased": '"""
_POSTGRESQL = f"""CREATE OR REPLACE FUNCTION audit_log_stands() RETURNS trigger AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF {_POSTGRESQL_SAME} AND {_POSTGRESQL_ONCE} AND {_POSTGRESQL_ERASED} THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION '{_MESSAGE}';
    END $$ LANGUAGE plpgsql"""
_POSTGRESQL_BEFORE = f"""CREATE OR REPLACE FUNCTION audit_log_stands() RETURNS trigger AS $$
    BEGIN RAISE EXCEPTION '{_MESSAGE}'; END $$ LANGUAGE plpgsql"""


def upgrade() -> None:
    """Go forward."""
    _stand(_SQLITE, _POSTGRESQL)


def downgrade() -> None:
    """Go back."""
    _stand(_SQLITE_BEFORE, _POSTGRESQL_BEFORE)


def _stand(sqlite: str, postgresql: str) -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TRIGGER audit_log_stands_UPDATE")
        connection.exec_driver_sql(sqlite)
    else:
        connection.exec_driver_sql(postgresql)
