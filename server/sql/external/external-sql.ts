import type { Secret } from '../../kernel/secret.ts';
import type { SqlSource } from '../sql.ts';

/**
 * Outside MySQL, MariaDB and Postgres databases, reached from a jailed process that lives for one question and can
 * reach nothing but that host. Nothing of it is stored or logged (decision D10).
 */
export interface ExternalSql {
  /**
   * Understands Go's MySQL form (`user:pass@tcp(host:3306)/db?tls=…`), `mysql://` and `postgres://`. TLS is verified
   * unless the string itself says otherwise. Rejects with `sql.bad_connection`, `sql.address_refused`, `sql.unreachable`,
   * `sql.login_failed`, `sql.tls_failed`, `sql.too_powerful` (the account may do more than read and write rows).
   */
  connect(connection: Secret, options: { readonly signal: AbortSignal }): Promise<SqlSource>;
  close(): Promise<void>;
}
