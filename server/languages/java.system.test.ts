import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { textFile, type SourceTree } from '../kernel/source-tree.ts';
import { createJavaLanguage } from './java.ts';
import { BuildFailure, type BuiltFunction } from './language.ts';
import type { PreparableLanguage } from './shared-base.ts';
import { buildRequest, openTestToolbox, startWorker, templateSource, type TestToolbox } from './testing.ts';

const EXAMPLE = 'src/main/java/jfv1/Example.java';

let toolbox: TestToolbox;
let java: PreparableLanguage;
let template: SourceTree;

beforeAll(async () => {
  toolbox = await openTestToolbox();
  java = createJavaLanguage(toolbox);
  template = await templateSource('java21');
  await java.prepare();
});
afterAll(() => toolbox.close());

function withFiles(files: Readonly<Record<string, string>>): SourceTree {
  return new Map([
    ...template,
    ...Object.entries(files).map(([path, text]) => [path, textFile(text)] as const),
  ]);
}

function serving(body: string): SourceTree {
  return withFiles({
    [EXAMPLE]: `package jfv1;
import com.google.cloud.functions.*;
public class Example implements HttpFunction {
  public void service(HttpRequest request, HttpResponse response) throws Exception {
${body}
  }
}
`,
  });
}

function pom(): string {
  return Buffer.from(template.get('pom.xml')?.bytes ?? []).toString('utf8');
}

/** The project runs these Ant tasks after the compiler, in the step with network and in the one without. */
function runningTasks(tasks: string): SourceTree {
  const plugin = `<plugin><artifactId>maven-antrun-plugin</artifactId><version>3.1.0</version><executions><execution>
    <phase>process-classes</phase><goals><goal>run</goal></goals><configuration><target>${tasks}</target></configuration>
    </execution></executions></plugin>`;
  return withFiles({ 'pom.xml': pom().replace('</plugins>', `${plugin}</plugins>`) });
}

async function build(source: SourceTree): Promise<{ built: BuiltFunction; lines: string[] }> {
  const lines: string[] = [];
  const onProgress = (line: string): void => void lines.push(line);
  return { built: await java.build(buildRequest('java21', source, { onProgress })), lines };
}

async function failure(source: SourceTree): Promise<string> {
  const error: unknown = await build(source).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BuildFailure);
  return (error as BuildFailure).message;
}

async function ready(built: BuiltFunction) {
  const worker = await startWorker(toolbox, java, { runtime: 'java21', built });
  expect(await worker.claim(built, 'jfv1.Example')).toEqual({ t: 'ready' });
  return worker;
}

function digest({ code }: BuiltFunction): string {
  const hash = createHash('sha256');
  for (const [path, file] of code) hash.update(path).update(file.bytes);
  return hash.digest('hex');
}

describe('building', () => {
  test('the template builds twice to the same bytes, the second time without installing', async () => {
    const first = await build(template);
    const second = await build(template);
    expect([...first.built.code.keys()]).toEqual(['classes/jfv1/Example.class']);
    expect(digest(second.built)).toBe(digest(first.built));
    expect(second.built.layer).toBe(first.built.layer);
    expect(second.lines).toContain('Dependencies are unchanged.');
    expect(first.built.runtimeDetail).toMatch(/^OpenJDK \d+/);
  });

  test("a compile error is the compiler's own, with the file as in the upload", async () => {
    const message = await failure(
      withFiles({ [EXAMPLE]: 'package jfv1;\nclass Example { int x = none; }\n' }),
    );
    expect(message).toContain(`${EXAMPLE}:[2,25] cannot find symbol`);
    expect(message).not.toContain('/work/source');
  });

  test('a dependency that no registry has fails in the words of the tool', async () => {
    const dependency =
      '<dependency><groupId>invalid</groupId><artifactId>nothing</artifactId><version>1</version></dependency>';
    const source = withFiles({ 'pom.xml': pom().replace('</dependencies>', `${dependency}</dependencies>`) });
    expect(await failure(source)).toContain('invalid:nothing:jar:1');
  });

  test('a project that names neither plugin versions nor a source level builds', async () => {
    const plain = pom()
      .replace(/<build>[\s\S]*<\/build>/, '')
      .replace(/<properties>[\s\S]*<\/properties>/, '');
    expect((await build(withFiles({ 'pom.xml': plain }))).built.code.size).toBe(1);
  });

  test('a plugin of the project reaches no host but the registries, and no file of this machine', async () => {
    let connections = 0;
    const host = createServer((_req, res) => void res.end('from outside'));
    host.on('connection', () => connections++);
    host.listen(0, '127.0.0.1');
    await once(host, 'listening');
    const directory = await mkdtemp(join(tmpdir(), 'host-'));
    await writeFile(join(directory, 'secret.txt'), 'secret');
    const url = `http://127.0.0.1:${(host.address() as AddressInfo).port}/`;
    const classes = '${project.build.outputDirectory}';
    const { built } = await build(
      runningTasks(
        `<echo file="${classes}/ran.txt">ran</echo>
         <get src="${url}" dest="${classes}/got.txt" ignoreerrors="true" retries="0"/>
         <setproxy proxyhost="127.0.0.1" proxyport="3128" nonproxyhosts=""/>
         <get src="${url}" dest="${classes}/proxied.txt" ignoreerrors="true" retries="0"/>
         <copy file="${directory}/secret.txt" todir="${classes}" failonerror="false"/>`,
      ),
    );
    expect([...built.code.keys()].toSorted()).toEqual(['classes/jfv1/Example.class', 'classes/ran.txt']);
    expect(connections).toBe(0);
    host.close();
    await rm(directory, { recursive: true });
  });

  test('a build that leaves a link where its output should be is refused', async () => {
    const link = '<symlink link="${project.build.outputDirectory}/leak" resource="/etc/passwd"/>';
    expect(await failure(runningTasks(link))).toContain('the build left a link there');
  });
});

describe('running', () => {
  test('the template answers over the claimed socket', async () => {
    const { built } = await build(template);
    const worker = await ready(built);
    const answer = await worker.get('/any/path?name=foo%22%0A');
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ greeting: 'hello, foo"\n!' });
    expect((await worker.get('/')).status).toBe(400);
    await worker.process.kill();
  });

  test('a wrong entrypoint and a class that is no function are told apart', async () => {
    const { built } = await build(
      withFiles({ 'src/main/java/jfv1/Other.java': 'package jfv1; class Other {}' }),
    );
    const claim = async (entrypoint: string): Promise<string | undefined> => {
      const worker = await startWorker(toolbox, java, { runtime: 'java21', built });
      const answer = await worker.claim(built, entrypoint);
      await worker.process.kill();
      expect(answer.t).toBe('failed');
      return answer.message;
    };
    expect(await claim('jfv1.Exmaple')).toContain('there is no class jfv1.Exmaple');
    expect(await claim('jfv1.Other')).toContain('implements no interface of com.google.cloud.functions');
  });

  test("a library of the function's own is there, and those of the worker are not", async () => {
    const dependency =
      '<dependency><groupId>org.apache.commons</groupId><artifactId>commons-lang3</artifactId><version>3.17.0</version></dependency>';
    const source = new Map([
      ...serving(`response.getWriter().write(org.apache.commons.lang3.StringUtils.reverse("abc"));
        try { Class.forName("org.eclipse.jetty.server.Server"); } catch (ClassNotFoundException e) { response.setStatusCode(201); }`),
      ['pom.xml', textFile(pom().replace('</dependencies>', `${dependency}</dependencies>`))],
    ]);
    const { built } = await build(source);
    const worker = await ready(built);
    const answer = await worker.get('/');
    expect(answer.body).toBe('cba');
    expect(answer.status).toBe(201);
    await worker.process.kill();
  });

  test('status, headers and 32 MiB of body pass through', async () => {
    const { built } = await build(
      serving(`response.setStatusCode(418);
        response.appendHeader("X-Own", "1");
        request.getInputStream().transferTo(response.getOutputStream());`),
    );
    const worker = await ready(built);
    const body = 'x'.repeat(32 * 2 ** 20);
    const answer = await worker.send('POST', '/', body, 'text/plain');
    expect(answer.status).toBe(418);
    expect(answer.headers['x-own']).toBe('1');
    expect(answer.body === body).toBe(true);
    await worker.process.kill();
  });

  test('an exception is a 500 without its text, and the worker serves on', async () => {
    const { built } = await build(
      serving('if (request.getPath().equals("/throw")) throw new IllegalStateException("secret");'),
    );
    const worker = await ready(built);
    const answer = await worker.get('/throw');
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain('secret');
    expect((await worker.get('/')).status).toBe(200);
    await worker.process.kill();
  });

  test('what a function flushes arrives before it ends', async () => {
    const { built } = await build(
      serving(`response.getOutputStream().write("first".getBytes());
        response.getOutputStream().flush();
        Thread.sleep(60_000);`),
    );
    const worker = await startWorker(toolbox, java, { runtime: 'java21', built });
    expect(await worker.claim(built, 'jfv1.Example')).toEqual({ t: 'ready' });
    expect(await worker.firstChunk('/')).toBe('first');
    await worker.process.kill();
  });

  test('the network is reached through the egress proxy, and only when the claim permits it', async () => {
    const host = createServer((_req, res) => void res.end('from outside')).listen(0, '127.0.0.1');
    await once(host, 'listening');
    const address = `127.0.0.1:${(host.address() as AddressInfo).port}`;
    // The proxy is named here, because Java leads no loopback address through one by itself.
    const { built } = await build(
      serving(`
        var proxy = new java.net.Proxy(java.net.Proxy.Type.HTTP, new java.net.InetSocketAddress("127.0.0.1", 3128));
        try (var body = new java.net.URL("http://${address}/").openConnection(proxy).getInputStream()) {
          response.appendHeader("X-Proxy", System.getProperty("https.proxyHost"));
          body.transferTo(response.getOutputStream());
        } catch (java.io.IOException refused) {
          response.setStatusCode(502);
        }`),
    );
    const egress = { kind: 'trusted', hosts: [address] } as const;
    const open = await startWorker(toolbox, java, { runtime: 'java21', built, egress });
    expect(await open.claim(built, 'jfv1.Example', true)).toEqual({ t: 'ready' });
    const answer = await open.get('/');
    expect(answer.body).toBe('from outside');
    expect(answer.headers['x-proxy']).toBe('127.0.0.1');
    await open.process.kill();

    const closed = await ready(built);
    expect((await closed.get('/')).status).toBe(502);
    await closed.process.kill();
    host.close();
  });
});
