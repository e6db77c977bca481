import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { type QuickStart, quickStartSample } from './quick-start-samples.ts';

const start = (input: Partial<QuickStart['input']>): QuickStart => ({
  url: 'https://faas.example.org',
  shortname: 'greeter',
  method: 'POST',
  input: { query: {}, json: undefined, file: undefined, ...input },
});
const HOSTILE = {
  query: { name: `O'Brien & "Ada" $HOME` },
  json: { say: `it's "fine"`, ok: true, not: null },
};

it('quotes examples so that a shell reads them back as they are', () => {
  for (const way of ['curl', 'cli'] as const) {
    const call = quickStartSample(way, start(HOSTILE))
      .split('\n')
      .filter((line) => !line.startsWith('TOKEN') && !line.includes('lookup') && !line.includes('login'))
      .join('\n')
      .replace(/^curl|npx jellyfaas invoke/m, `printf '%s\\n'`)
      .replace(/npx jellyfaas calls/, '');
    const said = execFileSync('sh', ['-c', call], {
      encoding: 'utf8',
      env: { ADDRESS: 'https://a', TOKEN: 't' },
    });
    expect(said).toContain(JSON.stringify(HOSTILE.json));
    expect(said).not.toContain('/root');
  }
});

it('writes Python as Python spells it', () => {
  expect(quickStartSample('python', start(HOSTILE))).toContain(
    `json={"say": "it's \\"fine\\"", "ok": True, "not": None}`,
  );
});

it('sends a file where the function takes one, and nothing where it takes nothing', () => {
  for (const way of ['curl', 'cli', 'node', 'python'] as const) {
    expect(quickStartSample(way, start({ file: 'input.png' }))).toContain('input.png');
    expect(quickStartSample(way, start({}))).not.toMatch(/data|json=|json:|file/);
  }
});
