import type { Deployment } from '../../calls/deployment.ts';

const PREFLIGHT_AGE_SECONDS = '600';

/**
 * The CORS answer for a function that names origins: header pairs for an allowed origin, `undefined` when the
 * gateway has no say (no origin given, none configured, or not this one).
 */
export function corsHeaders(
  deployment: Deployment | undefined,
  origin: string | undefined,
): string[] | undefined {
  if (deployment === undefined || origin === undefined || deployment.corsOrigins.length === 0)
    return undefined;
  if (deployment.corsOrigins.includes('*')) return ['Access-Control-Allow-Origin', '*', ...EXPOSED];
  if (!deployment.corsOrigins.includes(origin)) return undefined;
  return ['Access-Control-Allow-Origin', origin, ...EXPOSED, 'Vary', 'Origin'];
}

const EXPOSED = ['Access-Control-Expose-Headers', '*'];

/** What a preflight adds: any method that passes, the token and a content type. */
export function preflightHeaders(methods: Iterable<string>): string[] {
  return [
    'Access-Control-Allow-Methods',
    [...methods].join(', '),
    'Access-Control-Allow-Headers',
    'content-type, jfwt',
    'Access-Control-Max-Age',
    PREFLIGHT_AGE_SECONDS,
  ];
}
