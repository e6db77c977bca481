/**
 * Makes a WordPiece tokenizer take a time that grows with the text and nothing else. The library tries all ends of a part,
 * the longest first, so that words of 90 letters that mean nothing take a hundred times as long as others. What is longer than
 * every token is none, so such ends are left out here, and the tokens stay the same. Other tokenizers are not changed.
 */
export function boundWords(tokenizer) {
  const { model } = tokenizer;
  if (model.config.type === 'WordPiece') model.encode = wordPiece(model);
  return tokenizer;
}

function wordPiece({ config, tokens_to_ids: ids, unk_token: unknown, max_input_chars_per_word: charsMax }) {
  const longest = [...ids.keys()].reduce((most, token) => Math.max(most, token.length), 0);
  const { continuing_subword_prefix: prefix } = config;

  function partsOf(word) {
    const chars = [...word];
    if (chars.length > charsMax) return [unknown];
    const parts = [];
    for (let start = 0; start < chars.length;) {
      let end = Math.min(chars.length, start + longest);
      let part = (start > 0 ? prefix : '') + chars.slice(start, end).join('');
      while (start < end && !ids.has(part)) part = part.slice(0, -chars[--end].length);
      if (start === end) return [unknown];
      parts.push(part);
      start = end;
    }
    return parts;
  }

  return (words) => words.flatMap(partsOf);
}
