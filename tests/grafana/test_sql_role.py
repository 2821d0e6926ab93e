"""The role of Grafana: what it may do, and that it may do nothing else, over a login of its own."""

# ruff: noqa: S608  the names in the queries are our own
import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from monitoring.grafana import SCHEMA
from tests.grafana.conftest import ROLE
from tests.grafana.files import panels
from tests.grafana.macros import expand
from tests.grafana.seed import seed

PASSWORD = "only for tests, with a 'quote'"


@pytest.fixture
def login(transactional_db, settings):
    """A connection of the role's own, to a database with rows."""
    settings.GRAFANA_PASSWORD = PASSWORD
    period = seed(60)
    call_command("grafana_role", role=ROLE)
    place = connection.get_connection_params()
    place |= {"user": ROLE, "password": PASSWORD}
    names = ("dbname", "host", "port", "user", "password")
    grafana = psycopg2.connect(**{k: v for k, v in place.items() if k in names})
    grafana.autocommit = True
    yield grafana, period
    grafana.close()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
        cursor.execute(f"DROP OWNED BY {ROLE}")
        cursor.execute(f"DROP ROLE {ROLE}")


def ask(grafana, query):
    with grafana.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def readable(grafana):
    """Schema and table of all that the role may read, PostgreSQL's own catalogues aside."""
    return ask(
        grafana,
        """
SELECT n.nspname || '.' || c.relname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
  AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT')
    OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))
""",
    )


def test_it_reads_every_panel_and_nothing_else(login):
    grafana, period = login
    chosen = {"version": None, "interval": "1h"}

    for _, panel in panels():
        for target in panel["targets"]:
            if "rawSql" in target:
                ask(grafana, expand(target["rawSql"], period.since, period.until, chosen))

    assert readable(grafana) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        tables = [name for (name,) in cursor.fetchall()]
    assert len(tables) > 20
    for table in tables:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            ask(grafana, f'SELECT 1 FROM "{table}"')


def test_its_sessions_are_read_only_and_end(login):
    grafana, _ = login

    assert ask(grafana, "SHOW default_transaction_read_only") == [("on",)]
    assert ask(grafana, "SHOW statement_timeout") == [("20s",)]
    assert ask(grafana, "SHOW idle_in_transaction_session_timeout") == [("1min",)]
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        ask(grafana, "CREATE TEMPORARY TABLE mine (id int)")


def test_it_writes_nothing_once_it_has_let_itself_write(login):
    grafana, _ = login
    ask(grafana, "SET default_transaction_read_only = off; SELECT 1")

    for attempt in (
        f"CREATE TABLE {SCHEMA}.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "DELETE FROM classifier_prediction",
        "CREATE ROLE another",
        f"ALTER FUNCTION {SCHEMA}.review_backlog() SECURITY INVOKER",
    ):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            ask(grafana, attempt)


def test_no_function_hands_out_a_person_a_photo_or_a_comment(login):
    grafana, _ = login
    columns = ask(
        grafana,
        f"""
SELECT DISTINCT unnest(proargnames) FROM pg_proc WHERE pronamespace = '{SCHEMA}'::regnamespace
""",
    )
    names = {name for (name,) in columns}

    assert {"version", "answer", "count"} <= names
    assert not names & {
        *("person", "photo_sha256", "comment", "by", "asked_by", "reviewer", "log", "problem"),
        *("digest", "id", "probabilities", "host", "password"),
    }


def test_nobody_else_may_ask(login):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_proc AS p, aclexplode(p.proacl) AS a "
            f"WHERE p.pronamespace = '{SCHEMA}'::regnamespace AND a.grantee = 0"
        )
        assert cursor.fetchone() == (0,)
        cursor.execute(
            f"SELECT count(*) FROM pg_proc WHERE pronamespace = '{SCHEMA}'::regnamespace "
            "AND proacl IS NULL"
        )
        assert cursor.fetchone() == (0,)


def test_no_table_that_is_put_in_the_way_is_read_in_the_place_of_ours(login):
    grafana, _ = login
    ask(grafana, "SET default_transaction_read_only = off; SELECT 1")
    ask(
        grafana,
        "CREATE TEMPORARY TABLE classifier_modelversion (name text); "
        f"SELECT version FROM {SCHEMA}.versions()",
    )

    assert len(ask(grafana, f"SELECT version FROM {SCHEMA}.versions()")) == 2


def test_a_second_time_it_changes_the_password_and_keeps_the_rest(login, settings, capsys):
    grafana, _ = login
    settings.GRAFANA_PASSWORD = "another"
    call_command("grafana_role", role=ROLE)

    assert "may read what Grafana shows" in capsys.readouterr().out
    assert ask(grafana, f"SELECT count(*) FROM {SCHEMA}.versions()") == [(2,)]
    assert readable(grafana) == []


def test_without_a_password_there_is_no_role(db, settings):
    settings.GRAFANA_PASSWORD = ""

    with pytest.raises(CommandError, match="CATSDOGS_GRAFANA_PASSWORD"):
        call_command("grafana_role", role=ROLE)


def test_a_user_who_may_create_no_roles_is_told_what_to_ask_for(db, settings):
    settings.GRAFANA_PASSWORD = PASSWORD
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE poor_user_of_the_tests")
        cursor.execute("GRANT CREATE ON SCHEMA public TO poor_user_of_the_tests")
        cursor.execute("SELECT current_database()")
        cursor.execute(
            f'GRANT CREATE ON DATABASE "{cursor.fetchone()[0]}" TO poor_user_of_the_tests'
        )
        cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO poor_user_of_the_tests")
        cursor.execute("SET ROLE poor_user_of_the_tests")

    with pytest.raises(CommandError, match="may not create roles"), transaction.atomic():
        call_command("grafana_role", role=ROLE)


def test_migrations_still_run_over_it(login):
    """No view stands in the way of a change of the tables."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN; ALTER TABLE feedback_review ALTER label TYPE text; ROLLBACK")
