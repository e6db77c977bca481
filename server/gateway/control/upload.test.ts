import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeployResult } from '../../../contract/index.ts';
import { PlatformError } from '../../kernel/errors.ts';
import { MEMBER_KEY, OWNER_KEY } from '../testing/fakes.ts';
import { type RunningGateway, json, startGateway } from '../testing/start.ts';

let running: RunningGateway;
beforeEach(async () => void (running = await startGateway({ limits: { uploadBytesMax: 64 * 1024 } })));
afterEach(() => running.gateway.close(1000));

const ZIP = Buffer.from('PK\u0003\u0004 not really a zip');
const CRLF = '\r\n';

function upload(form: FormData, key = OWNER_KEY): Promise<Response> {
  return running.fetch('/core-service/v1/upload', {
    method: 'POST',
    body: form,
    headers: { 'x-jf-apikey': key },
  });
}

function formWith(...parts: [string, Uint8Array | string][]): FormData {
  const form = new FormData();
  for (const [name, content] of parts) {
    if (typeof content === 'string') form.append(name, content);
    else form.append(name, new Blob([Buffer.from(content)], { type: 'application/zip' }), 'greeter.zip');
  }
  return form;
}

/** A chunked multipart request, as the public command line sends it. */
function rawUpload(body: string): string {
  const head =
    `POST /core-service/v1/upload HTTP/1.1${CRLF}Host: x${CRLF}x-jf-apikey: ${OWNER_KEY}${CRLF}` +
    `Content-Type: multipart/form-data; boundary=XX${CRLF}Transfer-Encoding: chunked${CRLF}Connection: close${CRLF}`;
  const chunk = body === '' ? '' : `${body.length.toString(16)}${CRLF}${body}${CRLF}`;
  return `${head}${CRLF}${chunk}0${CRLF}${CRLF}`;
}

const PART = `--XX${CRLF}Content-Disposition: form-data; name="file"; filename="greeter.zip"${CRLF}Content-Type: application/zip${CRLF}${CRLF}`;

describe('upload', () => {
  it('hands the zip over byte for byte and answers the deploy', async () => {
    const response = await upload(formWith(['file', ZIP]));
    expect(response.status).toBe(200);
    const answer = await json(response);
    expect(DeployResult.parse(answer)).toEqual(answer);
    expect(answer).toEqual({
      function: 'greeter',
      function_id: 'greeter',
      new: true,
      runtimeDetail: 'Node 24.21.0',
      deployedDetails: [
        { size: 's', opid: 'bld_1', urlLocation: `${running.url}/greeter-d4hq7r3c1ab2cd3ef4gh-1-s` },
      ],
    });
    expect(running.fakes.functions.zips.map((zip) => Buffer.from(zip))).toEqual([ZIP]);
    expect(await json(upload(formWith(['file', ZIP])))).toMatchObject({
      new: false,
      currentVersion: 1,
      deployingVersion: 2,
    });
  });

  it('takes the chunked form of the public command line', async () => {
    const answer = await running.raw(rawUpload(`${PART}zip${CRLF}--XX--${CRLF}`));
    expect(answer).toContain('HTTP/1.1 200 OK');
    expect(running.fakes.functions.zips.map((zip) => Buffer.from(zip).toString())).toEqual(['zip']);
  });

  it.each([
    ['no file', formWith(['name', 'greeter']), 400, 'upload.no_file'],
    ['an empty file', formWith(['file', new Uint8Array(0)]), 400, 'upload.no_file'],
    ['a file of another name', formWith(['zip', ZIP]), 400, 'upload.no_file'],
    ['two files', formWith(['file', ZIP], ['file', ZIP]), 400, 'upload.too_many_parts'],
    [
      'many fields',
      formWith(...Array.from({ length: 20 }, (_, i): [string, string] => [`f${i}`, 'x']), ['file', ZIP]),
      400,
      'upload.too_many_parts',
    ],
    ['a file beyond the limit', formWith(['file', Buffer.alloc(65 * 1024)]), 413, 'upload.too_large'],
    ['a far larger file', formWith(['file', Buffer.alloc(8 * 1024 * 1024)]), 413, 'upload.too_large'],
  ])('refuses %s', async (_what, form, status, errorId) => {
    const response = await upload(form);
    expect(response.status).toBe(status);
    expect(await json(response)).toEqual({ errorId, errorMessage: expect.any(String) });
    expect(running.fakes.functions.zips).toEqual([]);
    expect((await upload(formWith(['file', ZIP]))).status).toBe(200);
  });

  it.each([
    ['without its end', `${PART}zip`],
    ['without a part', `--XX--${CRLF}`],
    ['of garbage', 'garbage'],
    ['without a body', ''],
  ])('answers 400 to a multipart body %s, and does not hang', async (_what, body) => {
    const answer = await running.raw(rawUpload(body));
    expect(answer).toContain('HTTP/1.1 400 ');
    expect(answer).toMatch(/"errorId":"upload\.(malformed|no_file)"/);
    expect(running.fakes.functions.zips).toEqual([]);
  });

  it('answers 415 to anything but multipart', async () => {
    for (const [type, body, errorId] of [
      ['application/json', '{}', 'upload.not_multipart'],
      ['application/zip', 'PK', 'request.unsupported_media_type'],
    ]) {
      const response = await running.fetch('/core-service/v1/upload', {
        method: 'POST',
        body: body ?? '',
        headers: { 'content-type': type ?? '' },
      });
      expect(response.status).toBe(415);
      expect(await json(response)).toMatchObject({ errorId });
    }
  });

  it('answers 400 to multipart without a boundary', async () => {
    const response = await running.fetch('/core-service/v1/upload', {
      method: 'POST',
      body: 'x',
      headers: { 'content-type': 'multipart/form-data' },
    });
    expect(response.status).toBe(400);
    expect(await json(response)).toMatchObject({ errorId: 'upload.malformed' });
  });

  it('reads nothing of an upload without a live key', async () => {
    const head = `POST /core-service/v1/upload HTTP/1.1${CRLF}Host: x${CRLF}Content-Type: multipart/form-data; boundary=XX${CRLF}Content-Length: 1000000${CRLF}Connection: close${CRLF}${CRLF}`;
    expect(await running.raw(head)).toContain('HTTP/1.1 401 ');
  });

  it('passes refusals of the deploy on with their status', async () => {
    running.fakes.functions.failure = new PlatformError({
      kind: 'conflict',
      code: 'functions.build_running',
      message: 'A build of greeter is running. Wait for its end.',
      faults: [{ pointer: '/shortname', message: 'busy' }],
    });
    const response = await upload(formWith(['file', ZIP]));
    expect(response.status).toBe(409);
    expect(await json(response)).toEqual({
      errorId: 'functions.build_running',
      errorMessage: 'A build of greeter is running. Wait for its end. /shortname: busy',
    });
  });

  it('shows nothing of an unknown failure and logs only its code', async () => {
    running.fakes.functions.failure = Object.assign(new Error('secret path /data/x'), { code: 'ENOSPC' });
    const response = await upload(formWith(['file', ZIP]));
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).toContain('platform.internal');
    expect(text + running.fakes.log.join('')).not.toMatch(/secret|\/data/);
    expect(running.fakes.log.map((line) => JSON.parse(line) as unknown)).toEqual([
      { at: expect.any(String), event: 'request.failed', code: 'ENOSPC', area: 'control' },
    ]);
  });

  it('bounds the uploads that one account has under way, without touching the others', async () => {
    const { functions } = running.fakes;
    const { deploy } = functions;
    const gate = Promise.withResolvers<void>();
    const both = Promise.withResolvers<void>();
    let arrived = 0;
    Object.assign(functions, {
      deploy: async (...args: Parameters<typeof deploy>) => {
        if (++arrived === 2) both.resolve();
        if (arrived <= 2) await gate.promise;
        return deploy(...args);
      },
    });
    const waiting = [upload(formWith(['file', ZIP])), upload(formWith(['file', ZIP]))];
    await both.promise;

    const refused = await upload(formWith(['file', ZIP]));
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await json(refused)).toMatchObject({ errorId: 'upload.too_many' });
    expect((await upload(formWith(['file', ZIP]), MEMBER_KEY)).status).toBe(200);

    gate.resolve();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await upload(formWith(['file', ZIP]))).status).toBe(200);
  });
});
