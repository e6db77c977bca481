import * as z from 'zod';
import type { Area } from '../keepers.ts';
import type { PackFile } from '../copier.ts';

/** The form of a file's rows as JSON Schema. */
export function schemaOf(area: Area, file: PackFile): object {
  return {
    ...z.toJSONSchema(file.row, { io: 'input' }),
    $id: `urn:jellyfaas:copy:1:${area}:${file.name}`,
    title: file.title,
  };
}

/** What common names of fields mean, in the words of schema.org and of the Data Privacy Vocabulary. */
export const CONTEXT = {
  '@context': {
    '@version': 1.1,
    schema: 'https://schema.org/',
    dpv: 'https://w3id.org/dpv#',
    pd: 'https://w3id.org/dpv/pd#',
    'eu-gdpr': 'https://w3id.org/dpv/legal/eu/gdpr#',
    xsd: 'http://www.w3.org/2001/XMLSchema#',
    id: 'schema:identifier',
    name: 'schema:name',
    email: { '@id': 'schema:email', '@type': 'pd:EmailAddress' },
    description: 'schema:description',
    createdAt: { '@id': 'schema:dateCreated', '@type': 'xsd:dateTime' },
    updatedAt: { '@id': 'schema:dateModified', '@type': 'xsd:dateTime' },
    releasedAt: { '@id': 'schema:datePublished', '@type': 'xsd:dateTime' },
    startedAt: { '@id': 'schema:startTime', '@type': 'xsd:dateTime' },
    version: 'schema:version',
    shortname: 'schema:alternateName',
    originIp: 'pd:IPAddress',
    url: { '@id': 'schema:url', '@type': '@id' },
    text: 'schema:text',
    question: 'schema:text',
    answer: 'schema:acceptedAnswer',
    language: 'schema:inLanguage',
    base64: { '@id': 'schema:encoding', '@type': 'xsd:base64Binary' },
  },
  '@type': 'dpv:PersonalData',
  'dpv:hasRight': [{ '@id': 'eu-gdpr:A15' }, { '@id': 'eu-gdpr:A20' }],
} as const;
