/**
 * The system call filter of every jail: a classic BPF program, assembled here so that no library is needed.
 *
 * It is a deny list inside an allow list: of the calls that existed when this table was last reviewed, those
 * below are refused (they give a jail nothing that a function needs, and are where kernel bugs are found);
 * every call that is newer answers ENOSYS, as an older kernel would, so a new kernel opens nothing.
 */
export type Machine = 'x86_64' | 'aarch64';

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** Numbers after this one were not reviewed; both machines number alike from 424 on. */
const LAST_REVIEWED = 456;
const FIRST_COMMON = 424;

const MACHINES = {
  x86_64: { auditArch: 0xc000003e, lastOwn: 334 },
  aarch64: { auditArch: 0xc00000b7, lastOwn: 294 },
} as const;

/** On x86_64 calls of the x32 ABI carry this bit; they would slip past a comparison of numbers. */
const X32_BIT = 0x40000000;

/** Name, number on x86_64, number on aarch64 (null: does not exist there). */
type Call = readonly [name: string, x86_64: number | null, aarch64: number | null];

/** Refused whatever the arguments, with EPERM. */
export const DENIED: readonly Call[] = [
  // Mounts and roots, the old interface and the new one.
  ['mount', 165, 40],
  ['umount2', 166, 39],
  ['pivot_root', 155, 41],
  ['chroot', 161, 51],
  ['mount_setattr', 442, 442],
  ['open_tree', 428, 428],
  ['move_mount', 429, 429],
  ['fsopen', 430, 430],
  ['fsconfig', 431, 431],
  ['fsmount', 432, 432],
  ['fspick', 433, 433],
  // Namespaces; `clone` is judged by its flags below.
  ['unshare', 272, 97],
  ['setns', 308, 268],
  // Other processes' memory and descriptors.
  ['ptrace', 101, 117],
  ['process_vm_readv', 310, 270],
  ['process_vm_writev', 311, 271],
  ['process_madvise', 440, 440],
  ['process_mrelease', 448, 448],
  ['pidfd_getfd', 438, 438],
  ['kcmp', 312, 272],
  // Replacing or extending the kernel.
  ['kexec_load', 246, 104],
  ['kexec_file_load', 320, 294],
  ['init_module', 175, 105],
  ['finit_module', 313, 273],
  ['delete_module', 176, 106],
  ['bpf', 321, 280],
  // Large kernel interfaces with a history of holes.
  ['perf_event_open', 298, 241],
  ['userfaultfd', 323, 282],
  ['io_uring_setup', 425, 425],
  ['io_uring_enter', 426, 426],
  ['io_uring_register', 427, 427],
  ['add_key', 248, 217],
  ['request_key', 249, 218],
  ['keyctl', 250, 219],
  ['memfd_secret', 447, 447],
  ['fanotify_init', 300, 262],
  ['fanotify_mark', 301, 263],
  ['modify_ldt', 154, null],
  ['remap_file_pages', 216, 234],
  ['move_pages', 279, 239],
  ['migrate_pages', 256, 238],
  ['mbind', 237, 235],
  ['set_mempolicy', 238, 237],
  ['set_mempolicy_home_node', 450, 450],
  // Files by handle instead of by path.
  ['name_to_handle_at', 303, 264],
  ['open_by_handle_at', 304, 265],
  ['lookup_dcookie', 212, 18],
  // The machine as a whole.
  ['swapon', 167, 224],
  ['swapoff', 168, 225],
  ['reboot', 169, 142],
  ['acct', 163, 89],
  ['quotactl', 179, 60],
  ['quotactl_fd', 443, 443],
  ['syslog', 103, 116],
  ['vhangup', 153, 58],
  ['iopl', 172, null],
  ['ioperm', 173, null],
  ['clock_settime', 227, 112],
  ['clock_adjtime', 305, 266],
  ['settimeofday', 164, 170],
  ['adjtimex', 159, 171],
  ['sethostname', 170, 161],
  ['setdomainname', 171, 162],
  // Relics.
  ['nfsservctl', 180, 42],
  ['uselib', 134, null],
  ['ustat', 136, null],
  ['sysfs', 139, null],
  ['_sysctl', 156, null],
];

/** Compares the low 32 bits of an argument, which is all that the kernel looks at for these calls. */
interface Condition {
  readonly argument: 0 | 1 | 2;
  readonly mask?: number;
  readonly oneOf?: readonly number[];
  readonly noneOf?: readonly number[];
}

interface ConditionalCall {
  readonly call: Call;
  readonly errno: number;
  /** Allowed when all conditions of any one list hold. */
  readonly allowedWhen: readonly (readonly Condition[])[];
}

const CLONE_NEW_FLAGS = 0x7e020000; // NEWNS NEWCGROUP NEWUTS NEWIPC NEWUSER NEWPID NEWNET
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const AF = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const;
const SOCK = { typeMask: 0xf, stream: 1, datagram: 2 } as const;
const PROTOCOL = { default: 0, tcp: 6, udp: 17, netlinkRoute: 0 } as const;

export const CONDITIONAL: readonly ConditionalCall[] = [
  {
    call: ['clone', 56, 220],
    errno: EPERM,
    allowedWhen: [[{ argument: 0, mask: CLONE_NEW_FLAGS, oneOf: [0] }]],
  },
  // Its flags lie in memory, where a filter cannot look: libc falls back to `clone`.
  { call: ['clone3', 435, 435], errno: ENOSYS, allowedWhen: [] },
  {
    call: ['personality', 135, 92],
    errno: EPERM,
    allowedWhen: [[{ argument: 0, oneOf: [0, 0xffffffff] }]],
  },
  // Typing into the terminal of whoever started the server.
  {
    call: ['ioctl', 16, 29],
    errno: EPERM,
    allowedWhen: [[{ argument: 1, noneOf: [TIOCSTI, TIOCLINUX] }]],
  },
  {
    call: ['socket', 41, 198],
    errno: EAFNOSUPPORT,
    allowedWhen: [
      [{ argument: 0, oneOf: [AF.unix] }],
      [
        { argument: 0, oneOf: [AF.inet, AF.inet6] },
        { argument: 1, mask: SOCK.typeMask, oneOf: [SOCK.stream, SOCK.datagram] },
        { argument: 2, oneOf: [PROTOCOL.default, PROTOCOL.tcp, PROTOCOL.udp] },
      ],
      // getifaddrs() of libc, Go and the JVM.
      [
        { argument: 0, oneOf: [AF.netlink] },
        { argument: 2, oneOf: [PROTOCOL.netlinkRoute] },
      ],
    ],
  },
  {
    call: ['socketpair', 53, 199],
    errno: EAFNOSUPPORT,
    allowedWhen: [[{ argument: 0, oneOf: [AF.unix] }]],
  },
];

interface Instruction {
  readonly code: number;
  readonly jumpTrue?: number;
  readonly jumpFalse?: number;
  readonly k: number;
}

const LOAD_WORD = 0x20;
const AND = 0x54;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_OR_EQUAL = 0x35;
const RETURN = 0x06;

const ALLOW: Instruction = { code: RETURN, k: 0x7fff0000 };
const KILL: Instruction = { code: RETURN, k: 0x80000000 };
const fail = (errno: number): Instruction => ({ code: RETURN, k: 0x00050000 | errno });

/** Offsets in `struct seccomp_data`; both machines are little-endian. */
const NUMBER_OFFSET = 0;
const ARCH_OFFSET = 4;
const argumentOffset = (index: number): number => 16 + 8 * index;

/** The filter as bubblewrap's `--seccomp` reads it: 8 bytes for each instruction. */
export function assembleSeccompFilter(machine: Machine): Buffer {
  const { auditArch, lastOwn } = MACHINES[machine];
  const number = (call: Call): number | null => (machine === 'x86_64' ? call[1] : call[2]);
  const program: Instruction[] = [
    { code: LOAD_WORD, k: ARCH_OFFSET },
    { code: JUMP_EQUAL, k: auditArch, jumpTrue: 1 },
    KILL,
    { code: LOAD_WORD, k: NUMBER_OFFSET },
    ...(machine === 'x86_64' ? [{ code: JUMP_GREATER_OR_EQUAL, k: X32_BIT, jumpFalse: 1 }, KILL] : []),
    { code: JUMP_GREATER, k: LAST_REVIEWED, jumpFalse: 1 },
    fail(ENOSYS),
    { code: JUMP_GREATER, k: lastOwn, jumpFalse: 2 },
    { code: JUMP_GREATER_OR_EQUAL, k: FIRST_COMMON, jumpTrue: 1 },
    fail(ENOSYS),
  ];
  for (const call of DENIED) program.push(...onCall(number(call), [fail(EPERM)]));
  for (const { call, errno, allowedWhen } of CONDITIONAL) {
    program.push(...onCall(number(call), [...allowedWhen.flatMap(alternative), fail(errno)]));
  }
  program.push(ALLOW);
  return encode(program);
}

/** `body` runs for this call only, and always returns. */
function onCall(number: number | null, body: readonly Instruction[]): Instruction[] {
  return number === null ? [] : [{ code: JUMP_EQUAL, k: number, jumpFalse: body.length }, ...body];
}

/** Returns ALLOW when all conditions hold, and falls through to what follows when one does not. */
function alternative(conditions: readonly Condition[]): Instruction[] {
  let program: Instruction[] = [ALLOW];
  for (const condition of conditions.toReversed()) {
    program = [...test(condition, program.length), ...program];
  }
  return program;
}

/** Falls through when the condition holds, and skips `otherwise` instructions more when it does not. */
function test({ argument, mask, oneOf, noneOf }: Condition, otherwise: number): Instruction[] {
  const values = oneOf ?? noneOf ?? [];
  const compare = values.map((k, index): Instruction => {
    const left = values.length - 1 - index;
    if (noneOf !== undefined) return { code: JUMP_EQUAL, k, jumpTrue: left + otherwise };
    return { code: JUMP_EQUAL, k, jumpTrue: left, jumpFalse: left === 0 ? otherwise : 0 };
  });
  const masked: Instruction[] = mask === undefined ? [] : [{ code: AND, k: mask }];
  return [{ code: LOAD_WORD, k: argumentOffset(argument) }, ...masked, ...compare];
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, { code, jumpTrue = 0, jumpFalse = 0, k }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, index * 8 + 4);
  }
  return bytes;
}
