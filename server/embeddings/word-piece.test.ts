import { describe, expect, it } from 'vitest';
import { boundWords } from '../../guest/embeddings/word-piece.mjs';

/** How often it is asked is the time that it takes. */
class CountedTokens extends Map<string, number> {
  asked = 0;

  override has(token: string): boolean {
    this.asked++;
    return super.has(token);
  }
}

function modelOf(tokens: readonly string[], type = 'WordPiece') {
  return {
    config: { type, continuing_subword_prefix: '##' },
    tokens_to_ids: new CountedTokens(tokens.map((token, id) => [token, id])),
    unk_token: '[UNK]',
    max_input_chars_per_word: 100,
    encode: (words: readonly string[]) => [...words],
  };
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'.split('');

describe('words', () => {
  const { model } = boundWords({ model: modelOf(['un', '##aff', '##able', 'un\u{1f600}', '##\u{1f600}']) });

  it('are split into the longest parts that there are', () => {
    expect(model.encode(['unaffable', 'un'])).toEqual(['un', '##aff', '##able', 'un']);
    expect(model.encode(['un\u{1f600}\u{1f600}'])).toEqual(['un\u{1f600}', '##\u{1f600}']);
  });

  it('are unknown as a whole where a part is, or of more than 100 characters', () => {
    expect(model.encode(['unaffably', 'x', `un${'aff'.repeat(33)}`])).toEqual(['[UNK]', '[UNK]', '[UNK]']);
    expect(model.encode([`un${'aff'.repeat(32)}`])).toHaveLength(33);
  });

  it('that mean nothing take no longer for being long', () => {
    const tokens = ['longest-of-them-all', ...LETTERS.flatMap((letter) => [letter, `##${letter}`])];
    const { model: letters } = boundWords({ model: modelOf(tokens) });
    const word = LETTERS.join('').repeat(4).slice(0, 100);
    expect(letters.encode([word])).toHaveLength(100);
    expect(letters.tokens_to_ids.asked).toBeLessThanOrEqual('longest-of-them-all'.length * 100);
  });

  it('are left alone in tokenizers of other kinds', () => {
    const other = boundWords({ model: modelOf(['a'], 'BPE') });
    expect(other.model.encode(['abc'])).toEqual(['abc']);
  });
});
