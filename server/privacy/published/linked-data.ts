import type { Statement } from '../../privacy-statement/statement.ts';
import type { Basis, Category, DataRow, Subject } from '../data-map/row.ts';

/**
 * The data map in the words of the Data Privacy Vocabulary (W3C community group, DPV 2), as JSON-LD: one process for each
 * table, one item of personal data for each column.
 */
export function linkedData({ version, facts, recipients }: Statement, rows: readonly DataRow[]): object {
  const named = new Map(recipients.map(({ kind, name }) => [kind as string, name]));
  return {
    '@context': {
      dpv: 'https://w3id.org/dpv#',
      pd: 'https://w3id.org/dpv/pd#',
      'eu-gdpr': 'https://w3id.org/dpv/legal/eu/gdpr#',
      dct: 'http://purl.org/dc/terms/',
    },
    '@id': 'urn:jellyfaas:data-map',
    '@type': 'dpv:Process',
    'dct:title': `Data map of JellyFaaS ${version}`,
    ...(facts.controller !== null && {
      'dpv:hasDataController': {
        '@type': 'dpv:DataController',
        'dpv:hasName': facts.controller.name,
        'dpv:hasContact': facts.controller.contact,
      },
    }),
    'dpv:hasTechnicalMeasure': [
      { '@id': 'dpv:EncryptionAtRest' },
      { '@id': 'dpv:EncryptionInTransfer' },
      { '@id': 'dpv:AccessControlMethod' },
    ],
    'dpv:hasProcess': tablesOf(rows).map(([name, columns]) => ({
      '@id': `urn:jellyfaas:data-map:${name}`,
      '@type': 'dpv:Process',
      'dct:title': name,
      'dpv:hasPersonalData': columns.map((row) => column(row, named)),
    })),
  };
}

/** Rows by `store.table`, in their order. */
export function tablesOf(rows: readonly DataRow[]): [name: string, columns: readonly DataRow[]][] {
  const tables = Map.groupBy(rows, ({ store, table }) => `${store}.${table}`);
  return [...tables];
}

function column(row: DataRow, named: ReadonlyMap<string, string | null>): object {
  const { store, table, column: name, purpose, retention, recipients, exporter, eraser, restrictor } = row;
  return {
    '@id': `urn:jellyfaas:data-map:${store}.${table}.${name}`,
    '@type': CATEGORIES[row.category],
    'dct:title': name,
    'dct:description': row.category,
    'dpv:hasDataSubject': SUBJECTS[row.subject],
    'dpv:hasPurpose': { '@type': 'dpv:Purpose', 'dct:description': purpose },
    ...(LEGAL_BASES[row.basis] !== null && { 'dpv:hasLegalBasis': { '@id': LEGAL_BASES[row.basis] } }),
    'dpv:hasStorageCondition': { '@type': 'dpv:StorageDuration', 'dct:description': retention },
    'dpv:hasRecipient': recipients.map((kind) => ({
      '@type': 'dpv:Recipient',
      'dct:title': named.get(kind) ?? kind,
    })),
    'dpv:hasRight': [
      { '@id': 'eu-gdpr:A15', 'dct:description': exporter },
      { '@id': 'eu-gdpr:A17', 'dct:description': eraser },
      { '@id': 'eu-gdpr:A18', 'dct:description': restrictor },
    ],
  };
}

const CATEGORIES: Readonly<Record<Category, string>> = {
  identifier: 'pd:Identifying',
  name: 'pd:Name',
  'e-mail address': 'pd:EmailAddress',
  'IP address': 'pd:IPAddress',
  'keyed hash': 'dpv:PseudonymisedData',
  'key, wrapped': 'dpv:Data',
  content: 'dpv:PersonalData',
  'content, sealed': 'dpv:PersonalData',
  settings: 'dpv:PersonalData',
  'usage figures': 'pd:ServiceConsumptionBehavior',
  time: 'dpv:PersonalData',
  technical: 'dpv:NonPersonalData',
};

const SUBJECTS: Readonly<Record<Subject, object>> = {
  'account holder': { '@id': 'dpv:User' },
  visitor: { '@id': 'dpv:Visitor' },
  'persons in customer data': { '@id': 'dpv:DataSubject' },
  nobody: [],
};

const LEGAL_BASES: Readonly<Record<Basis, string | null>> = {
  'Art. 6(1)(b) GDPR: contract': 'eu-gdpr:A6-1-b',
  'Art. 6(1)(f) GDPR: legitimate interest': 'eu-gdpr:A6-1-f',
  // A processor acts on the basis that its controller has.
  'Art. 28 GDPR: on behalf of the customer': null,
  'no personal data': null,
};
