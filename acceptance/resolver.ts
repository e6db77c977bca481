import { fixtureFiles } from '../testkit/index.ts';

/** A function that brings the passages of one text back, as strict databases ask for them. */
export function resolverFiles(shortname: string, text: string): Record<string, string> {
  const requirements = {
    requestType: 'POST',
    inputType: 'JSON',
    inputSchema: { type: 'object', required: ['passages'] },
    inputJsonExample: '{"passages":[]}',
    outputType: 'JSON',
    outputSchema: { type: 'object', required: ['texts'] },
    outputJsonExample: '{"texts":[]}',
  };
  return {
    ...fixtureFiles('probe', { shortname, requirements }),
    'index.js': `const text = ${JSON.stringify(text)};
require('@google-cloud/functions-framework').http('probe', (req, res) =>
  res.json({ texts: req.body.passages.map(({ start, end }) => text.slice(start, end)) }));`,
  };
}
