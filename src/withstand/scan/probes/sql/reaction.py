"""Answers that look like a query that broke. Pure."""

import re
from typing import Final

from withstand.client.exchange import Exchange

_DATABASE_ERROR: Final = re.compile(
    r"SQL syntax|SQLSTATE\[?\w|SQL(?:ite|Server)?Exception|Sqlite?3?\.\w*Error|SQLITE_ERROR"
    r"|sqlite3\.\w*Error|OperationalError\W{1,4}\(?\W{0,3}near"
    r"|psycopg[23]?\.|asyncpg\.exceptions|pg_query\(|PG::\w*Error|PSQLException|pq: syntax error"
    r"|unrecognized token: |unterminated quoted (?:string|identifier)|syntax error at or near"
    r"|near \\?\"[^\"]{1,40}\\?\": syntax error|syntax error at end of input"
    r"|ORA-\d{5}|quoted string not properly terminated|Unclosed quotation mark"
    r"|Incorrect syntax near|Microsoft OLE DB|System\.Data\.SqlClient|ODBC SQL|DB2 SQL error"
    r"|MySqlException|mysql_fetch|Mysql2?::\w*Error|MySQLdb\.|pymysql\.err|ER_PARSE_ERROR"
    r"|sqlalchemy\.exc|django\.db\.utils|SequelizeDatabaseError|QueryFailedError|PDOException"
    r"|org\.hibernate\.\w+|java\.sql\.SQL\w*Exception|JdbcSQL\w*Exception"
)


def error_text(exchange: Exchange) -> str | None:
    """What a database driver says in the answer, None when nothing."""
    found = _DATABASE_ERROR.search(exchange.response.text) if exchange.response else None
    return found.group(0) if found else None


def reacts(exchange: Exchange) -> bool:
    """Whether the answer looks like a query that broke."""
    response = exchange.response
    return response is not None and (response.status >= 500 or bool(error_text(exchange)))
