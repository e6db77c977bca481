/** UTC days, both included. */
export interface Days {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const DAY_SECONDS = 86_400;

/** In epoch seconds: from the beginning of the first day to before the end of the last. */
export function spanOf({ from, to }: Days): { from?: number; before?: number } {
  return {
    ...(from !== undefined && { from: startOf(from) }),
    ...(to !== undefined && { before: startOf(to) + DAY_SECONDS }),
  };
}

function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) / 1000;
}
