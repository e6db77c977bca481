import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../testkit/raw-zip.ts';
import { parseChangelog } from './changelog.ts';

const RELEASED = Date.UTC(2025, 2, 10, 12);

const TEXT = `# Changelog
<!-- Date: 01/01/30
## Added:
not this -->

# Date: 01/15/25

## Added:
- first

# Date: 03/10/25
## Added:
- second
\`\`\`
# Date: 03/10/26
## Removed:
\`\`\`
## Updated:
Added more.

# Date: 12/31/25
## Removed:
- future
`;

describe('the changelog of a version', () => {
  it('is the newest block up to its release', () => {
    expect(parseChangelog(TEXT, RELEASED)).toEqual({
      date: '03/10/25',
      added: '- second\n```\n# Date: 03/10/26\n## Removed:\n```',
      updated: 'Added more.',
      removed: '',
    });
    expect(parseChangelog(TEXT, Date.UTC(2025, 1, 1))?.added).toBe('- first');
  });

  it('does not depend on the order of the blocks', () => {
    const reversed = '# Date: 03/01/25\n## Added:\nnew\n# Date: 01/01/25\n## Added:\nold\n';
    expect(parseChangelog(reversed, RELEASED)?.added).toBe('new');
  });

  it('is the last block where all dates lie ahead or do not exist', () => {
    expect(parseChangelog(TEXT, Date.UTC(2020, 1, 1))?.removed).toBe('- future');
    expect(parseChangelog('# Date: 13/45/25\n## Added:\nx', RELEASED)).toMatchObject({
      date: '13/45/25',
      added: 'x',
    });
  });

  it('may be written without marks, with missing sections and Windows line ends', () => {
    const plain = 'Changelog\r\nDate: 1/2/2025\r\nAdded:\r\nAdded something\r\nRemoved:\r\nx\r\n';
    expect(parseChangelog(plain, RELEASED)).toEqual({
      date: '1/2/2025',
      added: 'Added something',
      updated: '',
      removed: 'x',
    });
  });

  it('is null where no release is dated', () => {
    for (const text of ['', '# Changelog', '## Added:\n- x', '<!-- # Date: 01/01/25', 'Date: soon']) {
      expect(parseChangelog(text, RELEASED)).toBeNull();
    }
  });

  it('stays bounded for hostile text', () => {
    const long = parseChangelog(`# Date: 01/01/25\n## Added:\n${'x'.repeat(1_000_000)}`, RELEASED);
    expect(long?.added.length).toBe(16 * 1024);
    expect(parseChangelog('<!--'.repeat(100_000), RELEASED)).toBeNull();
    const random = seededRandom(99);
    const parts = [
      '# Date: 01/01/25',
      '## Added:',
      '```',
      '<!--',
      '-->',
      '\n',
      '\r',
      'Date:',
      ' ',
      '99/99/99',
      '\u2028',
    ];
    for (let round = 0; round < 300; round++) {
      const text = Array.from({ length: 40 }, () => parts[Math.floor(random() * parts.length)]).join('');
      expect(() => parseChangelog(text, RELEASED)).not.toThrow();
    }
  });
});
