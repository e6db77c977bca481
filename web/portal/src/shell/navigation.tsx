import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { NavLink, useLocation } from 'react-router';
import { PAGES } from '../pages.ts';
import { Icon, Logo } from '../ui/icon.tsx';
import { AccountMenu } from './account-menu.tsx';

export function Navigation(): ReactNode {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const list = useRef<HTMLUListElement>(null);
  // On narrow screens the list scrolls sideways; where one is has to be in sight.
  useEffect(() => {
    const show = (): void =>
      list.current
        ?.querySelector('[aria-current="page"]')
        ?.scrollIntoView({ block: 'nearest', inline: 'center' });
    show();
    addEventListener('resize', show);
    return () => removeEventListener('resize', show);
  }, [pathname]);
  return (
    <nav className="nav" aria-label={t('shell.navigation')}>
      <NavLink to="/" className="brand">
        <Logo />
        JellyFaaS
      </NavLink>
      <ul ref={list}>
        {PAGES.map(({ path, name, icon }) => (
          <li key={path}>
            <NavLink to={path} end={path === '/'} className="item">
              <Icon name={icon} />
              {t(`pages.${name}.title`)}
            </NavLink>
          </li>
        ))}
      </ul>
      <div className="end">
        <AccountMenu />
      </div>
    </nav>
  );
}
