-- A second user who reads and does nothing else; the first one, the writer, is made from CLICKHOUSE_USER.
CREATE USER IF NOT EXISTS auditor IDENTIFIED BY 'auditor'
    SETTINGS readonly = 1, max_execution_time = 300, max_memory_usage = 4294967296;
GRANT SELECT, SHOW ON seamwatch.* TO auditor;
