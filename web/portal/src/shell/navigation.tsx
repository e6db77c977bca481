import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { NavLink } from 'react-router';
import { PAGES } from '../pages.ts';
import { Icon, Logo } from '../ui/icon.tsx';
import { AccountMenu } from './account-menu.tsx';

export function Navigation(): ReactNode {
  const { t } = useTranslation();
  return (
    <nav className="nav" aria-label={t('shell.navigation')}>
      <NavLink to="/" className="brand">
        <Logo />
        JellyFaaS
      </NavLink>
      <ul>
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
