/** What went wrong and what to do; shown to the user as it is. Exit codes: 1 failure, 2 wrong usage. */
export class CliError extends Error {
  readonly exitCode: 1 | 2;
  /** The server's stable error code, where there is one. */
  readonly code: string;

  constructor(message: string, options: { exitCode?: 1 | 2; code?: string } = {}) {
    super(message);
    this.name = 'CliError';
    this.exitCode = options.exitCode ?? 1;
    this.code = options.code ?? 'cli.failed';
  }
}

export function usageError(message: string): CliError {
  return new CliError(message, { exitCode: 2, code: 'cli.usage' });
}

/** Whether `error` is a system error with one of `codes`, for example ENOENT. */
export function isSystemError(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
