import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assembleSeccompFilter, CONDITIONAL, DENIED, type Machine } from './seccomp.ts';

const AUDIT_ARCH = { x86_64: 0xc000003e, aarch64: 0xc00000b7, i386: 0x40000003, arm: 0x40000028 };
const ALLOW = 'allow';
const EPERM = 'errno 1';
const ENOSYS = 'errno 38';
const EAFNOSUPPORT = 'errno 97';

/** Runs the program as the kernel would, including its checks that no jump leaves the program. */
function judge(program: Buffer, call: { arch: number; number: number; args?: number[] }): string {
  const data = new Map([
    [0, call.number],
    [4, call.arch],
  ]);
  for (const [index, value] of (call.args ?? []).entries()) data.set(16 + 8 * index, value >>> 0);
  let accumulator = 0;
  for (let pc = 0; pc < program.length / 8; pc++) {
    const code = program.readUInt16LE(pc * 8);
    const [whenTrue, whenFalse] = [program.readUInt8(pc * 8 + 2), program.readUInt8(pc * 8 + 3)];
    const k = program.readUInt32LE(pc * 8 + 4);
    const jump = (condition: boolean): number => (condition ? whenTrue : whenFalse);
    if (code === 0x20) accumulator = data.get(k) ?? 0;
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x15) pc += jump(accumulator === k);
    else if (code === 0x25) pc += jump(accumulator > k);
    else if (code === 0x35) pc += jump(accumulator >= k);
    else if (code === 0x06) return verdict(k);
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error('the program ended without a verdict');
}

function verdict(value: number): string {
  if (value === 0x7fff0000) return ALLOW;
  if (value === 0x80000000) return 'kill';
  return `errno ${value & 0xffff}`;
}

const machines: Machine[] = ['x86_64', 'aarch64'];

describe.each(machines)('the filter for %s', (machine) => {
  const program = assembleSeccompFilter(machine);
  const arch = AUDIT_ARCH[machine];
  const numberOf = (name: string): number => {
    const call = [...DENIED, ...CONDITIONAL.map(({ call: own }) => own)].find(([own]) => own === name);
    const number = machine === 'x86_64' ? call?.[1] : call?.[2];
    if (typeof number !== 'number') throw new Error(`no call ${name}`);
    return number;
  };
  const call = (name: string, ...args: number[]): string =>
    judge(program, { arch, number: numberOf(name), args });

  test('has a size that the kernel takes', () => {
    expect(program.length % 8).toBe(0);
    expect(program.length / 8).toBeLessThanOrEqual(4096);
  });

  test('refuses every call of the deny list', () => {
    const refused = DENIED.filter((entry) => entry[machine === 'x86_64' ? 1 : 2] !== null);
    for (const [name] of refused) expect(`${name}: ${call(name)}`).toBe(`${name}: ${EPERM}`);
  });

  test('kills programs of a foreign machine', () => {
    const foreign = Object.values(AUDIT_ARCH).filter((other) => other !== arch);
    for (const other of foreign) expect(judge(program, { arch: other, number: 0 })).toBe('kill');
  });

  test('answers calls that are newer than its review as an older kernel would', () => {
    for (const number of [457, 462, 470, 1000, 0x3fffffff])
      expect(judge(program, { arch, number })).toBe(ENOSYS);
  });

  test('lets threads start, and no namespaces', () => {
    const threadFlags = 0x003d0f00;
    expect(call('clone', threadFlags)).toBe(ALLOW);
    expect(call('clone', 17)).toBe(ALLOW);
    for (const flag of [0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000]) {
      expect(call('clone', flag | threadFlags)).toBe(EPERM);
    }
    expect(call('clone3')).toBe(ENOSYS);
  });

  test('lets sockets of the Internet and of this machine open, and no others', () => {
    const stream = 1 | 0o2000000 | 0o4000; // with SOCK_CLOEXEC and SOCK_NONBLOCK
    expect(call('socket', 1, stream, 0)).toBe(ALLOW);
    expect(call('socket', 1, 5, 0)).toBe(ALLOW);
    expect(call('socket', 2, stream, 6)).toBe(ALLOW);
    expect(call('socket', 10, 2, 17)).toBe(ALLOW);
    expect(call('socket', 16, 3, 0)).toBe(ALLOW);
    const refused = [
      [2, 3, 1], // raw ICMP
      [2, 3, 255],
      [10, 3, 58],
      [2, 1, 132], // SCTP
      [2, 1, 262], // MPTCP
      [16, 3, 9], // netlink audit
      [16, 3, 12], // netlink netfilter
      [17, 3, 0], // packet
      [38, 5, 0], // kernel crypto
      [40, 1, 0], // vsock
      [31, 3, 1], // Bluetooth
      [44, 2, 0], // XDP
      [0, 1, 0],
      [0xffffffff, 1, 0],
    ];
    for (const args of refused) expect(call('socket', ...args)).toBe(EAFNOSUPPORT);
    expect(call('socketpair', 1, 1, 0)).toBe(ALLOW);
    expect(call('socketpair', 30, 1, 0)).toBe(EAFNOSUPPORT);
  });

  test('lets terminals be asked, and not be typed into', () => {
    expect(call('ioctl', 0, 0x5401)).toBe(ALLOW);
    expect(call('ioctl', 0, 0x5412)).toBe(EPERM);
    expect(call('ioctl', 0, 0x541c)).toBe(EPERM);
  });

  test('keeps the normal execution domain', () => {
    expect(call('personality', 0)).toBe(ALLOW);
    expect(call('personality', 0xffffffff)).toBe(ALLOW);
    expect(call('personality', 0x0040000)).toBe(EPERM); // no address randomisation
    expect(call('personality', 0x0400000)).toBe(EPERM); // READ_IMPLIES_EXEC
  });
});

test('the filter for x86_64 kills calls of the x32 ABI', () => {
  const program = assembleSeccompFilter('x86_64');
  for (const number of [0x40000000, 0x40000000 + 101, 0xffffffff]) {
    expect(judge(program, { arch: AUDIT_ARCH.x86_64, number })).toBe('kill');
  }
});

test('the filters allow the everyday calls of each machine', () => {
  const everyday = {
    x86_64: [0, 1, 9, 12, 59, 60, 202, 257, 281, 318, 334, 424, 434, 436, 439, 441, 449],
    aarch64: [56, 63, 64, 93, 98, 222, 221, 278, 293, 424, 434, 439],
  };
  for (const machine of machines) {
    const program = assembleSeccompFilter(machine);
    for (const number of everyday[machine]) {
      expect(judge(program, { arch: AUDIT_ARCH[machine], number })).toBe(ALLOW);
    }
  }
});

const HEADERS: Record<Machine, string> = {
  x86_64: '/usr/include/x86_64-linux-gnu/asm/unistd_64.h',
  aarch64: '/usr/include/asm-generic/unistd.h',
};

describe.each(machines)('the numbers of %s', (machine) => {
  test.skipIf(!existsSync(HEADERS[machine]))('are those of the kernel headers', () => {
    const header = readFileSync(HEADERS[machine], 'utf8');
    const defined = new Map(
      [...header.matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)$/gm)].map(([, name, number]) => [
        name,
        Number(number),
      ]),
    );
    for (const call of [...DENIED, ...CONDITIONAL.map((entry) => entry.call)]) {
      const number = machine === 'x86_64' ? call[1] : call[2];
      expect([call[0], defined.get(call[0]) ?? null]).toEqual([call[0], number]);
    }
  });
});
