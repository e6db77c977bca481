import { type ComponentType, type LazyExoticComponent, lazy } from 'react';
import type { IconName } from './ui/icon.tsx';

/** One page of the navigation: its path, its name in the language files and when it is loaded. */
export interface PortalPage {
  readonly path: string;
  /** `pages.<name>.title` in the language files. */
  readonly name: string;
  readonly icon: IconName;
  readonly Page: LazyExoticComponent<ComponentType>;
}

/** In the order of the navigation; pages have their own routes below their path. */
export const PAGES: readonly PortalPage[] = [
  {
    path: '/',
    name: 'home',
    icon: 'home',
    Page: lazy(async () => ({ default: (await import('./pages/home/home.tsx')).Home })),
  },
  {
    path: '/library',
    name: 'library',
    icon: 'library',
    Page: lazy(async () => ({ default: (await import('./pages/library/library.tsx')).Library })),
  },
  {
    path: '/ask',
    name: 'ask',
    icon: 'ask',
    Page: lazy(async () => ({ default: (await import('./pages/ask/ask.tsx')).Ask })),
  },
  {
    path: '/vectors',
    name: 'vectors',
    icon: 'vectors',
    Page: lazy(async () => ({ default: (await import('./pages/vectors/vectors.tsx')).Vectors })),
  },
  {
    path: '/sql',
    name: 'sql',
    icon: 'sql',
    Page: lazy(async () => ({ default: (await import('./pages/sql/sql.tsx')).Sql })),
  },
  {
    path: '/aimee',
    name: 'aimee',
    icon: 'aimee',
    Page: lazy(async () => ({ default: (await import('./pages/aimee/aimee.tsx')).Aimee })),
  },
  {
    path: '/keys',
    name: 'keys',
    icon: 'keys',
    Page: lazy(async () => ({ default: (await import('./pages/keys/keys.tsx')).Keys })),
  },
  {
    path: '/profile',
    name: 'profile',
    icon: 'profile',
    Page: lazy(async () => ({ default: (await import('./pages/profile/profile.tsx')).Profile })),
  },
  {
    path: '/rights',
    name: 'rights',
    icon: 'rights',
    Page: lazy(async () => ({ default: (await import('./pages/rights/rights.tsx')).Rights })),
  },
  {
    path: '/privacy',
    name: 'privacy',
    icon: 'privacy',
    Page: lazy(async () => ({ default: (await import('./pages/privacy/privacy.tsx')).Privacy })),
  },
];
