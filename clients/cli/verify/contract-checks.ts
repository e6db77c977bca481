import { createHash, createPublicKey, verify } from 'node:crypto';
import type * as contract from '@jellyfaas/contract';
import { type Findings, faultIf } from './findings.ts';
import { type Visitor, expectJson } from './visit.ts';

const CONTRACT = '/.well-known/privacy-contract';
const KEYS = '/.well-known/jellyfaas-receipts';
const STATEMENT = '/api/v1/privacy';
const CLAUSE_COUNT = 45;

export interface Published {
  readonly contract: contract.PrivacyContract;
  readonly columns: ReadonlySet<string>;
  readonly signingKey: Readonly<Record<string, unknown>>;
}

/** Checks what the installation publishes of itself, and returns it. Throws where there is nothing to work with. */
export async function checkContract(nobody: Visitor, findings: Findings): Promise<Published> {
  const { keys } = expectJson<{ keys: Record<string, unknown>[] }>(await nobody(KEYS), KEYS);
  const signingKey = keys[0] ?? {};
  const signed = expectJson<Signed>(await nobody(CONTRACT), CONTRACT);
  const isGenuine = isSignedBy(signingKey, signed);
  findings.check(['P1', 'P39'], `Fetched ${CONTRACT} and checked its signature with the key of ${KEYS}`, {
    faults: faultIf(!isGenuine, 'the signature is not of the published key'),
    observed: `the Ed25519 signature of key ${String(signingKey['kid'])} is valid`,
  });
  const contract = JSON.parse(
    Buffer.from(signed.payload, 'base64url').toString(),
  ) as contract.PrivacyContract;
  checkWordings(contract, findings);
  const statement = expectJson<contract.PrivacyStatement>(await nobody(STATEMENT), STATEMENT);
  checkStatement(contract, statement, findings);
  return { contract, columns: await checkDataMap(nobody, contract, findings), signingKey };
}

type Signed = Readonly<Record<'payload' | 'protected' | 'signature', string>>;

/** Whether an Ed25519 signature (JWS) is of the key. */
export function isSignedBy(jwk: Readonly<Record<string, unknown>>, signed: Signed): boolean {
  const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  const covered = Buffer.from(`${signed.protected}.${signed.payload}`);
  return verify(null, covered, key, Buffer.from(signed.signature, 'base64url'));
}

function checkWordings({ clauses }: contract.PrivacyContract, findings: Findings): void {
  const ids = new Set(clauses.map(({ id }) => id));
  const missing = Array.from({ length: CLAUSE_COUNT }, (_, at) => `P${at + 1}`).filter((id) => !ids.has(id));
  const changed = clauses.filter(
    ({ text, limit, sha256 }) => hashOf(JSON.stringify({ text, limit })) !== sha256,
  );
  findings.check(['P1', 'P39'], 'Hashed the wording of every promise', {
    faults: [
      ...missing.map((id) => `${id} is not in the contract`),
      ...changed.map(({ id }) => `the hash of ${id} is of another wording`),
    ],
    observed: `${clauses.length} promises, each with the hash of its wording`,
  });
}

function checkStatement(
  contract: contract.PrivacyContract,
  { useCases, facts, recipients }: contract.PrivacyStatement,
  findings: Findings,
): void {
  const stated = new Map(useCases.flatMap(({ clauses }) => clauses).map((clause) => [clause.id, clause]));
  const different = contract.clauses.filter(({ id, text, limit, open }) => {
    const shown = stated.get(id);
    return JSON.stringify([shown?.text, shown?.limit, shown?.open]) !== JSON.stringify([text, limit, open]);
  });
  const facing =
    JSON.stringify([facts, recipients]) === JSON.stringify([contract.facts, contract.recipients]);
  findings.check(['P1', 'P39'], `Compared the signed contract with the statement at ${STATEMENT}`, {
    faults: [
      ...different.map(({ id }) => `${id} is worded differently`),
      ...faultIf(!facing, 'facts or recipients differ'),
    ],
    observed: 'both say the same: promises, facts and recipients',
  });
}

interface LinkedColumn {
  readonly '@id': string;
  readonly 'dpv:hasPurpose'?: Described;
  readonly 'dpv:hasStorageCondition'?: Described;
  readonly 'dpv:hasRight'?: readonly (Described & { readonly '@id': string })[];
}

interface Described {
  readonly 'dct:description'?: string;
}

async function checkDataMap(
  nobody: Visitor,
  { dataMap }: contract.PrivacyContract,
  findings: Findings,
): Promise<ReadonlySet<string>> {
  const seen = await nobody(CONTRACT, { headers: { accept: 'application/ld+json' } });
  const linked = expectJson<{ 'dpv:hasProcess': { 'dpv:hasPersonalData': LinkedColumn[] }[] }>(
    seen,
    CONTRACT,
  );
  const columns = linked['dpv:hasProcess'].flatMap((process) => process['dpv:hasPersonalData']);
  const incomplete = columns.filter((column) => !isDescribed(column));
  findings.check(
    ['P1', 'P3'],
    'Read the data map: purpose, retention, copy, erasure and restriction of every column',
    {
      faults: [
        ...faultIf(hashOf(seen.text) !== dataMap.sha256, 'the signed hash is of another data map'),
        ...faultIf(
          columns.length !== dataMap.columns,
          `it has ${columns.length} columns, and ${dataMap.columns} are signed`,
        ),
        ...incomplete.map((column) => `${column['@id']} is not described in full`),
      ],
      observed: `${columns.length} columns, each described in full; the hash is the signed one`,
    },
  );
  return new Set(columns.map((column) => column['@id'].replace(/^urn:jellyfaas:data-map:/, '')));
}

const RIGHTS = ['eu-gdpr:A15', 'eu-gdpr:A17', 'eu-gdpr:A18'];

function isDescribed(column: LinkedColumn): boolean {
  const rights = column['dpv:hasRight'] ?? [];
  return (
    isSaid(column['dpv:hasPurpose']) &&
    isSaid(column['dpv:hasStorageCondition']) &&
    RIGHTS.every((right) => isSaid(rights.find((one) => one['@id'] === right)))
  );
}

function isSaid(described: Described | undefined): boolean {
  return (described?.['dct:description'] ?? '') !== '';
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
