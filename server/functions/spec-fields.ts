import type { RuntimeId } from '../languages/language.ts';
import { isAbsent, type Field, type SpecReader } from './spec-reader.ts';

/** The forms of single jellyspec values. Each reader reports its fault and returns a harmless stand-in. */

const RUNTIME_ALIASES: readonly [RegExp, RuntimeId][] = [
  [/^nodejs20$/, 'nodejs20'],
  [/^nodejs22$/, 'nodejs22'],
  [/^nodejs24$/, 'nodejs24'],
  [/^python31[123]$/, 'python312'],
  // Go is backward compatible: the newest toolchain present builds them all.
  [/^go1(2[1-9]|[3-9]\d)$/, 'go122'],
  [/^java(17|21)$/, 'java21'],
];
const SUPPORTED_RUNTIMES = [...new Set(RUNTIME_ALIASES.map(([, id]) => id))].join(', ');

export function readRuntime(reader: SpecReader, field: Field): RuntimeId {
  const name = reader.text(field, 40).toLowerCase();
  const runtime = RUNTIME_ALIASES.find(([form]) => form.test(name))?.[1];
  if (runtime !== undefined) return runtime;
  const what = name === '' ? 'Name the runtime' : `The runtime is not supported by this installation`;
  return reader.refuse(field, `${what}. Supported are ${SUPPORTED_RUNTIMES}.`) ?? 'nodejs22';
}

/** Spaces and underscores go, as in the public command line. */
export function normaliseShortname(text: string): string {
  return text.replace(/[\s_]/g, '');
}

export function readShortname(reader: SpecReader, field: Field): string {
  const shortname = normaliseShortname(reader.text(field, 100));
  if (!/^(?!-)[a-z0-9-]{5,20}(?<!-)$/.test(shortname)) {
    reader.refuse(
      field,
      'A shortname has 5 to 20 characters, lower-case letters, digits and "-", and neither starts nor ends with "-".',
    );
  }
  return shortname;
}

const REGISTERED_NAME = /^[A-Za-z][-_A-Za-z0-9]{0,62}$/;
const ENTRYPOINTS: Readonly<Record<'nodejs' | 'python' | 'go' | 'java', { form: RegExp; says: string }>> = {
  nodejs: { form: REGISTERED_NAME, says: 'the name registered with functions.http, for example Example' },
  python: {
    form: /^[A-Za-z_][A-Za-z0-9_]{0,62}$/,
    says: 'the name of the Python function, for example example',
  },
  go: { form: REGISTERED_NAME, says: 'the name registered with functions.HTTP, for example Example' },
  java: {
    form: /^(?=.{1,200}$)(?:[A-Za-z_$][\w$]*\.)*[A-Za-z_$][\w$]*$/,
    says: 'the full name of the Java class, for example jfv1.Example',
  },
};

export function readEntrypoint(reader: SpecReader, field: Field, runtime: RuntimeId): string {
  const entrypoint = reader.text(field, 200);
  const family = (/^[a-z]+/.exec(runtime)?.[0] ?? 'nodejs') as keyof typeof ENTRYPOINTS;
  const { form, says } = ENTRYPOINTS[family];
  if (!form.test(entrypoint)) reader.refuse(field, `The entrypoint for ${runtime} is ${says}.`);
  return entrypoint;
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const HOST = new RegExp(`^(?:\\*|\\*\\.(?:${LABEL}\\.)*${LABEL}|(?:${LABEL}\\.)+${LABEL})$`);

/** `api.example.com`, `*.example.com` or `*`, each with an optional port. */
export function readEgressHost(reader: SpecReader, field: Field): string | undefined {
  const text = reader.text(field, 260).toLowerCase();
  if (/[/@?#\s]/.test(text)) {
    return reader.refuse(field, 'Give the host alone, for example api.example.com: no scheme, path or user.');
  }
  const [, host = '', port] = /^([^:]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === '' || /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(host)) {
    return reader.refuse(field, 'Give a host name, not an address: addresses could be private ones.');
  }
  if (!HOST.test(host) || host.length > 253) {
    return reader.refuse(
      field,
      'This is not a public host name. Examples: api.example.com, *.example.com, *.',
    );
  }
  const portFits = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
  return portFits ? text : reader.refuse(field, 'A port is a number from 1 to 65535.');
}

/** A browser origin, `https://app.example.com`, or `*`. */
export function readCorsOrigin(reader: SpecReader, field: Field): string | undefined {
  const text = reader.text(field, 260);
  if (text === '*') return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.origin === text.toLowerCase().replace(/\/$/, '');
  return isOrigin
    ? url.origin
    : reader.refuse(field, 'This is not an origin. Example: https://app.example.com, or *.');
}

/** An example is JSON in a string; an object written out is taken as well. */
export function readExample(reader: SpecReader, field: Field, lengthMax: number): string {
  const { value } = field;
  if (isAbsent(value)) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text.length > lengthMax) reader.refuse(field, `This is longer than ${lengthMax} characters.`);
  if (text.trim() !== '' && !isJson(text)) reader.refuse(field, 'An example is JSON written in a string.');
  return text.trim();
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
