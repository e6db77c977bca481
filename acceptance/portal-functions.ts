/** Functions for the portal to show and try: one that takes JSON, one that takes a file. */

/** A function whose body is `handler`, with requirements and code of its own. */
function functionFiles(shortname: string, requirements: object, handler: string): Record<string, string> {
  const spec = {
    $jellyspecversion: 'v1.0.0',
    name: shortname,
    shortname,
    runtime: 'nodejs24',
    entrypoint: 'handler',
    description: `The ${shortname} of the tests`,
    tags: [`${shortname}-tag`],
    requirements,
  };
  return {
    'jellyspec.json': JSON.stringify(spec),
    'README.md': `# ${shortname}\n\nReads **orders**.`,
    'index.js': `require('@google-cloud/functions-framework').http('handler', ${handler});`,
  };
}

const orderSchema = {
  type: 'object',
  required: ['customer', 'items', 'priority'],
  properties: {
    customer: { type: 'string', description: 'Who orders' },
    items: {
      type: 'array',
      items: { type: 'object', required: ['count'], properties: { count: { type: 'integer' } } },
    },
    priority: { enum: ['low', 'high'] },
    note: { type: ['string', 'null'] },
  },
};
export const order = (): Record<string, string> =>
  functionFiles(
    'order',
    {
      requestType: 'POST',
      inputType: 'JSON',
      inputSchema: orderSchema,
      inputJsonExample: JSON.stringify({ customer: 'Ada', items: [{ count: 2 }], priority: 'low' }),
      outputType: 'JSON',
      outputSchema: { type: 'object' },
      outputJsonExample: '{}',
    },
    `(req, res) => {
      console.log('an order of', req.body.customer);
      res.json({ count: req.body.items.reduce((sum, { count }) => sum + count, 0), got: req.body });
    }`,
  );

/** Repeats the picture that it gets. */
export const mirror = (): Record<string, string> =>
  functionFiles(
    'mirror',
    {
      requestType: 'POST',
      inputType: 'FILE',
      inputSchema: { extensions: ['png'], required: true, description: 'A picture' },
      outputType: 'FILE',
      outputSchema: { extensions: ['png'], required: true, description: 'The same' },
    },
    `(req, res) => res.type('image/png').send(req.rawBody)`,
  );

/** One pixel. */
export const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
