import { describe, expect, test } from 'vitest';
import { admit, EgressRefused, isPublicAddress, parseTarget, type EgressNetwork } from './egress-guard.ts';
import type { EgressPolicy } from './egress-policy.ts';

const PUBLIC = '93.184.215.14';

function network(answers: Record<string, string[]> = {}, own: string[] = []): EgressNetwork {
  const resolve = (host: string): Promise<string[]> => Promise.resolve(answers[host] ?? [PUBLIC]);
  return {
    resolvePublic: resolve,
    resolveAsHost: resolve,
    connect: () => {
      throw new Error('admission never connects');
    },
    ownAddresses: () => own,
  };
}

async function verdict(policy: EgressPolicy, authority: string, net = network()): Promise<string> {
  try {
    return (await admit(policy, parseTarget(authority, 443), net)).join(' ');
  } catch (error) {
    if (error instanceof EgressRefused) return error.code;
    throw error;
  }
}

const anyPublic: EgressPolicy = { kind: 'public', hosts: ['*'] };

describe('a public policy', () => {
  test.each([
    ['api.example.com', 'api.example.com:443', PUBLIC],
    ['api.example.com', 'API.Example.COM:443', PUBLIC],
    ['api.example.com', 'api.example.com:80', PUBLIC],
    ['api.example.com', 'api.example.com:22', 'port_not_listed'],
    ['api.example.com', 'www.example.com:443', 'host_not_listed'],
    ['api.example.com', 'xapi.example.com:443', 'host_not_listed'],
    ['api.example.com:8443', 'api.example.com:8443', PUBLIC],
    ['api.example.com:8443', 'api.example.com:443', 'port_not_listed'],
    ['*.example.com', 'a.b.example.com:443', PUBLIC],
    ['*.example.com', 'example.com:443', 'host_not_listed'],
    ['*.example.com', 'evilexample.com:443', 'host_not_listed'],
    ['*', 'anything.example:443', PUBLIC],
    ['*', 'anything.example:25', 'port_not_listed'],
    ['*:25', 'anything.example:25', PUBLIC],
    ['xn--bcher-kva.example', 'XN--BCHER-KVA.example:443', PUBLIC],
  ])('listing %s answers %s with %s', async (listed, authority, expected) => {
    expect(await verdict({ kind: 'public', hosts: [listed] }, authority)).toBe(expected);
  });

  test('that lists nothing opens nothing', async () => {
    expect(await verdict({ kind: 'public', hosts: [] }, 'example.com:443')).toBe('host_not_listed');
  });

  test.each([
    ['127.0.0.1', 'address_literal'],
    ['93.184.215.14', 'address_literal'],
    ['2130706433', 'address_literal'],
    ['0x7f000001', 'address_literal'],
    ['0x7f.1', 'address_literal'],
    ['0177.0.0.1', 'address_literal'],
    ['127.1', 'address_literal'],
    ['example.0x7f', 'address_literal'],
    ['[::1]', 'address_literal'],
    ['[::ffff:127.0.0.1]', 'address_literal'],
    ['[fe80::1%25eth0]', 'bad_target'],
    ['localhost', 'bad_target'],
    ['example.com.', 'bad_target'],
    ['example..com', 'bad_target'],
    ['.example.com', 'bad_target'],
    ['-a.example.com', 'bad_target'],
    ['bücher.example', 'bad_target'],
    ['example。com', 'bad_target'],
    ['ⅰ27.0.0.1', 'address_literal'],
    ['exa_mple.com', 'bad_target'],
    ['user@example.com', 'bad_target'],
    ['user:pass@example.com', 'bad_target'],
    ['example.com#@evil.example', 'bad_target'],
    ['example.com\\@evil.example', 'bad_target'],
    ['example.com%00', 'bad_target'],
    [`${'a'.repeat(64)}.example.com`, 'bad_target'],
    [`${'a.'.repeat(150)}com`, 'bad_target'],
    ['', 'bad_target'],
  ])('refuses the host %s', async (host, code) => {
    expect(await verdict(anyPublic, `${host}:443`)).toBe(code);
  });

  test.each([
    ':443',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'example.com:4 43',
    'example.com:0x1bb',
  ])('refuses the target %s', async (authority) => {
    expect(await verdict(anyPublic, authority)).toBe('bad_target');
  });

  test('refuses a name when any one of its addresses is private', async () => {
    const mixed = network({ 'mixed.example': [PUBLIC, '10.0.0.1'] });
    expect(await verdict(anyPublic, 'mixed.example:443', mixed)).toBe('not_a_public_address');
  });

  test('refuses a name that leads to the host itself', async () => {
    const self = network({}, [PUBLIC]);
    expect(await verdict(anyPublic, 'me.example:443', self)).toBe('own_address');
  });
});

describe('a trusted policy', () => {
  const registry: EgressPolicy = {
    kind: 'trusted',
    hosts: ['registry.internal', 'mirror.internal:4873', '10.0.0.5:8081', '[::1]:8081'],
  };
  const net = network({ 'registry.internal': ['10.1.1.1'], 'mirror.internal': ['127.0.0.1'] });

  test.each([
    ['registry.internal:443', '10.1.1.1'],
    ['mirror.internal:4873', '127.0.0.1'],
    ['mirror.internal:443', 'port_not_listed'],
    ['10.0.0.5:8081', '10.0.0.5'],
    ['[::1]:8081', '::1'],
    ['10.0.0.6:8081', 'host_not_listed'],
    ['x.registry.internal:443', 'host_not_listed'],
    ['registry.internal.:443', 'host_not_listed'],
    ['example.com:443', 'host_not_listed'],
  ])('answers %s with %s', async (authority, expected) => {
    expect(await verdict(registry, authority, net)).toBe(expected);
  });

  test('reads no wildcards', async () => {
    expect(await verdict({ kind: 'trusted', hosts: ['*'] }, 'example.com:443')).toBe('host_not_listed');
  });
});

test.each([
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '169.254.170.2',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '168.63.129.16',
  '::',
  '::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'fc00::1',
  'fd00:ec2::254',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:93.184.215.14',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '2002:7f00:1::',
  '2001::1',
  '2001:db8::1',
  '3fff::1',
  '100::1',
  '5f00::1',
  '4000::1',
  'not an address',
  '',
])('%s is not a public address', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each([PUBLIC, '1.1.1.1', '172.15.0.1', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450::1'])(
  '%s is a public address',
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

describe('a public policy with ranges of the operator', () => {
  const policy: EgressPolicy = {
    kind: 'public',
    hosts: ['db.example.com:3306', '10.1.2.3:3306', '93.184.215.14:3306', '[fd00::7]:3306', '127.0.0.1:3306'],
    ranges: ['10.1.0.0/16', 'fd00::/8'],
  };
  test.each([
    ['10.1.2.3:3306', '10.1.2.3'],
    ['93.184.215.14:3306', '93.184.215.14'],
    ['[fd00::7]:3306', 'fd00::7'],
    ['10.1.2.3:3307', 'port_not_listed'],
    ['10.1.2.4:3306', 'host_not_listed'],
    ['127.0.0.1:3306', 'not_a_public_address'],
    ['10.66051:3306', 'address_literal'],
    ['[::ffff:10.1.2.3]:3306', 'host_not_listed'],
  ])('answers %s with %s', async (target, expected) => {
    expect(await verdict(policy, target)).toBe(expected);
  });

  test('opens names that lead into them, and no others', async () => {
    const lead = (...addresses: string[]) =>
      verdict(policy, 'db.example.com:3306', network({ 'db.example.com': addresses }, ['10.1.9.9']));
    expect(await lead('10.1.9.9')).toBe('10.1.9.9');
    expect(await lead('10.2.0.1')).toBe('not_a_public_address');
    expect(await lead('10.1.9.9', '127.0.0.1')).toBe('not_a_public_address');
  });
});
