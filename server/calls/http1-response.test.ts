import { describe, expect, it } from 'vitest';
import { ResponseParser, ResponseProtocolError } from './http1-response.ts';

interface Parsed {
  readonly status: number;
  readonly headers: string[];
  readonly body: string;
  readonly isComplete: boolean;
  readonly isReusable: boolean;
}

/** Feeds the text in pieces of `size` bytes. */
function parse(text: string, { size = text.length, bodiless = false } = {}): Parsed {
  let status = 0;
  let headers: string[] = [];
  let body = '';
  const parser = new ResponseParser({
    onHead(code, _reason, fields) {
      status = code;
      headers = fields;
    },
    onBody: (chunk) => (body += chunk.toString('latin1')),
  });
  parser.expect(bodiless);
  let isComplete = false;
  for (let at = 0; at < text.length && !isComplete; at += size) {
    isComplete = parser.push(Buffer.from(text.slice(at, at + size), 'latin1'));
  }
  return { status, headers, body, isComplete: isComplete || parser.finish(), isReusable: parser.reusable };
}

const answers: Record<string, [text: string, body: string]> = {
  'a length': ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'hello'],
  'no body': ['HTTP/1.1 204 No Content\r\n\r\n', ''],
  'no reason': ['HTTP/1.1 200\r\ncontent-length:0\r\n\r\n', ''],
  chunks: [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nx-t: 1\r\n\r\n',
    'hello',
  ],
  'interim answers': [
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx',
    'x',
  ],
  'the end of the connection': ['HTTP/1.0 200 OK\r\n\r\nhello', 'hello'],
};

describe('an answer', () => {
  for (const [name, [text, body]] of Object.entries(answers)) {
    it(`framed by ${name} is read the same however it is cut into packets`, () => {
      for (const size of [text.length, 7, 2, 1]) {
        expect(parse(text, { size })).toMatchObject({ body, isComplete: true });
      }
    });
  }

  it('keeps the spelling, order and repetition of its fields', () => {
    const { headers } = parse(
      'HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie:\t b \r\nX-\u00c4: 1\r\n\r\n'.replace('\u00c4', 'A'),
    );
    expect(headers).toEqual(['Set-Cookie', 'a', 'set-cookie', 'b', 'X-A', '1']);
  });

  it('to HEAD has no body whatever length it declares', () => {
    const answer = parse('HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n', { bodiless: true });
    expect(answer).toMatchObject({ body: '', isComplete: true, isReusable: true });
  });

  it('that is cut is not complete', () => {
    expect(parse('HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf').isComplete).toBe(false);
    expect(parse('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n').isComplete).toBe(
      false,
    );
  });

  it('followed by bytes that nobody asked for spends its connection', () => {
    expect(parse('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n').isReusable).toBe(false);
    expect(parse('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx').isReusable).toBe(
      false,
    );
  });
});

const ambiguous: Record<string, string> = {
  'two lengths': 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\nx',
  'a length beside chunks':
    'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  'a signed length': 'HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\nx',
  'an unknown coding': 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n',
  'two codings': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n',
  'a bare line feed': 'HTTP/1.1 200 OK\r\nx: 1\ny: 2\r\n\r\n',
  'a bare carriage return': 'HTTP/1.1 200 OK\r\nx: 1\ry: 2\r\n\r\n',
  'a folded line': 'HTTP/1.1 200 OK\r\nx: 1\r\n y: 2\r\n\r\n',
  'a NUL': 'HTTP/1.1 200 OK\r\nx: \0\r\n\r\n',
  'a blank before the colon': 'HTTP/1.1 200 OK\r\nx : 1\r\n\r\n',
  'another protocol': 'SSH-2.0-OpenSSH\r\n\r\n',
  'an upgrade': 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  'a bad chunk size': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n',
  'an enormous chunk size': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffff\r\n',
  'a chunk without its end': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n',
  'a head without end': `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(40_000)}`,
  'trailers without end': `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${'x: 1\r\n'.repeat(5000)}`,
};

describe('a function that answers with', () => {
  for (const [name, text] of Object.entries(ambiguous)) {
    it(`${name} is refused`, () => {
      for (const size of [text.length, 100])
        expect(() => parse(text, { size })).toThrow(ResponseProtocolError);
    });
  }
});
