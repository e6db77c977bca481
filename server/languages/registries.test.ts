import { expect, test } from 'vitest';
import { centralMirror, goRegistry, mavenRegistry, npmRegistry, pipRegistry } from './registries.ts';

test('npm is told the configured registry, without its credentials', () => {
  expect(npmRegistry('https://user:secret@npm.example.com:8443/all/\n')).toEqual({
    hosts: ['npm.example.com:8443'],
    env: { npm_config_registry: 'https://npm.example.com:8443/all/' },
  });
});

const PIP = { index: 'https://index.example.com/simple', extra: [], default: 'index.example.com' };

test("pip's own index comes with the host of its files", () => {
  const answer = { ...PIP, files: 'files.example.com' };
  expect(pipRegistry(answer).hosts).toEqual(['index.example.com', 'files.example.com']);
});

test('a mirror of pip does not open the public hosts', () => {
  const answer = {
    ...PIP,
    index: 'https://a:b@mirror.example.org/simple',
    extra: ['http://extra.example.org:81/'],
    files: 'files.example.com',
  };
  expect(pipRegistry(answer)).toEqual({
    hosts: ['mirror.example.org', 'extra.example.org:81'],
    env: {
      PIP_INDEX_URL: 'https://mirror.example.org/simple',
      PIP_EXTRA_INDEX_URL: 'http://extra.example.org:81/',
    },
  });
});

test('go reaches its proxies and the checksum database, and nothing directly', () => {
  const registry = goRegistry({
    GOPROXY: 'https://one.example.com,https://two.example.com|direct',
    GOSUMDB: 'sum.example.com+033de0ae+key',
    GONOSUMDB: '',
  });
  expect(registry.hosts).toEqual(['one.example.com', 'two.example.com', 'sum.example.com']);
  expect(registry.env['GOPROXY']).toBe('https://one.example.com/,https://two.example.com/');
});

test('go without proxies reaches nothing', () => {
  const registry = goRegistry({ GOPROXY: 'direct', GOSUMDB: 'off', GONOSUMDB: '' });
  expect(registry.hosts).toEqual([]);
  expect(registry.env['GOPROXY']).toBe('off');
});

test('maven uses the mirror of its settings that serves the central repository', () => {
  const mirror = (of: string, url: string, more = '') =>
    `<mirror><mirrorOf>${of}</mirrorOf><url>${url}</url>${more}</mirror>`;
  const blocked = mirror('external:http:*', 'http://0.0.0.0/', '<blocked>true</blocked>');
  const commented = `<!-- ${mirror('*', 'https://example.invalid')} -->`;
  expect(centralMirror(`<settings>${commented}${blocked}</settings>`)).toBeUndefined();
  const settings = `<mirrors>${blocked}${mirror('*,!local', 'https://maven.example.com/all')}</mirrors>`;
  expect(centralMirror(settings)).toBe('https://maven.example.com/all');
});

test('maven is told one mirror for everything, through the proxy of the jail', () => {
  const { hosts, settings } = mavenRegistry('https://user:secret@maven.example.com/all');
  expect(hosts).toEqual(['maven.example.com']);
  expect(settings).toContain('<url>https://maven.example.com/all</url>');
  expect(settings).toContain('<host>127.0.0.1</host><port>3128</port>');
  expect(settings).not.toContain('secret');
});
