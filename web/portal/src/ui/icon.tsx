import type { ReactNode } from 'react';

/** Strokes on a 24 × 24 grid; decoration only, the text beside says what it is. */
const PATHS = {
  home: 'M4 11 12 4l8 7v9h-5v-6H9v6H4z',
  library: 'M5 4h4v16H5zM10 4h4v16h-4zM15.500 5l3.500-.8 3 15-3.500.8z',
  ask: 'M4 5h16v11H9l-5 4z',
  vectors: 'M5 19 19 5M5 19h5M5 19v-5M19 5h-5M19 5v5',
  sql: 'M4 6c0-3 16-3 16 0v12c0 3-16 3-16 0zM4 6c0 3 16 3 16 0M4 12c0 3 16 3 16 0',
  keys: 'M14 10a4 4 0 1 0-3.500 4L13 14v2h2v2h3v-3l-4-4z',
  profile: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4 20c0-4 4-6 8-6s8 2 8 6',
  privacy: 'M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6z',
  rights: 'M12 4v16M8 20h8M5 7h14M5 7l-3 7h6zM19 7l-3 7h6z',
  aimee: 'M4 12a8 8 0 1 1 4 7l-4 1 1-4a8 8 0 0 1-1-4ZM9 11h.01M15 11h.01M9 14c2 1.500 4 1.500 6 0',
  locked: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  unlocked: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 6.800-1.200',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  upload: 'M12 16V5M7 10l5-5 5 5M4 19h16',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  chevron: 'M9 5l7 7-7 7',
  plus: 'M12 5v14M5 12h14',
  check: 'M4 12l5 5L20 6',
  alert: 'M12 4 2.500 20h19zM12 10v4M12 17h.01',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM16 16l5 5',
  up: 'M7 20V10l5-7 1 1v5h7l-2 11z',
  down: 'M17 4v10l-5 7-1-1v-5H4l2-11z',
  refresh: 'M19 12a7 7 0 1 1-2-5l2 2M19 4v5h-5',
  send: 'M4 12 20 4l-5 16-4-6zM11 14l9-10',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }): ReactNode {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo(): ReactNode {
  return <img src="/icon.svg" alt="" width="28" height="28" />;
}
