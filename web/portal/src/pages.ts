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
];
